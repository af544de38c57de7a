// assay check: computes what an operation on arrays should give, and judges somebody's output by it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "reference/formats/decimal.hpp"
#include "reference/formats/rounding.hpp"
#include "validation/cli/any_order.hpp"
#include "validation/cli/check_answer.hpp"
#include "validation/cli/check_operation.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/comparison_command.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/progress_line.hpp"
#include "validation/cli/sum_order.hpp"
#include "validation/cli/unit_command.hpp"
#include "validation/diagnose/reveal/revealed.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string operation;
  std::string a, b, c, got, bias, mask, stale;
  std::string format, a_format, b_format, c_format, got_format, bias_format;
  std::string alpha = "1", beta, activation = "none", bias_along = "columns", layout = "row", rounding,
              overflow = "ieee", epilogue = "anywhere";
  bool transpose_a = false, transpose_b = false, c_first = false, expects_zero = false;
  std::optional<std::size_t> batch;
  std::optional<std::uint64_t> sample;
  std::uint64_t seed = 1;
  std::string unit, accumulator, product, order = "any", mode = "nearest-even";
  ScaleOptions scales;
  bool flush = false;
  std::string reduction = "sum", nan = "propagate";
  std::optional<int> axis;
  std::vector<std::size_t> stride{1}, pad{0}, dilation{1};
  std::size_t groups = 1;
  std::string image_layout = "nchw", padding = "zeros";
  PolicyOptions policy;
  RawOptions raw;
  std::map<std::string, RawOptions, std::less<>> own_raw;  // by operand: "--a"
  ShowOptions show;
};

constexpr auto operations =
    std::to_array<std::string_view>({"gemm", "spmm", "sddmm", "conv", "reduce", "dot", "sum", "convert"});

// --- what was typed ----------------------------------------------------------------------------------------

template <class Value, std::size_t N>
Value choice(std::string_view option, std::string_view typed,
             const std::array<std::pair<std::string_view, Value>, N>& known) {
  std::vector<std::string> names;
  for (const auto& [name, value] : known) {
    if (typed == name) return value;
    names.emplace_back(name);
  }
  throw unknown_name(option, "a known name", typed, names);
}

Reduction parse_reduction(std::string_view typed) {
  return choice(
      "--operation", typed,
      std::to_array<std::pair<std::string_view, Reduction>>({{"sum", Reduction::sum},
                                                             {"mean", Reduction::mean},
                                                             {"sum_squares", Reduction::sum_squares},
                                                             {"sum_magnitudes", Reduction::sum_magnitudes},
                                                             {"max", Reduction::max},
                                                             {"min", Reduction::min},
                                                             {"max_magnitude", Reduction::max_magnitude}}));
}

// A number as a program's literal would be: rounded once into the format of the sums. One that ends as infinity or zero
// there would ask another question.
double parse_scalar(std::string_view option, std::string_view typed, const FormatSpec& f) {
  const auto refused = [&](std::string expected) {
    return InputError(std::string(option), "", std::move(expected), quoted(typed));
  };
  constexpr const char* number = "a finite number, decimal or C99 hexadecimal";
  ExactValue<Wide> x;
  try {
    x = parse_number(typed);
  } catch (const InputError&) {
    throw refused(number);
  }
  if (x.kind != Kind::finite) throw refused(number);
  const Encoded rounded = encode(x, f);
  if (rounded.overflow || !f.is_finite(rounded.code)) {
    throw refused(fmt::format("a number within the range of {}, the format of the sums: up to {:.4g}",
                              f.dtype, decode(f.max_finite_code(), f)));
  }
  const double value = decode(rounded.code, f);
  if (value == 0 && !x.is_zero())
    throw refused(fmt::format("a number that {}, the format of the sums, does not round to zero", f.dtype));
  return value;
}

void parse_activation(const std::string& typed, const FormatSpec& f, Epilogue& epilogue) {
  if (typed == "none") return;
  if (typed == "relu" || typed == "relu-max") {
    epilogue.activation = typed == "relu" ? Activation::relu : Activation::relu_max;
    return;
  }
  constexpr std::string_view clip = "clip:";
  const std::size_t colon = typed.find(':', clip.size());
  if (!typed.starts_with(clip) || colon == std::string::npos) {
    throw InputError("--activation", "", "none, relu, relu-max or clip:LOW:HIGH", quoted(typed));
  }
  epilogue.activation = Activation::clip;
  epilogue.low = parse_scalar("--activation", typed.substr(clip.size(), colon - clip.size()), f);
  epilogue.high = parse_scalar("--activation", typed.substr(colon + 1), f);
  if (epilogue.low > epilogue.high)
    throw InputError("--activation", "", "a low limit that is no higher than the high one", quoted(typed));
}

// --- operands ----------------------------------------------------------------------------------------------

// Matrices that lie column by column in a file whose header says otherwise, or that has none.
io::Array by_rows(io::Array array) {
  if (array.shape.size() < 2 || array.file_order == io::Order::column_major) return array;
  const std::size_t rows = static_cast<std::size_t>(array.shape[array.shape.size() - 2]);
  const std::size_t cols = static_cast<std::size_t>(array.shape.back());
  io::Array turned = io::make_array(array.element, array.shape);
  turned.origin = array.origin;
  turned.metadata = array.metadata;
  const std::size_t bytes = array.element.bytes(), n = static_cast<std::size_t>(array.size());
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t within = i % (rows * cols);
    const std::size_t src = i - within + within % cols * rows + within / cols;
    std::copy_n(array.bytes.begin() + static_cast<std::ptrdiff_t>(src * bytes), bytes,
                turned.bytes.begin() + static_cast<std::ptrdiff_t>(i * bytes));
  }
  return turned;
}

class Operands {
 public:
  explicit Operands(const Options& o) : o_(o) {}

