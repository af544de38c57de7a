// D = activation(alpha op(A) op(B) + beta C + bias): matrices, stacks of them or vectors (A a row, B a column), with
// NumPy's rules: leading dimensions broadcast, and the result has no dimension for a vector.
#include <algorithm>
#include <utility>

#include "reference/core/parallel.hpp"
#include "reference/operations/dot_products.hpp"

namespace assay::operations {
namespace {

class Gemm : public DotProducts {
 public:
  Gemm(OperationInput in, const OutputSpec& output)
      : DotProducts(output),
        a_(std::move(in.a), in.transpose_a),
        b_(MatrixStack(std::move(in.b), in.transpose_b, VectorIs::column).with_dense_columns(columns_of_b_)),
        bias_(std::move(in.bias)),
        bias_along_(in.bias_along),
        c_first_(in.c_first) {
    m_ = a_.rows();
    n_ = b_.cols();
    const std::size_t k = a_.cols();
    if (b_.rows() != k) {
      mismatch(b_.array(),
               std::to_string(k) + " rows, as many as op(A) of " + a_.array().name + " has columns");
    }
    const std::optional<Batches> joined = a_.batches().joined(b_.batches());
    if (!joined) {
      mismatch(b_.array(), "a stack that goes with that of " + a_.array().name + ", shape " +
                               shape_text(a_.array().shape));
    }
    batches_ = *joined;
    shape_ = batches_.shape();
    if (!a_.is_vector()) shape_.push_back(m_);
    if (!b_.is_vector()) shape_.push_back(n_);
    if (in.c) take_c(std::move(*in.c));
    check_bias();
    std::string batch;
    for (const std::size_t d : batches_.shape())
      batch += (batch.empty() ? " batch=" : "x") + std::to_string(d);
    parameters_ = "m=" + std::to_string(m_) + " n=" + std::to_string(n_) + " k=" + std::to_string(k) + batch +
                  " " + formats_text(a_.format(), b_.format());
  }

 private:
  // Some rows of one matrix at a time, by GemmTruths where it asks the same question.
  bool truths(const Arithmetic& arithmetic, double factor, int threads, const Take& take,
              const std::function<void(double)>& progress) const override {
    const Epilogue& how = output_.epilogue;
    const bool starts = c_ && c_first_;
    if (starts && (c_->format() != arithmetic.info().accumulator || !arithmetic.accumulation())) return false;
    if ((!c_ && how.beta != 0) || how.rounding == Rounding::stochastic) return false;
    // Of many small matrices, outputs are shared out better than rows.
    if (batches_.count() > 1 && m_ * n_ < 1024) return false;
    constexpr std::size_t products_each_time = std::size_t{1} << 27;
    const std::size_t row_products = std::max<std::size_t>(n_ * a_.cols(), 1), all = batches_.count() * m_;
    const std::size_t rows = std::max(products_each_time / row_products, ExactGemm::tile_size);
    for (std::size_t batch = 0; m_ > 0 && n_ > 0 && batch < batches_.count(); ++batch) {
      GemmProblem problem{.a = a_.matrix(a_.batches().place(batch, batches_)),
                          .b = b_.matrix(b_.batches().place(batch, batches_))};
      problem.epilogue = how;
      if (c_) problem.c = c_->matrix(c_->batches().place(batch, batches_));
      if (starts) {
        problem.c_place = CPlace::starts_chain;
        problem.epilogue.beta = 1;  // which is how GemmProblem says it
      }
      if (bias_) problem.bias = bias_->codes();
      problem.bias_along = bias_along_;
      const GemmTruths truths(arithmetic, problem, output_.format, 0, factor, threads);
      for (std::size_t first = 0; first < m_; first += rows) {
        if (progress && batch * m_ + first > 0)
          progress(static_cast<double>(batch * m_ + first) / static_cast<double>(all));
        truths.rows(first, std::min(rows, m_ - first),
                    [&](std::size_t i, std::size_t j, const ElementTruth& truth) {
                      take((batch * m_ + i) * n_ + j, truth);
                    });
      }
    }
    return true;
  }

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
                         start_code(unit, terms_of(first + i, scratch)).value_or(0));
    }
    return starts;
  }

  void predict_rows(const Arithmetic& unit, const MutableCodeVector& codes, std::size_t batch,
                    std::size_t first_row, std::size_t rows) const {
    const std::size_t first = (batch * m_ + first_row) * n_, count = rows * n_;
    const bool direct = is_direct(unit, bias_.has_value());
    const FormatSpec& given = direct ? output_.format : unit.info().outputs.front();
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
      if (!direct) {
        Scratch scratch;
        const Terms t = terms_of(first + i, scratch);
        code = apply_epilogue(output_.epilogue, steps, {code, given}, t.c, t.bias, output_.format);
      }
      codes.set(first + i, code);
    });
  }

  // C has the shape of the result, or is a matrix or a stack that repeats.
  void take_c(ArrayView c) {
    if (c.shape == shape_ || (shape_.empty() && c.size() == 1)) {
      c.shape = batches_.shape();
      c.shape.push_back(m_);
      c.shape.push_back(n_);
    }
    if (c.shape.size() < 2) mismatch(c, "C of shape " + shape_text(shape_));
    c_.emplace(std::move(c), false);
    const std::optional<Batches> joined = c_->batches().joined(batches_);
    if (c_->rows() != m_ || c_->cols() != n_ || !joined || joined->shape() != batches_.shape()) {
      mismatch(c_->array(), "C of shape " + shape_text(shape_));
    }
  }
  void check_bias() const {
    if (!bias_) return;
    const bool columns = bias_along_ == BiasAlong::columns;
    const std::size_t wanted = columns ? n_ : m_;
    if (bias_->size() != wanted)
      mismatch(*bias_, std::to_string(wanted) + " values, one a " + (columns ? "column" : "row"));
  }
  Terms terms_of(std::size_t i, Scratch&) const override {
    const std::size_t batch = i / (m_ * n_), row = i / n_ % m_, col = i % n_;
    Terms t{.a = a_.matrix(a_.batches().place(batch, batches_)).row(row),
            .b = b_.matrix(b_.batches().place(batch, batches_)).column(col)};
    if (c_) {
      (c_first_ ? t.start : t.c) =
          Addend{c_->matrix(c_->batches().place(batch, batches_)).code(row, col), c_->format()};
    }
    t.bias = addend(bias_, bias_along_ == BiasAlong::columns ? col : row);
    return t;
  }

  std::vector<std::byte> columns_of_b_;  // where B is turned; before b_, which points into it
  MatrixStack a_, b_;
  std::optional<MatrixStack> c_;
  std::optional<ArrayView> bias_;
  BiasAlong bias_along_;
  bool c_first_;
  std::size_t m_ = 0, n_ = 0;
  Batches batches_;
};

}  // namespace

const OperationKind kind_of_gemm{
    .name = "gemm",
    .summary = "D = activation(alpha A B + beta C + bias); matrices, stacks of them, vectors",
    .reads =
        "b c bias bias-along alpha beta activation transpose-a transpose-b batch c-first epilogue "
        "a-scales b-scales a-tensor-scale b-tensor-scale",
    .has_b = true,
    .c = COperand::scaled,
    .make = [](OperationInput in, const OutputSpec& output) -> std::unique_ptr<Operation> {
      return std::make_unique<Gemm>(std::move(in), output);
    }};

}  // namespace assay::operations
