#include "validation/cli/check_operation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/encode.hpp"
#include "validation/cli/matrix_stack.hpp"

namespace assay::cli {
namespace {

CodeVector vector_of(const io::Array& array) {
  return {array.bytes.data(), static_cast<std::size_t>(array.size()), 1, array.element.format()};
}

std::string formats_text(const FormatSpec& a, const FormatSpec& b) {
  return fmt::format("a={} b={}", a.dtype, b.dtype);
}

// One output as a dot product with what joins it. Vectors may point into `scratch`.
struct Terms {
  CodeVector a, b;
  std::optional<Addend> start;  // begins the sum
  std::optional<Addend> c, bias;
};
using Scratch = std::vector<std::byte>;

// Operations that are a dot product for each output.
class DotProducts : public Operation {
 public:
  ElementTruth truth(const Arithmetic& arithmetic, std::size_t i, double factor) const override {
    Scratch scratch;
    const Terms t = terms(i, scratch);
    return element_truth(arithmetic, output_.epilogue, t.a, t.b, start_code(arithmetic, t), t.c, t.bias,
                         output_.format, factor);
  }

  std::uint64_t predicted(const Arithmetic& unit, std::size_t i) const override {
    Scratch scratch;
    const Terms t = terms(i, scratch);
    const std::optional<std::uint64_t> start = start_code(unit, t);
    if (is_plain(output_.epilogue) && !t.bias && unit.gives(output_.format)) {
      return unit.dot(t.a, t.b, start, output_.format, i);
    }
    const FormatSpec& given = unit.info().outputs.front();
    const FormatSpec format = output_.epilogue.format.value_or(unit.info().accumulator);
    return apply_epilogue(output_.epilogue, format, {unit.dot(t.a, t.b, start, given, i), given}, t.c, t.bias,
                          output_.format);
  }

 protected:
  using Operation::Operation;
  virtual Terms terms(std::size_t i, Scratch& scratch) const = 0;

  static std::optional<std::uint64_t> start_code(const Arithmetic& arithmetic, const Terms& t) {
    if (!t.start) return std::nullopt;
    const FormatSpec& accumulator = arithmetic.info().accumulator;
    if (!contains_format(accumulator, t.start->format)) {
      throw InputError("--c", "",
                       fmt::format("a C that starts the sum to be {} or narrower", accumulator.dtype),
                       std::string(t.start->format.dtype));
    }
    return convert(t.start->code, t.start->format, accumulator).code;
  }
};

class Gemm : public DotProducts {
 public:
  Gemm(GemmOperands o, const OutputSpec& output)
      : DotProducts(output),
        a_(std::move(o.a), o.transpose_a),
        b_(Stack(std::move(o.b), o.transpose_b, VectorIs::column).with_dense_columns()),
        bias_(std::move(o.bias)),
        bias_along_(o.bias_along),
        c_first_(o.c_first) {
    a_.set_scales(std::move(o.a_scales));
    b_.set_scales(std::move(o.b_scales));
    m_ = a_.rows();
    n_ = b_.cols();
    const std::size_t k = a_.cols();
    if (b_.rows() != k) {
      mismatch(b_.array(), fmt::format("{} rows, as many as op(A) of {} has columns", k, a_.array().origin));
    }
    const std::optional<Batches> joined = a_.batches().joined(b_.batches());
    if (!joined) {
      mismatch(b_.array(), fmt::format("a stack that goes with that of {}, shape {}", a_.array().origin,
                                       io::to_string(a_.array().shape)));
    }
    batches_ = *joined;
    for (const std::int64_t d : batches_.shape()) shape_.push_back(static_cast<std::size_t>(d));
    if (!a_.is_vector()) shape_.push_back(m_);
    if (!b_.is_vector()) shape_.push_back(n_);
    if (o.c) take_c(std::move(*o.c));
    check_bias();
    std::string batch;
    for (const std::int64_t d : batches_.shape())
      batch += fmt::format("{}{}", batch.empty() ? " batch=" : "x", d);
    parameters_ =
        fmt::format("m={} n={} k={}{} {}", m_, n_, k, batch, formats_text(a_.format(), b_.format()));
  }

