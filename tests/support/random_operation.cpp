#include "tests/support/random_operation.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "reference/exact/code_view.hpp"

namespace assay::oracle {
namespace {

using judge::OutputSpec;

// ---------------------------------------------------------------------------------------------------- formats

bool holds_format(const FormatSpec& wide, const FormatSpec& narrow) {
  return narrow.precision <= wide.precision && narrow.emin >= wide.emin &&
         narrow.emin - narrow.precision >= wide.emin - wide.precision && largest(narrow) <= largest(wide);
}

FormatSpec any_format(Dice& dice) {
  return *formats::all[static_cast<std::size_t>(dice.below(formats::all.size()))];
}

FormatSpec format_within(const FormatSpec& wide, Dice& dice) {
  if (dice.one_in(3)) return wide;
  for (;;) {
    const FormatSpec f = any_format(dice);
    if (holds_format(wide, f)) return f;
  }
}

Rounding any_rounding(Dice& dice, std::uint64_t nearest_of) {
  if (!dice.one_in(nearest_of)) return Rounding::nearest_even;
  return deterministic_roundings[static_cast<std::size_t>(dice.below(deterministic_roundings.size()))];
}

// ----------------------------------------------------------------------------------------------------- values

enum class Values : std::uint8_t {
  normal,
  small_integers,
  wide,
  subnormal,
  near_end,
  root_of_end,
  cancelling
};

std::uint64_t nearest_code(double x, const FormatSpec& f) {
  return code_of(number_of(x), f, Rounding::nearest_even, Overflow::saturate).value_or(0);
}

std::uint64_t random_code(const FormatSpec& f, Values values, bool specials, Dice& dice) {
  const std::uint64_t sign = dice.one_in(2) ? f.sign_code() : 0;
  if (specials && dice.one_in(5)) {
    const std::array<std::uint64_t, 4> codes{
        f.has_infinity() ? f.infinity_code() | sign : f.max_finite_code() | sign,
        f.has_nan() ? f.nan_code() : f.max_finite_code(), f.specials == Specials::fnuz ? 0 : sign,
        f.max_finite_code() | sign};
    return codes[static_cast<std::size_t>(dice.below(4))];
  }
  const auto bounded = [&](std::uint64_t magnitude) {
    return magnitude == 0 && f.specials == Specials::fnuz ? 0 : magnitude | sign;
  };
  switch (values) {
    case Values::normal: return nearest_code(dice.normal(), f);
    case Values::small_integers: return nearest_code(static_cast<double>(dice.below(17)) - 8, f);
    case Values::wide: return bounded(dice.below(f.max_finite_code() + 1));
    case Values::subnormal: return bounded(dice.below(2 * f.min_normal_code()));
    case Values::near_end: return bounded(f.max_finite_code() - dice.below(f.min_normal_code()));
    case Values::root_of_end: {
      // Products of two come near the largest number, or near the smallest.
      const int half = f.emax() / 2 + (dice.one_in(2) ? 1 : 0);
      return nearest_code(std::ldexp(dice.normal(), dice.one_in(4) ? -half - 2 : half), f);
    }
    case Values::cancelling: {
      const std::uint64_t magnitude = nearest_code(1.37, f);
      return magnitude + dice.below(3) < f.max_finite_code() ? bounded(magnitude + dice.below(3))
                                                             : bounded(magnitude);
    }
  }
  return 0;
}

io::Array array_of_zeros(const FormatSpec& f, io::Shape shape, std::string name) {
  io::Array array = io::make_array(f, std::move(shape));
  array.origin = std::move(name);
  return array;
}

void set(io::Array& array, std::size_t i, std::uint64_t code) {
  detail::store_code(array.bytes.data(), static_cast<std::ptrdiff_t>(i), array.element.bytes(), code);
}

Number at(const io::Array& array, std::size_t i) {
  return number_of(array.code(static_cast<std::int64_t>(i)), array.element.format());
}

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

// ------------------------------------------------------------------------------------------------- operations

class Maker {
 public:
  Maker(std::uint64_t seed, std::uint64_t number) : dice_(seed, number) {
    made_.text = fmt::format("seed={} number={}", seed, number);
    values_ = dice_.of({Values::normal, Values::normal, Values::small_integers, Values::wide,
                        Values::subnormal, Values::near_end, Values::root_of_end, Values::cancelling});
    specials_ = dice_.one_in(6);
  }