  io::Array dense(std::string_view option, const std::string& path, const std::string& format) const {
    io::AnyArray any = read(option, path, format);
    if (std::holds_alternative<io::SparseArray>(any)) {
      throw InputError(path, "", fmt::format("a dense array ({}); a sparse A is for spmm", option),
                       "a sparse one");
    }
    return arranged(std::get<io::Array>(std::move(any)));
  }
  io::SparseArray sparse(std::string_view option, const std::string& path, const std::string& format) const {
    io::AnyArray any = read(option, path, format);
    if (std::holds_alternative<io::Array>(any)) {
      throw InputError(path, "",
                       fmt::format("a sparse array ({}): SciPy's npz or Matrix Market coordinates", option),
                       "a dense one");
    }
    io::SparseArray array = std::get<io::SparseArray>(std::move(any));
    array.values = floating(std::move(array.values));
    return array;
  }
  // The values of a sparse array in the order of its rows, or a dense array as it is.
  io::Array values(std::string_view option, const std::string& path, const std::string& format,
                   const io::SparseArray& mask) const {
    io::AnyArray any = read(option, path, format);
    if (std::holds_alternative<io::Array>(any)) return arranged(std::get<io::Array>(std::move(any)));
    const io::SparseArray csr = io::to_csr(std::get<io::SparseArray>(any)), pattern = io::to_csr(mask);
    check_entries(path, csr, pattern, mask.origin);
    io::Array array = floating(io::Array(csr.values));
    array.origin = path;
    return array;
  }
  std::optional<io::Array> optional_dense(std::string_view option, const std::string& path,
                                          const std::string& format) const {
    if (path.empty()) return std::nullopt;
    return dense(option, path, format);
  }

 private:
  // Both as CSR: the first place where they differ.
  static void check_entries(const std::string& path, const io::SparseArray& csr, const io::SparseArray& mask,
                            const std::string& origin) {
    const std::string expected = "the entries of " + origin + ", in its order: ";
    const auto shape = [](const io::SparseArray& x) { return fmt::format("{} x {}", x.rows, x.cols); };
    if (csr.rows != mask.rows || csr.cols != mask.cols)
      throw InputError(path, "", expected + shape(mask), shape(csr));
    for (std::size_t row = 0; row < static_cast<std::size_t>(mask.rows); ++row) {
      const auto begin = mask.offsets[row], end = mask.offsets[row + 1];
      const auto found_end = csr.offsets[row + 1];
      const auto common = std::min(end, found_end);
      for (auto e = begin; e < common; ++e) {
        const auto wanted = mask.column_indices[static_cast<std::size_t>(e)],
                   found = csr.column_indices[static_cast<std::size_t>(e)];
        if (found == wanted) continue;
        throw InputError(path, fmt::format("row {}, entry {} of it", row, e - begin),
                         fmt::format("{}column {}", expected, wanted), fmt::format("column {}", found));
      }
      if (end != found_end) {
        throw InputError(path, fmt::format("row {}", row),
                         fmt::format("{}{} in the row", expected, end - begin),
                         fmt::format("{}", found_end - begin));
      }
    }
  }
  io::AnyArray read(std::string_view option, const std::string& path, const std::string& format) const {
    if (path.empty()) throw InputError("check " + o_.operation, "", fmt::format("{} FILE", option), "none");
    check_format(format.empty() ? "--format" : fmt::format("{}-format", option),
                 format.empty() ? o_.format : format);
    return read_operand(path, format.empty() ? o_.format : format, raw(option, path));
  }
  // What was said of every file without a header, and of this one.
  RawOptions raw(std::string_view option, const std::string& path) const {
    RawOptions all = o_.raw;
    const auto own = o_.own_raw.find(option == "--stale" ? "--got" : option);
    if (own == o_.own_raw.end()) return all;
    for (const auto& [typed, name, value, said] :
         {std::tuple(&own->second.dtype, &own->second.dtype_option, &all.dtype, &all.dtype_option),
          std::tuple(&own->second.shape, &own->second.shape_option, &all.shape, &all.shape_option)}) {
      if (typed->empty()) continue;
      if (!is_raw_name(path)) throw InputError(*name, "", "a file without a header", path);
      *value = *typed;
      *said = *name;
    }
    return all;
  }
  static io::Array floating(io::Array&& array) {
    if (!array.element.is_floating()) {
      throw InputError(array.origin, "",
                       "floating-point values, or codes with their format (--format, --a-format, ...)",
                       array.element.name());
    }
    return std::move(array);
  }
  io::Array arranged(io::Array&& array) const {
    io::Array values = floating(std::move(array));
    return o_.layout == "column" ? by_rows(std::move(values)) : values;
  }
  const Options& o_;
};

// --- the question ------------------------------------------------------------------------------------------

// Extremes are not summed, and sums have no choice about NaN.
void refuse_unused_by_reduction(const Options& o, const CLI::App& app) {
  const Reduction kind = parse_reduction(o.reduction);
  const bool extreme = kind == Reduction::max || kind == Reduction::min || kind == Reduction::max_magnitude;
  const auto refuse = [&](const char* option, const char* expected) {
    if (app.get_option(option)->count() > 0)
      throw InputError(option, "", expected, "--operation " + o.reduction);
  };
  if (!extreme) refuse("--nan", "--operation max, min or max_magnitude");
  if (!extreme) return;
  for (const char* option : {"--unit", "--acc", "--order", "--product", "--flush", "--mode"})
    refuse(option, "an --operation that sums");
}