 private:
  // Rows of one matrix at a time.
  bool predict_all(const Arithmetic& unit, const MutableCodeVector& codes,
                   const std::function<void(double)>& progress) const override {
    if (!unit.info().divisible) return false;
    constexpr std::size_t products_each_time = std::size_t{1} << 26;
    const std::size_t row_products = std::max<std::size_t>(n_ * a_.cols(), 1), all = batches_.count() * m_;
    const std::size_t rows = std::clamp<std::size_t>(products_each_time / row_products, 1, m_);
    for (std::size_t batch = 0; m_ > 0 && batch < batches_.count(); ++batch) {
      for (std::size_t first = 0; first < m_; first += rows) {
        predict_rows(unit, codes, batch, first, std::min(rows, m_ - first));
        if (progress) progress(static_cast<double>(batch * m_ + first) / static_cast<double>(all));
      }
    }
    return true;
  }

  // The codes that the sums of some rows start with, in the accumulator's format.
  std::vector<std::byte> starts_of(const Arithmetic& unit, std::size_t first, std::size_t count) const {
    const std::size_t width = code_bytes(unit.info().accumulator);
    std::vector<std::byte> starts(count * width);
    Scratch scratch;
    for (std::size_t i = 0; i < count; ++i) {
      detail::store_code(starts.data(), static_cast<std::ptrdiff_t>(i), width,
                         start_code(unit, terms(first + i, scratch)).value_or(0));
    }
    return starts;
  }

  void predict_rows(const Arithmetic& unit, const MutableCodeVector& codes, std::size_t batch,
                    std::size_t first_row, std::size_t rows) const {
    const std::size_t first = (batch * m_ + first_row) * n_, count = rows * n_;
    const bool plain = is_plain(output_.epilogue) && !bias_ && unit.gives(output_.format);
    const FormatSpec& given = plain ? output_.format : unit.info().outputs.front();
    const std::size_t width = code_bytes(given);
    std::vector<std::byte> sums(count * width), starts;
    std::optional<CodeMatrix> start;
    const auto columns = static_cast<std::ptrdiff_t>(n_);
    if (c_ && c_first_) {
      starts = starts_of(unit, first, count);
      start = CodeMatrix{starts.data(), rows, n_, columns, 1, unit.info().accumulator};
    }
    unit.gemm(some_rows(a_.matrix(a_.batches().place(batch, batches_)), first_row, rows),
              b_.matrix(b_.batches().place(batch, batches_)), start,
              {sums.data(), rows, n_, columns, 1, given}, {.offset = first, .row_stride = n_});
    const FormatSpec steps = output_.epilogue.format.value_or(unit.info().accumulator);
    parallel_for(count, 0, [&](std::size_t i) {
      std::uint64_t code = detail::load_code(sums.data(), static_cast<std::ptrdiff_t>(i), width);
      if (!plain) {
        Scratch scratch;
        const Terms t = terms(first + i, scratch);
        code = apply_epilogue(output_.epilogue, steps, {code, given}, t.c, t.bias, output_.format);
      }
      codes.set(first + i, code);
    });
  }

  // C has the shape of the result, or is a matrix or a stack that repeats.
  void take_c(io::Array c) {
    const io::Shape result(shape_.begin(), shape_.end());
    if (c.shape == result || (result.empty() && c.size() == 1)) {
      c.shape = batches_.shape();
      c.shape.push_back(static_cast<std::int64_t>(m_));
      c.shape.push_back(static_cast<std::int64_t>(n_));
    }
    if (c.shape.size() < 2) mismatch(c, fmt::format("C of shape {}", io::to_string(result)));
    c_.emplace(std::move(c), false);
    const std::optional<Batches> joined = c_->batches().joined(batches_);
    if (c_->rows() != m_ || c_->cols() != n_ || !joined || joined->shape() != batches_.shape()) {
      mismatch(c_->array(), fmt::format("C of shape {}", io::to_string(result)));
    }
  }
  void check_bias() const {
    if (!bias_) return;
    const bool columns = bias_along_ == BiasAlong::columns;
    const std::size_t wanted = columns ? n_ : m_;
    if (static_cast<std::size_t>(bias_->size()) != wanted) {
      mismatch(*bias_, fmt::format("{} values, one a {}", wanted, columns ? "column" : "row"));
    }
  }
  Terms terms(std::size_t i, Scratch&) const override {
    const std::size_t batch = i / (m_ * n_), row = i / n_ % m_, col = i % n_;
    Terms t{a_.matrix(a_.batches().place(batch, batches_)).row(row),
            b_.matrix(b_.batches().place(batch, batches_)).column(col),
            {},
            {},
            {}};
    if (c_) {
      (c_first_ ? t.start : t.c) =
          Addend{c_->matrix(c_->batches().place(batch, batches_)).code(row, col), c_->format()};
    }
    if (bias_)
      t.bias = Addend{vector_of(*bias_).code(bias_along_ == BiasAlong::columns ? col : row),
                      bias_->element.format()};
    return t;
  }