  RandomOperation operation() && {
    using Make = void (Maker::*)();
    const auto make =
        dice_.of({&Maker::gemm, &Maker::gemm, &Maker::gemm, &Maker::spmm, &Maker::sddmm, &Maker::dot,
                  &Maker::reduce, &Maker::conv, static_cast<Make>(&Maker::convert)});
    (this->*make)();
    return std::move(made_);
  }

 private:
  // Formats first: everything else is drawn to fit.
  void arithmetic() {
    made_.how.accumulator =
        dice_.of({formats::float32, formats::float32, formats::float32, formats::float32, formats::float64,
                  formats::float64, formats::float16, formats::bfloat16});
    made_.how.rounding = any_rounding(dice_, 4);
    a_format_ = format_within(made_.how.accumulator, dice_);
    b_format_ = dice_.one_in(2) ? a_format_ : format_within(made_.how.accumulator, dice_);
    add_text("accumulator={} mode={}", made_.how.accumulator.dtype, rounding_name(made_.how.rounding));
    output_format();
  }
  void output_format() {
    made_.output.format = dice_.one_in(3) ? made_.how.accumulator : any_format(dice_);
    made_.output.epilogue.rounding = any_rounding(dice_, 4);
    made_.output.epilogue.overflow = dice_.one_in(4) ? Overflow::saturate : Overflow::ieee;
    made_.output.epilogue.place = EpiloguePlace::anywhere;
    add_text("output={} rounding={} overflow={}", made_.output.format.dtype,
             rounding_name(made_.output.epilogue.rounding),
             made_.output.epilogue.overflow == Overflow::ieee ? "ieee" : "saturate");
  }

  template <class... Parts>
  void add_text(fmt::format_string<Parts...> form, Parts&&... parts) {
    made_.text += " " + fmt::format(form, std::forward<Parts>(parts)...);
  }
  void show(const io::Array& array) {
    made_.text += fmt::format("\n  {} {} {}", array.origin, array.element.name(), io::to_string(array.shape));
    for (std::int64_t i = 0; i < array.size(); ++i) made_.text += fmt::format(" {:#x}", array.code(i));
  }

  std::int64_t size(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(dice_.below(static_cast<std::uint64_t>(most - least + 1)));
  }
  std::int64_t depth() { return dice_.one_in(12) ? size(20, 60) : size(dice_.one_in(20) ? 0 : 1, 6); }

  io::Array random_array(const FormatSpec& f, io::Shape shape, std::string name) {
    io::Array array = array_of_zeros(f, std::move(shape), std::move(name));
    const Values values = dice_.one_in(4) ? Values::normal : values_;
    for (std::size_t i = 0; i < index(array.size()); ++i)
      set(array, i, random_code(f, values, specials_, dice_));
    return array;
  }

  double scalar(bool zero_too) {
    const double x =
        dice_.of({1.0, 1.0, 1.0, 1.0, -1.0, 0.5, 2.0, 0.75, 1e-3, -3.7, 1e-30, 1e20, zero_too ? 0.0 : 1.0});
    const FormatSpec& f = made_.how.accumulator;
    const Number y = number_of(nearest_code(x, f), f);
    return static_cast<double>(y.value);
  }

  void activation() {
    Epilogue& e = made_.output.epilogue;
    e.activation = dice_.of({Activation::none, Activation::none, Activation::none, Activation::relu,
                             Activation::relu_max, Activation::clip});
    if (e.activation == Activation::clip) {
      std::tie(e.low, e.high) = dice_.of({std::pair(-1.0, 1.0), std::pair(0.0, 6.0), std::pair(-448.0, 448.0),
                                          std::pair(-0.5, 0.375), std::pair(2.0, 2.0)});
      add_text("clip={}:{}", e.low, e.high);
    } else if (e.activation != Activation::none) {
      add_text("activation={}", e.activation == Activation::relu ? "relu" : "relu_max");
    }
  }