// What an option is for: it is an error where nothing looks at it.
void refuse_unused(const Options& o, const CLI::App& app) {
  struct Use {
    std::string_view option, operations;
  };
  constexpr auto uses = std::to_array<Use>({
      {"--b", "gemm spmm sddmm conv dot"},
      {"--c", "gemm spmm sddmm dot"},
      {"--mask", "sddmm"},
      {"--bias", "gemm spmm conv"},
      {"--bias-along", "gemm spmm"},
      {"--alpha", "gemm spmm sddmm conv"},
      {"--beta", "gemm spmm sddmm"},
      {"--activation", "gemm spmm sddmm conv"},
      {"--transpose-a", "gemm spmm sddmm"},
      {"--transpose-b", "gemm spmm sddmm"},
      {"--batch", "gemm"},
      {"--c-first", "gemm"},
      {"--epilogue", "gemm spmm sddmm conv"},
      {"--operation", "reduce"},
      {"--nan", "reduce"},
      {"--axis", "reduce sum"},
      {"--stride", "conv"},
      {"--pad", "conv"},
      {"--dilation", "conv"},
      {"--groups", "conv"},
      {"--image-layout", "conv"},
      {"--padding", "conv"},
      {"--a-scales", "gemm dot"},
      {"--b-scales", "gemm dot"},
      {"--a-tensor-scale", "gemm dot"},
      {"--b-tensor-scale", "gemm dot"},
      {"--unit", "gemm spmm sddmm conv reduce dot sum"},
      {"--acc", "gemm spmm sddmm conv reduce dot sum"},
      {"--order", "gemm spmm sddmm conv reduce dot sum"},
      {"--product", "gemm spmm sddmm conv reduce dot sum"},
      {"--flush", "gemm spmm sddmm conv reduce dot sum"},
      {"--mode", "gemm spmm sddmm conv reduce dot sum"},
  });
  for (const Use& use : uses) {
    if (app.get_option(std::string(use.option))->count() == 0) continue;
    // " sum " so that sum is not found in sum_squares.
    if (fmt::format(" {} ", use.operations).find(fmt::format(" {} ", o.operation)) != std::string::npos)
      continue;
    throw InputError(std::string(use.option), "", fmt::format("one of {}", use.operations),
                     "check " + o.operation);
  }
  refuse_alone(app, {{"--b-format", "--b"},
                     {"--b-dtype", "--b"},
                     {"--b-shape", "--b"},
                     {"--c-format", "--c"},
                     {"--c-dtype", "--c"},
                     {"--c-shape", "--c"},
                     {"--bias-format", "--bias"},
                     {"--bias-dtype", "--bias"},
                     {"--bias-shape", "--bias"},
                     {"--bias-along", "--bias"},
                     {"--seed", "--sample"}});
  refuse_unused_raw(o.raw, {o.a, o.b, o.c, o.got, o.bias, o.mask, o.stale});
  if (o.operation == "reduce") refuse_unused_by_reduction(o, app);
  if (o.unit.empty()) {
    for (const char* option : {"--a-scales", "--b-scales", "--a-tensor-scale", "--b-tensor-scale"}) {
      if (app.get_option(option)->count() > 0)
        throw InputError(option, "", "--unit NAME, which reads scales of blocks", "none");
    }
  } else {
    for (const char* option : {"--acc", "--order", "--product", "--flush", "--mode", "--epilogue"}) {
      if (app.get_option(option)->count() > 0)
        throw InputError(option, "", "no --unit: the unit says it", "--unit " + o.unit);
    }
  }
}

bool is_double(const io::Array& array) { return array.element == io::ElementType(formats::float64); }

// What sums are taken in if nobody says: float32, or float64 where an operand or the output has it.
FormatSpec default_accumulator(std::initializer_list<const io::Array*> arrays) {
  for (const io::Array* array : arrays) {
    if (array != nullptr && is_double(*array)) return formats::float64;
  }
  return formats::float32;
}

struct Question {
  std::unique_ptr<const Operation> operation;
  io::Array got;
  OutputSpec output;
  Accumulation how;           // where no unit was named
  std::string arguments;      // what changes the result beside the operands: " bias=float32 alpha=2"
  bool wide_operand = false;  // float64 stands in an operand, and not in the output
  FormatSpec a{}, b{};        // of the operands
};

Accumulation accumulation_of(const Options& o, const FormatSpec& otherwise) {
  Accumulation how;
  how.accumulator =
      o.accumulator.empty() ? otherwise : typed_for("--acc", [&] { return parse_format(o.accumulator); });
  if (!o.product.empty() && o.product != "fused") {
    how.product = typed_for("--product", [&] {
      try {
        return parse_format(o.product);
      } catch (const InputError& e) {
        throw InputError("", "", "fused, or " + e.expected(), e.found());
      }
    });
  }
  how.rounding = typed_for("--mode", [&] { return parse_rounding(o.mode); });
  how.flush = o.flush;
  how.tree = parse_order(o.order);
  return how;
}

double beta_of(const Options& o, const FormatSpec& f) {
  if (!o.beta.empty()) {
    const double beta = parse_scalar("--beta", o.beta, f);
    if (beta != 0 && o.c.empty()) throw InputError("--beta", "", "--c FILE", "none");
    return beta;
  }
  return o.c.empty() ? 0 : 1;
}

std::pair<std::size_t, std::size_t> both(std::string_view option, const std::vector<std::size_t>& typed) {
  if (typed.empty() || typed.size() > 2)
    throw InputError(std::string(option), "", "one number, or two (rows columns)",
                     std::to_string(typed.size()));
  return {typed.front(), typed.back()};
}

ConvProblem conv_problem(const Options& o) {
  ConvProblem p;
  std::tie(p.stride_height, p.stride_width) = both("--stride", o.stride);
  std::tie(p.pad_top, p.pad_left) = both("--pad", o.pad);
  p.pad_bottom = p.pad_top;
  p.pad_right = p.pad_left;
  std::tie(p.dilation_height, p.dilation_width) = both("--dilation", o.dilation);
  for (const std::size_t n :
       {p.stride_height, p.stride_width, p.dilation_height, p.dilation_width, o.groups}) {
    if (n == 0) throw InputError("check conv", "", "strides, dilations and groups of 1 and more", "0");
  }
  p.groups = o.groups;
  p.layout = choice("--image-layout", o.image_layout,
                    std::to_array<std::pair<std::string_view, ImageLayout>>(
                        {{"nchw", ImageLayout::nchw}, {"nhwc", ImageLayout::nhwc}}));
  p.padding = choice("--padding", o.padding,
                     std::to_array<std::pair<std::string_view, Padding>>(
                         {{"zeros", Padding::zeros}, {"absent", Padding::absent}}));
  return p;
}