  Stack a_, b_;
  std::optional<Stack> c_;
  std::optional<io::Array> bias_;
  BiasAlong bias_along_;
  bool c_first_;
  std::size_t m_ = 0, n_ = 0;
  Batches batches_;
};

io::SparseArray transposed_csr(io::SparseArray csr) {
  io::SparseArray turned;
  turned.layout = io::SparseArray::Layout::csc;
  turned.rows = csr.cols;
  turned.cols = csr.rows;
  turned.offsets = std::move(csr.offsets);
  turned.row_indices = std::move(csr.column_indices);
  turned.values = std::move(csr.values);
  turned.origin = std::move(csr.origin);
  return io::to_csr(turned);
}

// A sparse operand by rows. The rows are made when the first value is asked for, and so after every shape has been
// judged: a file of coordinates may claim 2^31 rows in a few bytes, and their offsets would be the first to need
// memory.
class SparseRows {
 public:
  SparseRows(io::SparseArray a, bool transposed)
      : rows_(static_cast<std::size_t>(transposed ? a.cols : a.rows)),
        cols_(static_cast<std::size_t>(transposed ? a.rows : a.cols)),
        nnz_(static_cast<std::size_t>(a.nnz())),
        format_(a.values.element.format()),
        origin_(a.origin),
        transposed_(transposed),
        stored_(std::move(a)) {}

  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  std::size_t nnz() const { return nnz_; }
  const FormatSpec& format() const { return format_; }
  const std::string& origin() const { return origin_; }

  const io::SparseArray& csr() const {
    std::call_once(once_, [&] {
      csr_ = stored_.layout == io::SparseArray::Layout::csr ? stored_ : io::to_csr(stored_);
      stored_ = {};
      if (transposed_) csr_ = transposed_csr(std::move(csr_));
    });
    return csr_;
  }

 private:
  std::size_t rows_, cols_, nnz_;
  FormatSpec format_;
  std::string origin_;
  bool transposed_;
  mutable std::once_flag once_;
  mutable io::SparseArray stored_, csr_;
};

class Spmm : public DotProducts {
 public:
  Spmm(SpmmOperands o, const OutputSpec& output)
      : DotProducts(output),
        a_(std::move(o.a), o.transpose_a),
        b_(std::move(o.b), o.transpose_b, VectorIs::column),
        c_(std::move(o.c)),
        bias_(std::move(o.bias)),
        bias_along_(o.bias_along) {
    const std::size_t m = a_.rows(), k = a_.cols();
    n_ = b_.cols();
    if (!b_.batches().shape().empty()) mismatch(b_.array(), "one matrix B");
    if (b_.rows() != k)
      mismatch(b_.array(), fmt::format("{} rows, as many as op(A) of {} has columns", k, a_.origin()));
    shape_ = b_.is_vector() ? compare::Shape{m} : compare::Shape{m, n_};
    if (c_ && c_->shape != io::Shape(shape_.begin(), shape_.end())) {
      mismatch(*c_, fmt::format("C of shape {}", compare::shape_text(shape_)));
    }
    const std::size_t wanted = bias_along_ == BiasAlong::columns ? n_ : m;
    if (bias_ && static_cast<std::size_t>(bias_->size()) != wanted)
      mismatch(*bias_, fmt::format("{} values", wanted));
    parameters_ =
        fmt::format("m={} n={} k={} nnz={} {}", m, n_, k, a_.nnz(), formats_text(a_.format(), b_.format()));
  }