  Sum empty_sum() const {
    Sum s;
    s.accumulator = made_.how.accumulator;
    s.mode = made_.how.rounding;
    const Epilogue& e = made_.output.epilogue;
    s.alpha = number_of(e.alpha);
    s.activation = e.activation == Activation::none       ? Activate::nothing
                   : e.activation == Activation::relu     ? Activate::relu
                   : e.activation == Activation::relu_max ? Activate::relu_max
                                                          : Activate::clip;
    s.low = number_of(e.low);
    s.high = number_of(e.high);
    s.output = made_.output.format;
    s.output_rounding = e.rounding;
    s.overflow = e.overflow;
    return s;
  }

  void add_product(Sum& s, const Number& a, const Number& b) const {
    if (!s.alpha.is_zero()) s.leaves.push_back({.a = a, .b = b, .scaled = true});
  }
  void add_c(Sum& s, const Number& c) const {
    const Number beta = number_of(made_.output.epilogue.beta);
    if (beta.is_zero()) return;
    if (abs(beta.value) == 1) {
      s.leaves.push_back({.a = beta.negative ? negated(c) : c});
    } else {
      s.leaves.push_back({.a = beta, .b = c});
    }
  }

  // alpha, beta and the activation; C and bias of the sizes given, some of C so that the sum cancels.
  void scales(bool may_have_c) {
    made_.output.epilogue.alpha = scalar(true);
    has_c_ = may_have_c && dice_.one_in(2);
    made_.output.epilogue.beta = has_c_ ? scalar(true) : 0;
    add_text("alpha={} beta={}", made_.output.epilogue.alpha, made_.output.epilogue.beta);
    activation();
  }
  io::Array c_array(io::Shape shape) {
    io::Array c = random_array(format_within(made_.how.accumulator, dice_), std::move(shape), "c");
    const Number beta = number_of(made_.output.epilogue.beta);
    for (std::size_t i = 0; i < made_.sums.size(); ++i) {
      if (beta.is_zero() || !dice_.one_in(3)) continue;
      const Number rest = exact_sum(made_.sums[i]);
      if (!rest.is_finite()) continue;
      const auto code = code_of(finite(-rest.value / beta.value), c.element.format(), Rounding::nearest_even,
                                Overflow::saturate);
      set(c, i, code.value_or(0));
    }
    for (std::size_t i = 0; i < made_.sums.size(); ++i) add_c(made_.sums[i], at(c, i));
    show(c);
    return c;
  }
  io::Array bias_array(std::int64_t n) {
    return random_array(format_within(made_.how.accumulator, dice_), {n}, "bias");
  }
  void add_bias(Sum& s, const io::Array& bias, std::size_t i) const {
    s.leaves.push_back({.a = at(bias, i)});
  }

  // C and bias of a matrix of outputs, [batch] x m x n.
  template <class Operands>
  void matrix_addends(Operands& o, std::size_t m, std::size_t n, io::Shape c_shape) {
    if (dice_.one_in(3)) {
      const bool columns = dice_.one_in(2);
      o.bias = bias_array(static_cast<std::int64_t>(columns ? n : m));
      o.bias_along = columns ? BiasAlong::columns : BiasAlong::rows;
      add_text("bias along {}", columns ? "columns" : "rows");
      for (std::size_t i = 0; i < made_.sums.size(); ++i)
        add_bias(made_.sums[i], *o.bias, columns ? i % n : i / n % m);
      show(*o.bias);
    }
    if (has_c_) o.c = c_array(std::move(c_shape));
  }