// Everything typed that changes what is right, for the name of the case; defaults are left out.
std::string arguments_text(const Options& o, const Epilogue& e, const std::optional<io::Array>& c,
                           const std::optional<io::Array>& bias) {
  const Options standard;
  std::string text;
  const auto add = [&](std::string_view key, std::string_view value) {
    text += fmt::format(" {}={}", key, value);
  };
  const auto add_typed = [&](std::string_view key, const std::string& typed, const std::string& otherwise) {
    if (typed != otherwise) add(key, typed);
  };
  if (o.transpose_a || o.transpose_b)
    add("transpose", o.transpose_a && o.transpose_b ? "a,b" : o.transpose_a ? "a" : "b");
  add_typed("layout", o.layout, standard.layout);
  for (const auto& [key, typed] : {std::pair("a-scales", &o.scales.a), std::pair("b-scales", &o.scales.b)}) {
    if (!typed->empty()) add(key, "yes");
  }
  add_typed("a-tensor-scale", o.scales.a_tensor, "");
  add_typed("b-tensor-scale", o.scales.b_tensor, "");
  if (e.alpha != 1) add("alpha", o.alpha);
  if (c) add("c", c->element.name());
  if (c && !o.beta.empty()) add("beta", o.beta);
  if (o.c_first) add("c-first", "yes");
  if (bias) add("bias", bias->element.name());
  if (bias) add_typed("bias-along", o.bias_along, standard.bias_along);
  add_typed("activation", o.activation, standard.activation);
  if (o.axis) add("axis", std::to_string(*o.axis));
  add_typed("nan", o.nan, standard.nan);
  add_typed("order", o.order, standard.order);
  add_typed("product", o.product == "fused" ? "" : o.product, standard.product);
  add_typed("mode", o.mode, standard.mode);
  if (o.flush) add("flush", "yes");
  add_typed("rounding", o.rounding, standard.rounding);
  add_typed("epilogue", o.epilogue, standard.epilogue);
  add_typed("overflow", o.overflow, standard.overflow);
  return text;
}

// A revealed matrix product has its alpha and beta in itself: a second time, or a C beside it, would be another
// product.
void check_own_scaling(const Options& o, const OwnScaling& scaling) {
  const std::string text = diagnose::describe(scaling);
  if (o.operation == "reduce") {
    throw InputError("--unit", "",
                     "a sum: " + o.unit + " has more in it (" + text + "); `check sum` takes it", "reduce");
  }
  if (o.alpha != "1" || !o.beta.empty()) {
    throw InputError("--alpha, --beta", "", "none beside --unit " + o.unit + ", which has its own: " + text,
                     fmt::format("alpha {}{}", o.alpha, o.beta.empty() ? "" : ", beta " + o.beta));
  }
  if (o.c.empty() && scaling.beta.value_or(0) != 0)
    throw InputError("--c", "", "the C that --unit " + o.unit + " adds: " + text, "none");
  if (!o.c.empty() && !o.c_first)
    throw InputError("--c", "", "--c-first with it: --unit " + o.unit + " adds C itself, " + text, "none");
}

// The sums' own rounding, where it is the last that a result sees: the output has their format, and no step of an
// epilogue, division or extreme comes between.
std::optional<Rounding> rounding_of_last_sum(const Options& o, const Question& q, bool steps) {
  const bool sums = o.operation != "convert" && (o.operation != "reduce" || o.reduction.starts_with("sum"));
  const auto how = o.unit.empty() ? q.how : find_arithmetic(o.unit, "--unit").accumulation();
  if (!sums || steps || !how || q.output.format != how->accumulator || how->rounding == Rounding::stochastic)
    return std::nullopt;
  return how->rounding;
}

// `steps`: alpha, C or bias join after the sum. `by_bound`: it is the bound that decides.
Rounding output_rounding(const Options& o, const Question& q, bool steps, bool by_bound) {
  const std::optional<Rounding> last = rounding_of_last_sum(o, q, steps);
  if (!o.rounding.empty()) {
    const Rounding typed = typed_for("--rounding", [&] { return parse_rounding(o.rounding); });
    if (by_bound && last && *last != typed) {
      throw InputError("--rounding", "",
                       fmt::format("{}, by which the sums are rounded ({}): the output has their format, and "
                                   "nothing rounds it again",
                                   rounding_name(*last), o.unit.empty() ? "--mode" : "--unit " + o.unit),
                       o.rounding);
    }
    return typed;
  }
  if (last) return *last;
  const bool own = o.unit.empty() && o.operation != "convert" && q.output.format == q.how.accumulator;
  return own && q.how.rounding != Rounding::stochastic ? q.how.rounding : Rounding::nearest_even;
}