 private:
  Terms terms(std::size_t i, Scratch& scratch) const override {
    const std::size_t row = i / n_, col = i % n_;
    const io::SparseArray& a = a_.csr();
    const auto begin = static_cast<std::size_t>(a.offsets[row]),
               end = static_cast<std::size_t>(a.offsets[row + 1]);
    const std::size_t bytes = code_bytes(b_.format());
    const CodeMatrix b = b_.matrix(0);
    scratch.resize((end - begin) * bytes);
    for (std::size_t e = begin; e < end; ++e) {
      detail::store_code(scratch.data(), static_cast<std::ptrdiff_t>(e - begin), bytes,
                         b.code(static_cast<std::size_t>(a.column_indices[e]), col));
    }
    Terms t{vector_of(a.values).part(begin, end - begin),
            {scratch.data(), end - begin, 1, b_.format()},
            {},
            {},
            {}};
    if (c_) t.c = Addend{vector_of(*c_).code(i), c_->element.format()};
    if (bias_)
      t.bias = Addend{vector_of(*bias_).code(bias_along_ == BiasAlong::columns ? col : row),
                      bias_->element.format()};
    return t;
  }

  SparseRows a_;
  Stack b_;
  std::optional<io::Array> c_, bias_;
  BiasAlong bias_along_;
  std::size_t n_ = 0;
};

class Sddmm : public DotProducts {
 public:
  Sddmm(SddmmOperands o, const OutputSpec& output)
      : DotProducts(output),
        mask_(std::move(o.mask), false),
        a_(std::move(o.a), o.transpose_a),
        b_(Stack(std::move(o.b), o.transpose_b).with_dense_columns()),
        c_(std::move(o.c)) {
    const std::size_t m = mask_.rows(), n = mask_.cols();
    for (const Stack* s : {&a_, &b_}) {
      if (s->array().shape.size() != 2) mismatch(s->array(), "one matrix");
    }
    if (a_.rows() != m) mismatch(a_.array(), fmt::format("{} rows, as the mask {} has", m, mask_.origin()));
    if (b_.cols() != n)
      mismatch(b_.array(), fmt::format("{} columns, as the mask {} has", n, mask_.origin()));
    if (b_.rows() != a_.cols())
      mismatch(b_.array(), fmt::format("{} rows, as many as op(A) has columns", a_.cols()));
    const std::size_t nnz = mask_.nnz();
    if (c_ && static_cast<std::size_t>(c_->size()) != nnz)
      mismatch(*c_, fmt::format("{} values, one an entry of the mask", nnz));
    shape_ = {nnz};
    parameters_ =
        fmt::format("m={} n={} k={} nnz={} {}", m, n, a_.cols(), nnz, formats_text(a_.format(), b_.format()));
  }

  std::optional<std::pair<std::size_t, std::size_t>> entry(std::size_t i) const override {
    return std::pair(row_of(i), static_cast<std::size_t>(mask_.csr().column_indices.at(i)));
  }

 private:
  // The last row that begins no later than entry i: of empty rows before it the offsets are the same.
  std::size_t row_of(std::size_t i) const {
    const std::vector<std::int64_t>& offsets = mask_.csr().offsets;
    const auto next = std::upper_bound(offsets.begin(), offsets.end(), static_cast<std::int64_t>(i));
    return static_cast<std::size_t>(next - offsets.begin()) - 1;
  }

  Terms terms(std::size_t i, Scratch&) const override {
    Terms t{a_.matrix(0).row(row_of(i)),
            b_.matrix(0).column(static_cast<std::size_t>(mask_.csr().column_indices[i])),
            {},
            {},
            {}};
    if (c_) t.c = Addend{vector_of(*c_).code(i), c_->element.format()};
    return t;
  }