  void gemm() {
    add_text("gemm");
    arithmetic();
    scales(true);
    const std::int64_t m = size(1, 3), n = size(1, 3), k = depth(), batches = dice_.one_in(6) ? 2 : 1;
    judge::Operands o{.a = {}, .b = {}, .c = {}, .bias = {}};
    o.transpose_a = dice_.one_in(4);
    o.transpose_b = dice_.one_in(4);
    const auto shape = [&](std::int64_t rows, std::int64_t cols, bool transposed) {
      io::Shape s = batches == 1 ? io::Shape{} : io::Shape{batches};
      s.insert(s.end(), {transposed ? cols : rows, transposed ? rows : cols});
      return s;
    };
    o.a = random_array(a_format_, shape(m, k, o.transpose_a), "a");
    o.b = random_array(b_format_, shape(k, n, o.transpose_b), "b");
    add_text("transposed={}{}", o.transpose_a ? "a" : "", o.transpose_b ? "b" : "");
    show(o.a);
    show(o.b);
    for (std::int64_t z = 0; z < batches; ++z) {
      for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          Sum s = empty_sum();
          for (std::int64_t l = 0; l < k; ++l) {
            add_product(s, at(o.a, index(z * m * k + (o.transpose_a ? l * m + i : i * k + l))),
                        at(o.b, index(z * k * n + (o.transpose_b ? j * k + l : l * n + j))));
          }
          made_.sums.push_back(std::move(s));
        }
      }
    }
    matrix_addends(o, index(m), index(n), shape(m, n, false));
    made_.operation = judge::make_operation(operations::kind_of_gemm, std::move(o), made_.output);
  }