Question question(const Options& o, bool by_bound) {
  const Operands in(o);
  const std::string_view op = o.operation;
  Question q;
  std::optional<io::SparseArray> sparse;
  std::optional<io::Array> a, b, c;
  std::optional<io::Scales> a_scales, b_scales;
  if (op == "spmm") {
    sparse = in.sparse("--a", o.a, o.a_format);
  } else {
    a = in.dense("--a", o.a, o.a_format);
  }
  if (op != "reduce" && op != "sum" && op != "convert") b = in.dense("--b", o.b, o.b_format);
  if (op == "sddmm") {
    sparse = in.sparse("--mask", o.mask, "");
    if (!o.c.empty()) c = in.values("--c", o.c, o.c_format, *sparse);
    q.got = in.values("--got", o.got, o.got_format, *sparse);
  } else {
    c = in.optional_dense("--c", o.c, o.c_format);
    q.got = in.dense("--got", o.got, o.got_format);
  }
  std::optional<io::Array> bias = in.optional_dense("--bias", o.bias, o.bias_format);
  if (!o.unit.empty()) {
    // A unit reads formats of its own; values that are its formats' too may come in others.
    const ArithmeticInfo& info = find_arithmetic(o.unit, "--unit").info();
    if (info.scaling) check_own_scaling(o, *info.scaling);
    io::Array& first = a ? *a : sparse->values;
    const auto [fa, fb] =
        input_formats(info, first.element.format(), b ? b->element.format() : first.element.format());
    first = fitted(std::move(first), fa, false, info);
    if (b) b = fitted(std::move(*b), fb, false, info);
    const bool starts = c && (op == "dot" || o.c_first);
    if (starts) c = fitted(std::move(*c), info.accumulator, false, info);
    if (op == "gemm" || op == "dot") {
      const auto arrange = [&](io::Array x) {
        return o.layout == "column" ? by_rows(std::move(x)) : std::move(x);
      };
      const bool b_by_rows = op == "dot" || (o.transpose_b && b->shape.size() > 1),
                 a_by_columns = op == "gemm" && o.transpose_a && a->shape.size() > 1;
      a_scales = scales_of_a(o.scales, info, a->shape, a_by_columns ? Lines::columns : Lines::rows, arrange);
      b_scales = scales_of_b(o.scales, info, b->shape, b_by_rows ? Lines::rows : Lines::columns, arrange);
      if (starts && o.scales.any_tensor())
        throw InputError("--c", "", "no tensor's scale where C starts the sums: it would scale C too", o.c);
    }
  }

  q.output.format = q.got.element.format();
  const io::Array* const left = a ? &*a : &sparse->values;
  q.how = accumulation_of(o, default_accumulator({left, b ? &*b : nullptr, &q.got}));
  const FormatSpec sums =
      o.unit.empty() ? q.how.accumulator : find_arithmetic(o.unit, "--unit").info().accumulator;
  Epilogue& e = q.output.epilogue;
  e.alpha = parse_scalar("--alpha", o.alpha, sums);
  if (o.unit.empty() && !o.c_first) {
    e.place = choice("--epilogue", o.epilogue,
                     std::to_array<std::pair<std::string_view, EpiloguePlace>>(
                         {{"anywhere", EpiloguePlace::anywhere}, {"last", EpiloguePlace::last}}));
  }
  e.overflow = choice("--overflow", o.overflow,
                      std::to_array<std::pair<std::string_view, Overflow>>(
                          {{"ieee", Overflow::ieee}, {"saturate", Overflow::saturate}}));
  parse_activation(o.activation, sums, e);
  const bool joins = e.alpha != 1 || bias || (c && !o.c_first && op != "dot");
  e.rounding = output_rounding(o, q, joins && e.place == EpiloguePlace::last, by_bound);
  if (e.rounding == Rounding::stochastic && op != "convert") {
    throw InputError("--rounding", "", "a rounding of the output that is not stochastic", "stochastic");
  }
  const BiasAlong along = choice("--bias-along", o.bias_along,
                                 std::to_array<std::pair<std::string_view, BiasAlong>>(
                                     {{"columns", BiasAlong::columns}, {"rows", BiasAlong::rows}}));

  q.arguments = arguments_text(o, e, c, bias);
  q.a = left->element.format();
  q.b = b ? b->element.format() : q.a;
  q.wide_operand = (is_double(*left) || (b && is_double(*b))) && !is_double(q.got);

  if (op == "gemm") {
    e.beta = beta_of(o, sums);
    if (o.c_first && !c) throw InputError("--c-first", "", "--c FILE, which begins the sum", "no --c");
    if (o.c_first && (e.alpha != 1 || e.beta != 1)) {
      throw InputError("--c-first", "", "alpha = beta = 1: C begins the sum as it is",
                       fmt::format("alpha = {}, beta = {}", e.alpha, e.beta));
    }
    const io::Array& stack = a->shape.size() >= 3 ? *a : *b;
    if (o.batch && (stack.shape.size() < 3 || static_cast<std::size_t>(stack.shape[0]) != *o.batch)) {
      throw InputError(stack.origin, "", fmt::format("a stack of {} matrices first (--batch)", *o.batch),
                       "shape " + io::to_string(stack.shape));
    }
    if (o.c_first) e.beta = 0;
    q.operation = make_gemm({.a = std::move(*a),
                             .b = std::move(*b),
                             .transpose_a = o.transpose_a,
                             .transpose_b = o.transpose_b,
                             .c = std::move(c),
                             .bias = std::move(bias),
                             .bias_along = along,
                             .c_first = o.c_first,
                             .a_scales = std::move(a_scales),
                             .b_scales = std::move(b_scales)},
                            q.output);
  } else if (op == "spmm") {
    e.beta = beta_of(o, sums);
    q.operation = make_spmm({.a = std::move(*sparse),
                             .b = std::move(*b),
                             .transpose_a = o.transpose_a,
                             .transpose_b = o.transpose_b,
                             .c = std::move(c),
                             .bias = std::move(bias),
                             .bias_along = along},
                            q.output);
  } else if (op == "sddmm") {
    e.beta = beta_of(o, sums);
    q.operation = make_sddmm({.mask = std::move(*sparse),
                              .a = std::move(*a),
                              .b = std::move(*b),
                              .transpose_a = o.transpose_a,
                              .transpose_b = o.transpose_b,
                              .c = std::move(c)},
                             q.output);
  } else if (op == "dot") {
    q.operation = make_dot({.a = std::move(*a),
                            .b = std::move(*b),
                            .c = std::move(c),
                            .a_scales = std::move(a_scales),
                            .b_scales = std::move(b_scales)},
                           q.output);
  } else if (op == "conv") {
    q.operation = make_conv(
        {.a = std::move(*a), .b = std::move(*b), .bias = std::move(bias), .problem = conv_problem(o)},
        q.output);
  } else if (op == "convert") {
    q.operation = make_convert(std::move(*a), q.output);
  } else {
    const NanElements nan =
        choice("--nan", o.nan,
               std::to_array<std::pair<std::string_view, NanElements>>(
                   {{"propagate", NanElements::propagate}, {"ignore", NanElements::ignore}}));
    q.operation = make_reduce({.a = std::move(*a),
                               .operation = op == "sum" ? Reduction::sum : parse_reduction(o.reduction),
                               .axis = o.axis,
                               .nan = nan},
                              q.output);
  }
  return q;
}