  SparseRows mask_;
  Stack a_, b_;
  std::optional<io::Array> c_;
};

class Dot : public DotProducts {
 public:
  Dot(DotOperands o, const OutputSpec& output)
      : DotProducts(output),
        a_(std::move(o.a)),
        b_(std::move(o.b)),
        c_(std::move(o.c)),
        a_scales_(std::move(o.a_scales)),
        b_scales_(std::move(o.b_scales)) {
    for (const io::Array* x : {&a_, &b_}) {
      if (x->shape.empty() || x->shape.size() > 2)
        mismatch(*x, "n x K values, one dot product a row, or a vector");
    }
    k_ = dimension(a_, a_.shape.size() - 1);
    const bool rows_a = a_.shape.size() == 2, rows_b = b_.shape.size() == 2;
    const std::size_t n = rows_a ? dimension(a_, 0) : rows_b ? dimension(b_, 0) : 1;
    if (dimension(b_, b_.shape.size() - 1) != k_ || (rows_a && rows_b && dimension(b_, 0) != n)) {
      mismatch(b_,
               fmt::format("{}, or a vector of {} for all rows of {}",
                           rows_a ? "shape " + io::to_string(a_.shape) : fmt::format("rows of {} values", k_),
                           k_, a_.origin));
    }
    if (rows_a || rows_b) shape_ = {n};
    step_a_ = rows_a ? k_ : 0;
    step_b_ = rows_b ? k_ : 0;
    if (c_ && static_cast<std::size_t>(c_->size()) != n)
      mismatch(*c_, fmt::format("{} values, one a dot product", n));
    parameters_ = fmt::format("n={} k={} {}", n, k_, formats_text(a_.element.format(), b_.element.format()));
  }

 private:
  Terms terms(std::size_t i, Scratch&) const override {
    Terms t{vector_of(a_).part(i * step_a_, k_), vector_of(b_).part(i * step_b_, k_), {}, {}, {}};
    if (c_) t.start = Addend{vector_of(*c_).code(i), c_->element.format()};
    if (a_scales_) t.a.scales = a_scales_->view().line(step_a_ != 0 ? i : 0, Lines::rows);
    if (b_scales_) t.b.scales = b_scales_->view().line(step_b_ != 0 ? i : 0, Lines::rows);
    return t;
  }

  io::Array a_, b_;
  std::optional<io::Array> c_;
  std::optional<io::Scales> a_scales_, b_scales_;
  std::size_t k_ = 0, step_a_ = 0, step_b_ = 0;  // a vector serves every row
};

std::string_view reduction_name(Reduction r) {
  switch (r) {
    case Reduction::sum: return "sum";
    case Reduction::mean: return "mean";
    case Reduction::sum_squares: return "sum_squares";
    case Reduction::sum_magnitudes: return "sum_magnitudes";
    case Reduction::max: return "max";
    case Reduction::min: return "min";
    case Reduction::max_magnitude: break;
  }
  return "max_magnitude";
}

class Reduce : public Operation {
 public:
  Reduce(ReduceOperands o, const OutputSpec& output) : Operation(output), a_(std::move(o.a)) {
    problem_.operation = o.operation;
    problem_.nan = o.nan;
    problem_.rounding = output.epilogue.rounding;
    problem_.overflow = output.epilogue.overflow;
    const auto dimensions = static_cast<int>(a_.shape.size());
    if (o.axis) {
      const int axis = *o.axis < 0 ? *o.axis + dimensions : *o.axis;
      if (axis < 0 || axis >= dimensions) mismatch(a_, fmt::format("an axis {} (--axis)", *o.axis));
      for (int d = 0; d < dimensions; ++d) {
        const std::size_t size = dimension(a_, static_cast<std::size_t>(d));
        if (d != axis) shape_.push_back(size);
        (d < axis ? problem_.outer : d == axis ? problem_.length : problem_.inner) *= size;
      }
    } else {
      problem_.length = static_cast<std::size_t>(a_.size());
    }
    const bool extreme = o.operation == Reduction::max || o.operation == Reduction::min ||
                         o.operation == Reduction::max_magnitude;
    if (extreme && problem_.length == 0) mismatch(a_, "elements to take the extreme of");
    parameters_ = fmt::format("operation={} n={} k={} a={}", reduction_name(o.operation),
                              problem_.outer * problem_.inner, problem_.length, a_.element.format().dtype);
  }