  // Rows of random entries, some of them empty; repeated entries if `repeats`.
  io::SparseArray sparse(std::int64_t rows, std::int64_t cols, bool repeats) {
    io::SparseArray a;
    a.layout = io::SparseArray::Layout::csr;
    a.rows = rows;
    a.cols = cols;
    a.origin = "a";
    a.offsets.push_back(0);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < cols; ++j) {
        for (std::uint64_t copies = dice_.below(repeats ? 3 : 2); copies > 0; --copies)
          a.column_indices.push_back(static_cast<std::int32_t>(j));
      }
      a.offsets.push_back(static_cast<std::int64_t>(a.column_indices.size()));
    }
    a.values = random_array(a_format_, {static_cast<std::int64_t>(a.column_indices.size())}, "a");
    made_.text += fmt::format("\n  a csr {} x {} offsets", rows, cols);
    for (const std::int64_t x : a.offsets) made_.text += fmt::format(" {}", x);
    made_.text += " columns";
    for (const std::int64_t x : a.column_indices) made_.text += fmt::format(" {}", x);
    show(a.values);
    return a;
  }

  void spmm() {
    add_text("spmm");
    arithmetic();
    scales(true);
    const std::int64_t m = size(1, 3), n = size(1, 3), k = size(1, 5);
    judge::Operands o{
        .sparse = sparse(m, k, true), .b = random_array(b_format_, {k, n}, "b"), .c = {}, .bias = {}};
    show(o.b);
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        Sum s = empty_sum();
        for (std::int64_t e = o.sparse->offsets[index(i)]; e < o.sparse->offsets[index(i + 1)]; ++e) {
          add_product(s, at(o.sparse->values, index(e)),
                      at(o.b, index(o.sparse->column_indices[index(e)] * n + j)));
        }
        made_.sums.push_back(std::move(s));
      }
    }
    matrix_addends(o, index(m), index(n), {m, n});
    made_.operation = judge::make_operation(operations::kind_of_spmm, std::move(o), made_.output);
  }

  void sddmm() {
    add_text("sddmm");
    arithmetic();
    scales(true);
    const std::int64_t m = size(1, 3), n = size(1, 4), k = depth();
    judge::Operands o{.sparse = sparse(m, n, false),
                      .a = random_array(a_format_, {m, k}, "a"),
                      .b = random_array(b_format_, {k, n}, "b"),
                      .c = {}};
    show(o.a);
    show(o.b);
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t e = o.sparse->offsets[index(i)]; e < o.sparse->offsets[index(i + 1)]; ++e) {
        Sum s = empty_sum();
        const std::int64_t j = o.sparse->column_indices[index(e)];
        for (std::int64_t l = 0; l < k; ++l)
          add_product(s, at(o.a, index(i * k + l)), at(o.b, index(l * n + j)));
        made_.sums.push_back(std::move(s));
      }
    }
    if (has_c_) o.c = c_array({static_cast<std::int64_t>(made_.sums.size())});
    made_.operation = judge::make_operation(operations::kind_of_sddmm, std::move(o), made_.output);
  }

  void dot() {
    add_text("dot");
    arithmetic();
    const std::int64_t n = size(1, 4), k = depth();
    judge::Operands o{
        .a = random_array(a_format_, {n, k}, "a"), .b = random_array(b_format_, {n, k}, "b"), .c = {}};
    show(o.a);
    show(o.b);
    for (std::int64_t i = 0; i < n; ++i) {
      Sum s = empty_sum();
      for (std::int64_t l = 0; l < k; ++l)
        add_product(s, at(o.a, index(i * k + l)), at(o.b, index(i * k + l)));
      made_.sums.push_back(std::move(s));
    }
    if (dice_.one_in(2)) {
      o.c = random_array(format_within(made_.how.accumulator, dice_), {n}, "c");
      for (std::int64_t i = 0; i < n; ++i) made_.sums[index(i)].leaves.push_back({.a = at(*o.c, index(i))});
      show(*o.c);
    }
    made_.operation = judge::make_operation(operations::kind_of_dot, std::move(o), made_.output);
  }

  void reduce() {
    arithmetic();
    const Reduction kind =
        dice_.of({Reduction::sum, Reduction::sum, Reduction::mean, Reduction::sum_squares,
                  Reduction::sum_magnitudes, Reduction::max, Reduction::min, Reduction::max_magnitude});
    constexpr std::array<std::string_view, 7> names{"sum", "mean", "sum_squares",  "sum_magnitudes",
                                                    "max", "min",  "max_magnitude"};
    add_text("reduce {}", names[static_cast<std::size_t>(kind)]);
    const std::int64_t n = size(1, 4), length = std::max<std::int64_t>(depth(), 1);
    const bool columns = dice_.one_in(2);
    judge::Operands o{
        .a = random_array(a_format_, columns ? io::Shape{length, n} : io::Shape{n, length}, "a"), .axis = {}};
    o.reduction = kind;
    o.axis = columns ? 0 : 1;
    add_text("axis={}", *o.axis);
    show(o.a);
    for (std::int64_t i = 0; i < n; ++i) {
      Sum s = empty_sum();
      for (std::int64_t l = 0; l < length; ++l)
        reduced(s, kind, at(o.a, index(columns ? l * n + i : i * length + l)));
      if (kind == Reduction::mean) s.divisor = length;
      made_.sums.push_back(std::move(s));
    }
    made_.operation = judge::make_operation(operations::kind_of_reduce, std::move(o), made_.output);
  }

  // One element more.
  static void reduced(Sum& s, Reduction kind, const Number& x) {
    Number size = x;
    if (size.negative && !size.is_nan()) size = negated(size);
    switch (kind) {
      case Reduction::sum:
      case Reduction::mean: s.leaves.push_back({.a = x}); return;
      case Reduction::sum_squares: s.leaves.push_back({.a = x, .b = x}); return;
      case Reduction::sum_magnitudes: s.leaves.push_back({.a = size}); return;
      case Reduction::max:
      case Reduction::min:
      case Reduction::max_magnitude: break;
    }
    const Number& y = kind == Reduction::max_magnitude ? size : x;
    if (s.leaves.empty()) {
      s.leaves.push_back({.a = y});
      return;
    }
    Number& best = s.leaves.front().a;
    if (best.is_nan()) return;
    if (y.is_nan() || (kind == Reduction::min ? compare(y, best) < 0 : compare(y, best) > 0)) best = y;
  }

  void conv() {
    add_text("conv");
    arithmetic();
    scales(false);
    ConvProblem p;
    p.groups = index(size(1, 2));
    const std::int64_t per_group = size(1, 2), channels = per_group * static_cast<std::int64_t>(p.groups),
                       outputs = static_cast<std::int64_t>(p.groups) * size(1, 2);
    const std::int64_t kernel = size(1, 2), pad = size(0, 1), dilation = size(1, 2), stride = size(1, 2);
    const std::int64_t height = dilation * (kernel - 1) + size(1, 2),
                       width = dilation * (kernel - 1) + size(1, 2);
    p.stride_height = p.stride_width = index(stride);
    p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = index(pad);
    p.dilation_height = p.dilation_width = index(dilation);
    p.layout = dice_.one_in(2) ? ImageLayout::nchw : ImageLayout::nhwc;
    p.padding = dice_.one_in(2) ? Padding::zeros : Padding::absent;
    p.epilogue = made_.output.epilogue;
    const bool nchw = p.layout == ImageLayout::nchw;
    add_text("groups={} stride={} pad={} dilation={} {} padding {}", p.groups, stride, pad, dilation,
             nchw ? "nchw" : "nhwc", p.padding == Padding::zeros ? "zeros" : "absent");
    judge::Operands o{
        .a = random_array(
            a_format_, nchw ? io::Shape{1, channels, height, width} : io::Shape{1, height, width, channels},
            "a"),
        .b = random_array(b_format_,
                          nchw ? io::Shape{outputs, per_group, kernel, kernel}
                               : io::Shape{outputs, kernel, kernel, per_group},
                          "b"),
        .bias = {},
        .conv = p};
    if (dice_.one_in(2)) o.bias = bias_array(outputs);
    show(o.a);
    show(o.b);
    if (o.bias) show(*o.bias);
    const std::int64_t reach = dilation * (kernel - 1) + 1;
    const std::int64_t out_height = (height + 2 * pad - reach) / stride + 1,
                       out_width = (width + 2 * pad - reach) / stride + 1;
    const auto output_sum = [&](std::int64_t out, std::int64_t row, std::int64_t col) {
      Sum s = empty_sum();
      const std::int64_t group = out / (outputs / static_cast<std::int64_t>(p.groups));
      for (std::int64_t c = 0; c < per_group; ++c) {
        for (std::int64_t r = 0; r < kernel; ++r) {
          for (std::int64_t t = 0; t < kernel; ++t) {
            const std::int64_t y = row * stride - pad + r * dilation, x = col * stride - pad + t * dilation;
            const std::int64_t channel = group * per_group + c;
            const Number weight = at(o.b, index(nchw ? ((out * per_group + c) * kernel + r) * kernel + t
                                                     : ((out * kernel + r) * kernel + t) * per_group + c));
            if (y < 0 || y >= height || x < 0 || x >= width) {
              if (p.padding == Padding::zeros) add_product(s, finite(0), weight);
              continue;
            }
            add_product(s,
                        at(o.a, index(nchw ? (channel * height + y) * width + x
                                           : (y * width + x) * channels + channel)),
                        weight);
          }
        }
      }
      if (o.bias) add_bias(s, *o.bias, index(out));
      made_.sums.push_back(std::move(s));
    };
    if (nchw) {
      for (std::int64_t out = 0; out < outputs; ++out)
        for (std::int64_t row = 0; row < out_height; ++row)
          for (std::int64_t col = 0; col < out_width; ++col) output_sum(out, row, col);
    } else {
      for (std::int64_t row = 0; row < out_height; ++row)
        for (std::int64_t col = 0; col < out_width; ++col)
          for (std::int64_t out = 0; out < outputs; ++out) output_sum(out, row, col);
    }
    made_.operation = judge::make_operation(operations::kind_of_conv, std::move(o), made_.output);
  }

  void convert() {
    add_text("convert");
    output_format();
    made_.output.format = any_format(dice_);
    add_text("output={}", made_.output.format.dtype);
    io::Array a = random_array(any_format(dice_), {size(1, 8)}, "a");
    show(a);
    for (std::size_t i = 0; i < index(a.size()); ++i) {
      Sum s = empty_sum();
      s.accumulator = a.element.format();
      s.mode = Rounding::nearest_even;
      s.signed_zero = true;
      s.leaves.push_back({.a = at(a, i)});
      made_.sums.push_back(std::move(s));
    }
    made_.operation = judge::make_operation(operations::kind_of_convert, {.a = std::move(a)}, made_.output);
  }

  Dice dice_;
  RandomOperation made_;
  Values values_ = Values::normal;
  bool specials_ = false, has_c_ = false;
  FormatSpec a_format_ = formats::float32, b_format_ = formats::float32;
};

}  // namespace

RandomOperation random_operation(std::uint64_t seed, std::uint64_t number) {
  return Maker(seed, number).operation();
}

}  // namespace assay::oracle