// got with the shape of the result; one that keeps dimensions of 1 (keepdims) or has [1] for [] is the same.
void require_shape(io::Array& got, const compare::Shape& wanted) {
  io::Shape shape(wanted.begin(), wanted.end());
  const auto without_ones = [](io::Shape s) {
    std::erase(s, 1);
    return s;
  };
  if (got.shape != shape && without_ones(got.shape) != without_ones(shape)) {
    const bool turned = got.shape == io::Shape(shape.rbegin(), shape.rend());
    throw InputError(got.origin, "", "shape " + io::to_string(shape),
                     io::to_string(got.shape) + (turned ? ", which is that of its transpose" : ""));
  }
  got.shape = std::move(shape);
}

std::string order_text(const Options& o) {
  return o.order == "any" ? "in any order" : "in the order " + o.order;
}

// What the file itself says of how it was made, and where that is not what is asked. Empty if it says nothing.
std::string metadata_note(const io::Array& got, const Options& o, const std::string& parameters) {
  std::string said;
  const auto add = [&](const std::string& key, const std::string& here) {
    const auto found = got.metadata.find(key);
    if (found == got.metadata.end()) return;
    said += fmt::format(" {}={}", key, found->second);
    if (!here.empty() && here != found->second) said += fmt::format(" (here {})", here);
  };
  const std::string padded = " " + parameters + " ", label = " k=";
  const std::size_t at = padded.find(label), begin = at + label.size();
  add("op", o.operation);
  add("k", at == std::string::npos ? "" : padded.substr(begin, padded.find(' ', begin) - begin));
  add("unit", o.unit);
  return said.empty() ? "" : fmt::format("note   {} says{}", got.origin, said);
}

double since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// These elements alone, as a vector.
io::Array picked(const io::Array& array, const std::vector<std::size_t>& places) {
  io::Array some = io::make_array(array.element, {static_cast<std::int64_t>(places.size())});
  some.origin = array.origin;
  const std::size_t bytes = array.element.bytes();
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::copy_n(array.bytes.begin() + static_cast<std::ptrdiff_t>(places[i] * bytes), bytes,
                some.bytes.begin() + static_cast<std::ptrdiff_t>(i * bytes));
  }
  return some;
}

// Units that take these operands and give this output, and whose results the bound of float32 sums need not hold.
std::vector<std::string> units_for(const Question& q) {
  std::vector<std::string> names;
  for (const Arithmetic* unit : arithmetics().list()) {
    const ArithmeticInfo& info = unit->info();
    const bool takes =
        std::find(info.inputs.begin(), info.inputs.end(), std::pair(q.a, q.b)) != info.inputs.end();
    if (takes && !unit->accumulation() && unit->gives(q.output.format)) names.push_back(info.name);
  }
  return names;
}

// What was not said on the command line and would make the verdict sharper, or another one.
std::vector<std::string> what_would_decide(const Options& o, const Question& q,
                                           const compare::Comparison& comparison) {
  std::vector<std::string> notes;
  if (comparison.policy.kind != compare::PolicyKind::bound || !o.unit.empty() || o.operation == "convert")
    return notes;
  const bool weak = comparison.verdict == compare::Verdict::vacuous &&
                    comparison.want.zero() < comparison.values &&
                    comparison.zeros_would_pass == comparison.values;
  if (weak && o.order == "any") {
    notes.push_back(
        "note   the bound of any order is too wide here. Say the kernel's order (--order pairwise, "
        "sequential or "
        "blocked:LANES), or its unit (--unit NAME), for a narrower one");
  }
  // Matrix units keep fewer bits than float32, 13 at least: what is further off is no matter of units.
  if (comparison.verdict != compare::Verdict::disagree || comparison.class_mismatches > 0 ||
      comparison.nmse > 1e-4 || !o.accumulator.empty())
    return notes;
  if (const std::vector<std::string> units = units_for(q); !units.empty()) {
    constexpr std::size_t most = 6;
    const std::vector<std::string> first(
        units.begin(), units.begin() + static_cast<std::ptrdiff_t>(std::min(most, units.size())));
    notes.push_back(
        fmt::format("note   this is the bound of sums in {}. Matrix units keep fewer bits: if the kernel ran "
                    "on one, name it "
                    "(--unit {}{})",
                    q.how.accumulator.dtype, fmt::join(first, ", "), units.size() > most ? ", ..." : ""));
  }
  return notes;
}