  ElementTruth truth(const Arithmetic& arithmetic, std::size_t i, double factor) const override {
    return reduce_truth(arithmetic, problem_, vector_of(a_), output_.format, i / problem_.inner,
                        i % problem_.inner, factor);
  }
  std::uint64_t predicted(const Arithmetic& unit, std::size_t i) const override {
    // One result alone: its line as a reduction of its own.
    ReduceProblem one = problem_;
    one.outer = one.inner = 1;
    const std::size_t o = i / problem_.inner, inner = i % problem_.inner, bytes = a_.element.bytes();
    Scratch line(problem_.length * bytes);
    const CodeVector all = vector_of(a_);
    for (std::size_t k = 0; k < problem_.length; ++k) {
      detail::store_code(line.data(), static_cast<std::ptrdiff_t>(k), bytes,
                         all.code((o * problem_.length + k) * problem_.inner + inner));
    }
    std::uint64_t result = 0;
    one.first = i;
    reduce(unit, one, {line.data(), problem_.length, 1, all.format}, {&result, 1, 1, output_.format});
    return result;
  }

 private:
  io::Array a_;
  ReduceProblem problem_;
};

class Conv : public Operation {
 public:
  Conv(ConvOperands o, const OutputSpec& output)
      : Operation(output),
        a_(std::move(o.a)),
        b_(std::move(o.b)),
        bias_(std::move(o.bias)),
        problem_(o.problem) {
    const bool nchw = problem_.layout == ImageLayout::nchw;
    if (a_.shape.size() != 4) mismatch(a_, nchw ? "N C H W" : "N H W C");
    if (b_.shape.size() != 4) mismatch(b_, nchw ? "weights O C/groups R S" : "weights O R S C/groups");
    const std::size_t channel = nchw ? 1 : 3, first = nchw ? 2 : 1;
    problem_.batch = dimension(a_, 0);
    problem_.channels = dimension(a_, channel);
    problem_.height = dimension(a_, first);
    problem_.width = dimension(a_, first + 1);
    problem_.outputs = dimension(b_, 0);
    problem_.kernel_height = dimension(b_, first);
    problem_.kernel_width = dimension(b_, first + 1);
    problem_.epilogue = output.epilogue;
    const std::size_t groups = problem_.groups;
    if (groups == 0 || problem_.channels % groups != 0 || problem_.outputs % groups != 0) {
      mismatch(b_, fmt::format("channels and outputs that {} groups divide", groups));
    }
    if (dimension(b_, channel) * groups != problem_.channels) {
      mismatch(b_, fmt::format("weights for {} channels in {} groups", problem_.channels, groups));
    }
    if (bias_ && static_cast<std::size_t>(bias_->size()) != problem_.outputs) {
      mismatch(*bias_, fmt::format("{} values, one an output channel", problem_.outputs));
    }
    if (!problem_.has_countable_sizes()) {
      throw InputError("--pad, --dilation", "", "a padded input and a dilated kernel of less than 2^64",
                       fmt::format("pad {} {}, dilation {} {}", problem_.pad_top, problem_.pad_left,
                                   problem_.dilation_height, problem_.dilation_width));
    }
    const std::size_t p = problem_.out_height(), q = problem_.out_width();
    shape_ = nchw ? compare::Shape{problem_.batch, problem_.outputs, p, q}
                  : compare::Shape{problem_.batch, p, q, problem_.outputs};
    const auto pair = [](std::size_t rows, std::size_t columns) {
      return rows == columns ? fmt::format("{}", rows) : fmt::format("{}x{}", rows, columns);
    };
    parameters_ = fmt::format("x={} w={} stride={} pad={} dilation={} groups={} {}", io::to_string(a_.shape),
                              io::to_string(b_.shape), pair(problem_.stride_height, problem_.stride_width),
                              pair(problem_.pad_top, problem_.pad_left),
                              pair(problem_.dilation_height, problem_.dilation_width), groups,
                              formats_text(a_.element.format(), b_.element.format()));
    if (!nchw) parameters_ += " layout=nhwc";
    if (problem_.padding == Padding::absent) parameters_ += " padding=absent";
    std::erase(parameters_, '[');
    std::erase(parameters_, ']');
    std::replace(parameters_.begin(), parameters_.end(), ',', 'x');
  }

  ElementTruth truth(const Arithmetic& arithmetic, std::size_t i, double factor) const override {
    const std::size_t p = problem_.out_height(), q = problem_.out_width(), o = problem_.outputs;
    const bool nchw = problem_.layout == ImageLayout::nchw;
    return conv2d_truth(arithmetic, problem_, vector_of(a_), vector_of(b_), bias(), output_.format,
                        i / (o * p * q), nchw ? i / (p * q) % o : i % o, nchw ? i / q % p : i / (o * q) % p,
                        nchw ? i % q : i / o % q, factor);
  }
  std::uint64_t predicted(const Arithmetic& unit, std::size_t i) const override {
    std::call_once(predicted_once_, [&] {
      codes_.resize(size() * code_bytes(output_.format));
      conv2d(unit, problem_, vector_of(a_), vector_of(b_), bias(),
             {codes_.data(), size(), 1, output_.format});
    });
    return detail::load_code(codes_.data(), static_cast<std::ptrdiff_t>(i), code_bytes(output_.format));
  }

 private:
  std::optional<CodeVector> bias() const { return bias_ ? std::optional(vector_of(*bias_)) : std::nullopt; }

  io::Array a_, b_;
  std::optional<io::Array> bias_;
  ConvProblem problem_;
  mutable std::once_flag predicted_once_;
  mutable std::vector<std::byte> codes_;
};

class Convert : public Operation {
 public:
  Convert(io::Array a, const OutputSpec& output) : Operation(output), a_(std::move(a)) {
    for (const std::int64_t d : a_.shape) shape_.push_back(static_cast<std::size_t>(d));
    parameters_ = fmt::format("n={} a={}", a_.size(), a_.element.format().dtype);
  }

  // One rounding: unique, to the sign of a zero.
  ElementTruth truth(const Arithmetic&, std::size_t i, double) const override {
    const Spread x = spread_of(widened(exact_from_code(code(i), a_.element.format())));
    ElementTruth truth = truth_of(x, output_.epilogue, output_.format);
    truth.results.signed_zero = true;
    truth.results.negative_zero = x.exact.negative && output_.format.specials != Specials::fnuz;
    return truth;
  }
  std::uint64_t predicted(const Arithmetic&, std::size_t i) const override {
    return convert(code(i), a_.element.format(), output_.format,
                   {.rounding = output_.epilogue.rounding, .overflow = output_.epilogue.overflow})
        .code;
  }

 private:
  std::uint64_t code(std::size_t i) const { return a_.code(static_cast<std::int64_t>(i)); }
  io::Array a_;
};

}  // namespace

std::size_t Operation::size() const {
  std::size_t n = 1;
  for (const std::size_t d : shape_) n *= d;
  return n;
}

std::unique_ptr<const Operation> make_gemm(GemmOperands o, const OutputSpec& output) {
  return std::make_unique<Gemm>(std::move(o), output);
}
std::unique_ptr<const Operation> make_spmm(SpmmOperands o, const OutputSpec& output) {
  return std::make_unique<Spmm>(std::move(o), output);
}
std::unique_ptr<const Operation> make_sddmm(SddmmOperands o, const OutputSpec& output) {
  return std::make_unique<Sddmm>(std::move(o), output);
}
std::unique_ptr<const Operation> make_dot(DotOperands o, const OutputSpec& output) {
  return std::make_unique<Dot>(std::move(o), output);
}
std::unique_ptr<const Operation> make_reduce(ReduceOperands o, const OutputSpec& output) {
  return std::make_unique<Reduce>(std::move(o), output);
}
std::unique_ptr<const Operation> make_conv(ConvOperands o, const OutputSpec& output) {
  return std::make_unique<Conv>(std::move(o), output);
}
std::unique_ptr<const Operation> make_convert(io::Array a, const OutputSpec& output) {
  return std::make_unique<Convert>(std::move(a), output);
}

}  // namespace assay::cli