int run(const Options& o, const CLI::App& app) {
  const auto begin = std::chrono::steady_clock::now();
  if (std::find(operations.begin(), operations.end(), o.operation) == operations.end()) {
    throw unknown_name("check", "an operation", o.operation, {operations.begin(), operations.end()});
  }
  refuse_unused(o, app);
  compare::Policy policy = chosen_policy(o.policy);
  const bool by_bits = policy.kind == compare::PolicyKind::bit_equal, is_convert = o.operation == "convert";
  if (by_bits && o.unit.empty() && !is_convert) {
    throw InputError(
        "--policy " + policy.name, "",
        "--unit NAME: which bits are right depends on the arithmetic (or --policy correctly-rounded)",
        "no unit");
  }
  Question q = question(o, policy.kind == compare::PolicyKind::bound);
  if (by_bits && is_convert && q.output.epilogue.rounding == Rounding::stochastic) {
    throw InputError("--rounding", "", "a rounding whose bits are known", "stochastic");
  }
  require_shape(q.got, q.operation->shape());

  std::unique_ptr<const Arithmetic> any;
  const Arithmetic* unit = nullptr;
  if (o.unit.empty()) {
    any = make_any_order(q.how, q.output.format);
  } else {
    unit = &find_arithmetic(o.unit, "--unit");
    const compare::Shape& shape = q.operation->shape();
    check_places(o.unit, *unit,
                 o.operation == "gemm" ? MatrixPlaces({shape.at(0), shape.at(1)}) : MatrixPlaces());
  }
  const Arithmetic& arithmetic = unit != nullptr ? *unit : *any;
  ProgressLine progress;
  AnswerOptions how{.threads = o.show.threads, .factor = policy.factor};
  how.progress = [&](double done) {
    progress.show("check " + o.operation, since(begin), done,
                  fmt::format("of {} outputs", q.operation->size()));
  };
  if (o.sample) how.sample = sample_of(q.operation->size(), *o.sample, o.seed);
  const Answer answer = by_bits ? predicted_answer(*q.operation, arithmetic, q.output, how)
                                : exact_answer(*q.operation, arithmetic, q.output, how);
  progress.clear();
  const bool sampled = !how.sample.empty();
  const compare::Shape shape = sampled ? compare::Shape{how.sample.size()} : q.operation->shape();
  if (sampled) q.got = picked(q.got, how.sample);
  compare::Expected expected{.codes = {answer.codes.data(), q.output.format, shape},
                             .truth = answer.truth,
                             .remainder = answer.remainder,
                             .bound = answer.bound,
                             .results = answer.results,
                             .specials = answer.specials};
  compare::Options options;
  options.policy = policy;
  options.rounding = q.output.epilogue.rounding;
  options.overflow = q.output.epilogue.overflow;
  options.expects_zero = o.expects_zero;
  options.threads = o.show.threads;
  options.operation = o.operation + " " + q.operation->parameters();
  const auto output_at = [&](std::size_t i) { return sampled ? how.sample[i] : i; };
  if (q.operation->size() > 0 && q.operation->entry(0)) {
    options.entry_of = [&](std::size_t i) { return *q.operation->entry(output_at(i)); };
  }
  io::Array stale;
  const Operands in(o);
  if (!o.stale.empty()) {
    stale = in.dense("--stale", o.stale, o.got_format);
    require_shape(stale, q.operation->shape());
    if (!(stale.element == q.got.element))
      throw InputError(o.stale, "", q.got.element.name() + ", that of got", stale.element.name());
    if (sampled) stale = picked(stale, how.sample);
    options.stale = codes_of(stale);
  }

  compare::Comparison comparison = judge(codes_of(q.got), expected, options);
  Finding finding;
  finding.suite = "check";
  finding.name =
      fmt::format("check/{} {} got={}", o.operation, q.operation->parameters(), q.output.format.dtype);
  if (unit != nullptr) {
    finding.name += " unit=" + o.unit;
  } else if (!is_convert) {
    finding.name += fmt::format(" acc={}", q.how.accumulator.short_name);
  }
  finding.name += q.arguments;
  if (sampled) finding.name += fmt::format(" sample={} seed={}", how.sample.size(), o.seed);
  if (by_bits) {
    finding.evidence = is_convert ? "the integer definition of the rounding"
                                  : fmt::format("the bits that {} gives ({})", o.unit, unit->info().summary);
  } else if (policy.kind == compare::PolicyKind::bound) {
    finding.evidence = is_convert        ? "the exact values and the error of one rounding"
                       : unit != nullptr ? fmt::format("the exact result and the bound of {}", o.unit)
                                         : fmt::format("the exact result and the bound of sums in {} {}",
                                                       q.how.accumulator.dtype, order_text(o));
  } else {
    finding.evidence = "the exact result";
  }
  if (unit != nullptr && is_unverified(unit->info().evidence)) {
    finding.notes.push_back(fmt::format("note   {} is unverified: {}", o.unit, unit->info().source));
  }
  if (policy.kind == compare::PolicyKind::bound && o.operation == "reduce" && o.reduction == "mean") {
    finding.notes.push_back(
        "note   a mean may divide the sum by the number of terms, or multiply it by the rounded reciprocal");
  }
  if (std::string note = metadata_note(q.got, o, q.operation->parameters()); !note.empty())
    finding.notes.push_back(std::move(note));
  if (policy.kind != compare::PolicyKind::bound && unit == nullptr) {
    for (const char* option : {"--order", "--product", "--epilogue"}) {
      if (app.get_option(option)->count() > 0)
        finding.notes.push_back(fmt::format("note   {} narrows the bound, which policy {} does not look at",
                                            option, policy.name));
    }
  }
  if (sampled) {
    finding.notes.push_back(fmt::format("note   {} of {} outputs were judged, drawn with seed {}",
                                        how.sample.size(), q.operation->size(), o.seed));
  }
  if (comparison.worst) {
    const std::size_t worst = comparison.worst->index, at = output_at(worst);
    if (const auto entry = q.operation->entry(at)) {
      finding.notes.push_back(
          fmt::format("note   [{}] is row {}, column {} of {}", worst, entry->first, entry->second, o.mask));
    } else if (sampled) {
      finding.notes.push_back(fmt::format("note   [{}] of the sample is output {}", worst,
                                          compare::index_text(at, q.operation->shape())));
    }
  }
  for (std::string& note : what_would_decide(o, q, comparison)) finding.notes.push_back(std::move(note));
  const bool double_sums = unit == nullptr && o.accumulator.empty() && q.how.accumulator == formats::float64;
  if (comparison.verdict == compare::Verdict::disagree && double_sums && q.wide_operand && !is_convert) {
    const bool text = o.a_format.empty() && o.format.empty() && o.a.find(".mtx") != std::string::npos;
    finding.notes.push_back(fmt::format(
        "note   sums are taken to be in float64, as an operand is{}",
        text ? ": numbers in text have no format. If the kernel reads them as float32, say --a-format f32"
             : ". If the kernel sums in float32, say --acc f32"));
  }
  finding.repro = command_text(app);
  finding.seconds = since(begin);
  return show(o.show, finding, std::move(comparison));
}

}  // namespace

std::function<int()> make_check(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  app.add_option("operation", o->operation, fmt::format("{}", fmt::join(operations, ", ")))->required();
  app.add_option("--a", o->a,
                 "Left operand, or the only one: npy, npz, safetensors, Matrix Market or raw; FILE:NAME");
  app.add_option("--b", o->b, "Right operand; weights of conv");
  app.add_option("--c", o->c, "C of alpha A B + beta C; of dot, what each sum starts with");
  app.add_option("--got", o->got, "The output to judge");
  app.add_option("--bias", o->bias, "Bias: one value a column (or row, or output channel)");
  app.add_option("--mask", o->mask, "Of sddmm: the sparse array whose entries are computed");
  app.add_option("--stale", o->stale, "What the memory of got held before: would it pass?");
  app.add_option("--format,-f", o->format, "Read arrays of codes (uint8, uint16, ...) as this format");
  app.add_option("--a-format", o->a_format, "The same for A alone; so for the others");
  app.add_option("--b-format", o->b_format);
  app.add_option("--c-format", o->c_format);
  app.add_option("--got-format", o->got_format);
  app.add_option("--bias-format", o->bias_format);
  app.add_option("--alpha", o->alpha, "Rounded into the format of the sums")->capture_default_str();
  app.add_option("--beta", o->beta, "The same (default: 1 with --c, else 0)");
  app.add_option("--activation", o->activation,
                 "none, relu, relu-max (NaN becomes 0, as fmaxf gives it) or clip:LOW:HIGH")
      ->capture_default_str();
  app.add_option("--epilogue", o->epilogue,
                 "Where alpha, beta C and bias may enter: anywhere in the sum, or last, after it")
      ->capture_default_str();
  add_unsigned(app, "--sample", o->sample, "Judge this many outputs, drawn with --seed, instead of all", 1);
  add_seed(app, o->seed, "Of --sample");
  app.add_option("--bias-along", o->bias_along, "columns or rows")->capture_default_str();
  app.add_flag("--transpose-a", o->transpose_a, "A is stored k x m");
  app.add_flag("--transpose-b", o->transpose_b, "B is stored n x k");
  app.add_option("--layout", o->layout,
                 "Matrices lie by row or by column in every file whose header does not say column")
      ->capture_default_str()
      ->check(CLI::IsMember({"row", "column"}));
  app.add_option("--batch", o->batch, "Require a batch of exactly this many matrices")->check(whole_number);
  app.add_flag("--c-first", o->c_first, "C starts the sum, as in matrix units");
  app.add_option(
      "--unit", o->unit,
      "Whose bound (with --policy bit-equal: whose bits) got must meet: see `assay list arithmetics`");
  add_scale_options(app, o->scales);
  app.add_option("--acc", o->accumulator, "Format of the sums (default: float32; float64 where an array is)");
  app.add_option("--order", o->order, "any, sequential, pairwise[:BASE] or blocked:LANES[:PANEL]")
      ->capture_default_str();
  app.add_option("--product", o->product, "Format that products are rounded to first, or fused (default)");
  app.add_option("--mode", o->mode, "Rounding of the sums: a name of `assay list roundings`")
      ->capture_default_str();
  app.add_flag("--flush", o->flush, "Subnormal operands and results are zeros");
  app.add_option(
      "--rounding", o->rounding,
      "Rounding into the output's format (default: nearest-even; --mode where sums are in that format)");
  app.add_option("--overflow", o->overflow, "Above the largest number of the output: ieee or saturate")
      ->capture_default_str();
  app.add_option("--operation", o->reduction,
                 "Of reduce: sum, mean, sum_squares, sum_magnitudes, max, min, max_magnitude")
      ->capture_default_str();
  app.add_option("--axis", o->axis,
                 "Of reduce and sum: the axis, negative from the end (default: all elements)")
      ->check(signed_number);
  app.add_option("--nan", o->nan, "Of reduce: propagate or ignore, for max and min")->capture_default_str();
  app.add_option("--stride", o->stride, "Of conv: one number, or rows and columns")
      ->expected(1, 2)
      ->check(whole_number);
  app.add_option("--pad", o->pad, "Of conv, on every side")->expected(1, 2)->check(whole_number);
  app.add_option("--dilation", o->dilation, "Of conv")->expected(1, 2)->check(whole_number);
  app.add_option("--groups", o->groups, "Of conv")->capture_default_str()->check(whole_number);
  app.add_option("--image-layout", o->image_layout, "Of conv: nchw or nhwc")->capture_default_str();
  app.add_option("--padding", o->padding, "Of conv: padding is zeros that multiply, or absent")
      ->capture_default_str();
  add_policy_options(app, o->policy, "bound");
  add_raw_options(app, o->raw, false);
  for (const char* operand : {"--a", "--b", "--c", "--got", "--bias"}) {
    RawOptions& raw = o->own_raw[operand];
    raw.dtype_option = fmt::format("{}-dtype", operand);
    raw.shape_option = fmt::format("{}-shape", operand);
    const bool first = std::string_view(operand) == "--a";
    app.add_option(raw.dtype_option, raw.dtype, first ? "The same for A alone; so for the others" : "");
    app.add_option(raw.shape_option, raw.shape, first ? "The same for A alone; so for the others" : "");
  }
  app.add_flag("--expects-zero", o->expects_zero,
               "That the truth is zero everywhere is what this is about: not VACUOUS");
  add_show_options(app, o->show);
  return [o, &app] { return run(*o, app); };
}

}  // namespace assay::cli
