#include "validation/judge/question.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <tuple>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/formats/decimal.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/rounding.hpp"
#include "validation/judge/choice.hpp"
#include "validation/judge/fitted.hpp"
#include "validation/judge/operands.hpp"
#include "validation/judge/own_scaling.hpp"
#include "validation/judge/sum_order.hpp"

namespace assay::judge {
namespace {

using operations::COperand;
using operations::OperationKind;

// --- what was typed ------------------------------------------------------------------------------------------------

Reduction parse_reduction(const Request& r) {
  return choice(
      r.option("operation"), r.reduction,
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
double parse_scalar(const std::string& option, std::string_view typed, const FormatSpec& f) {
  const auto refused = [&](std::string expected) {
    return InputError::of_option(option, std::move(expected), quoted(typed));
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

void parse_activation(const Request& r, const FormatSpec& f, Epilogue& epilogue) {
  const std::string& typed = r.activation;
  if (typed == "none") return;
  if (typed == "relu" || typed == "relu-max") {
    epilogue.activation = typed == "relu" ? Activation::relu : Activation::relu_max;
    return;
  }
  const std::string option = r.option("activation");
  constexpr std::string_view clip = "clip:";
  const std::size_t colon = typed.find(':', clip.size());
  if (!typed.starts_with(clip) || colon == std::string::npos)
    throw InputError::of_option(option, "none, relu, relu-max or clip:LOW:HIGH", quoted(typed));
  epilogue.activation = Activation::clip;
  epilogue.low = parse_scalar(option, typed.substr(clip.size(), colon - clip.size()), f);
  epilogue.high = parse_scalar(option, typed.substr(colon + 1), f);
  if (epilogue.low > epilogue.high)
    throw InputError::of_option(option, "a low limit that is no higher than the high one", quoted(typed));
}

double beta_of(const Request& r, const FormatSpec& f) {
  if (r.beta.empty()) return r.c ? 1 : 0;
  const double beta = parse_scalar(r.option("beta"), r.beta, f);
  if (beta != 0 && !r.c)
    throw UsageError(fmt::format("{} requires {}, the C that it scales", r.option("beta"), r.option("c")));
  return beta;
}

std::pair<std::size_t, std::size_t> both(const Request& r, std::string_view option,
                                         const std::vector<std::size_t>& typed) {
  if (typed.empty() || typed.size() > 2)
    throw InputError::of_option(r.option(option), "one number, or two (rows columns)",
                                std::to_string(typed.size()));
  return {typed.front(), typed.back()};
}

Accumulation accumulation_of(const Request& r, const FormatSpec& otherwise) {
  Accumulation how;
  how.accumulator = r.accumulator.empty()
                        ? otherwise
                        : typed_for(r.option("acc"), [&] { return parse_format(r.accumulator); });
  if (!r.product.empty() && r.product != "fused") {
    how.product = typed_for(r.option("product"), [&] {
      try {
        return parse_format(r.product);
      } catch (const InputError& e) {
        throw InputError("", "", "fused, or " + e.expected(), e.found());
      }
    });
  }
  how.rounding = typed_for(r.option("mode"), [&] { return parse_rounding(r.mode); });
  how.flush = r.flush;
  how.order = parse_order(r.option("order"), r.order);
  return how;
}

// --- options that nothing looks at ---------------------------------------------------------------------------------

bool is_extreme(Reduction kind) {
  return kind == Reduction::max || kind == Reduction::min || kind == Reduction::max_magnitude;
}

// Extremes are not summed, and sums have no choice about NaN.
void refuse_unused_by_reduction(const Request& r) {
  const bool extreme = is_extreme(parse_reduction(r));
  const auto refuse = [&](std::string_view option, std::string_view needed) {
    if (r.given.contains(option))
      throw UsageError(fmt::format("{} requires {}; {} {} does not look at it", r.option(option), needed,
                                   r.option("operation"), r.reduction));
  };
  if (!extreme) refuse("nan", r.option("operation") + " max, min or max_magnitude");
  if (!extreme) return;
  for (const char* option : {"unit", "acc", "order", "product", "flush", "mode"})
    refuse(option, "an " + r.option("operation") + " that sums");
}

constexpr std::string_view read_by_sums = "unit acc order product flush mode";

bool has_word(std::string_view words, std::string_view word) {
  return fmt::format(" {} ", words).find(fmt::format(" {} ", word)) != std::string::npos;
}

// An option that some operation looks at is an error where this one does not.
void refuse_unused(const Request& r, const OperationKind& kind) {
  for (const std::string& option : r.given) {
    std::vector<std::string_view> readers;
    for (const OperationKind* one : operations::operation_kinds()) {
      if (has_word(one->reads, option) || (one->sums && has_word(read_by_sums, option)))
        readers.push_back(one->name);
    }
    if (readers.empty() || std::find(readers.begin(), readers.end(), kind.name) != readers.end()) continue;
    throw UsageError(fmt::format("{} is an option of {}; check {} does not look at it", r.option(option),
                                 fmt::join(readers, ", "), kind.name));
  }
  if (kind.name == "reduce") refuse_unused_by_reduction(r);
  if (r.arithmetic == nullptr) {
    for (const char* option : {"a-scales", "b-scales", "a-tensor-scale", "b-tensor-scale"}) {
      if (r.given.contains(option))
        throw UsageError(fmt::format("{} requires {} NAME, which reads scales of blocks", r.option(option),
                                     r.option("unit")));
    }
    return;
  }
  for (const char* option : {"acc", "order", "product", "flush", "mode", "epilogue"}) {
    if (r.given.contains(option)) {
      throw UsageError(fmt::format("{} and {} exclude each other: {} says how it sums", r.option(option),
                                   r.option("unit"), r.arithmetic_name));
    }
  }
}

void require_arrays(const Request& r, const OperationKind& kind) {
  const auto require = [&](bool there, std::string_view option) {
    if (there) return;
    const std::string argument = r.option(option);
    throw UsageError(fmt::format("check {} requires {}", r.operation,
                                 r.caller == Caller::command ? argument + " FILE" : "an array " + argument));
  };
  require(kind.sparse_a ? r.sparse.has_value() : r.a.has_value(), "a");
  if (kind.has_b) require(r.b.has_value(), "b");
  if (kind.sparse_mask) require(r.sparse.has_value(), "mask");
}

// --- the question --------------------------------------------------------------------------------------------------

bool is_double(const io::Array& array) { return array.element == io::ElementType(formats::float64); }

// What sums are taken in if nobody says: float32, or float64 where an operand or the output has it.
FormatSpec default_accumulator(std::initializer_list<const io::Array*> arrays) {
  for (const io::Array* array : arrays) {
    if (array != nullptr && is_double(*array)) return formats::float64;
  }
  return formats::float32;
}

// Everything given that changes what is right, for the name of the case; defaults are left out.
std::string arguments_text(const Request& r, const Epilogue& e) {
  const Request standard;
  std::string text;
  const auto add = [&](std::string_view key, std::string_view value) {
    text += fmt::format(" {}={}", key, value);
  };
  const auto add_typed = [&](std::string_view key, const std::string& typed, const std::string& otherwise) {
    if (typed != otherwise) add(key, typed);
  };
  if (r.transpose_a || r.transpose_b)
    add("transpose", r.transpose_a && r.transpose_b ? "a,b" : r.transpose_a ? "a" : "b");
  add_typed("layout", r.layout, standard.layout);
  if (r.a_scales.blocks) add("a-scales", "yes");
  if (r.b_scales.blocks) add("b-scales", "yes");
  add_typed("a-tensor-scale", r.a_scales.tensor, "");
  add_typed("b-tensor-scale", r.b_scales.tensor, "");
  if (e.alpha != 1) add("alpha", r.alpha);
  if (r.c) add("c", r.c->element.name());
  if (r.c && !r.beta.empty()) add("beta", r.beta);
  if (r.c_first) add("c-first", "yes");
  if (r.bias) add("bias", r.bias->element.name());
  if (r.bias) add_typed("bias-along", r.bias_along, standard.bias_along);
  add_typed("activation", r.activation, standard.activation);
  if (r.axis) add("axis", std::to_string(*r.axis));
  add_typed("nan", r.nan, standard.nan);
  add_typed("order", r.order, standard.order);
  add_typed("product", r.product == "fused" ? "" : r.product, standard.product);
  add_typed("mode", r.mode, standard.mode);
  if (r.flush) add("flush", "yes");
  add_typed("rounding", r.rounding, standard.rounding);
  add_typed("epilogue", r.epilogue, standard.epilogue);
  add_typed("overflow", r.overflow, standard.overflow);
  return text;
}

// A saved matrix product has its alpha and beta in itself: a second time, or a C beside it, would be another product.
void check_own_scaling(const Request& r, const OwnScaling& scaling) {
  const std::string text = describe(scaling), named = r.option("unit") + " " + r.arithmetic_name;
  if (r.operation == "reduce") {
    throw UsageError(fmt::format(
        "{} computes more than a sum ({}): `check sum` takes it, `check reduce` does not", named, text));
  }
  if (r.alpha != "1" || !r.beta.empty()) {
    throw UsageError(fmt::format("{} and {} are part of {} ({}) and cannot be given beside it",
                                 r.option("alpha"), r.option("beta"), named, text));
  }
  if (!r.c && scaling.beta.value_or(0) != 0)
    throw UsageError(fmt::format("{} adds a C ({}): {} is missing", named, text, r.option("c")));
  if (r.c && !r.c_first) {
    throw UsageError(fmt::format("{} adds C itself ({}): {} requires {} with it", named, text, r.option("c"),
                                 r.option("c-first")));
  }
}

// The sums' own rounding, where it is the last that a result sees: the output has their format, and no step of an
// epilogue, division or extreme comes between.
std::optional<Rounding> rounding_of_last_sum(const Request& r, const Question& q, bool steps) {
  const bool sums = q.kind->sums && (q.kind->name != "reduce" || r.reduction.starts_with("sum"));
  const auto how = r.arithmetic == nullptr ? q.how : r.arithmetic->accumulation();
  if (!sums || steps || !how || q.output.format != how->accumulator || how->rounding == Rounding::stochastic)
    return std::nullopt;
  return how->rounding;
}

// `steps`: alpha, C or bias join after the sum.
Rounding output_rounding(const Request& r, const Question& q, bool steps) {
  const std::optional<Rounding> last = rounding_of_last_sum(r, q, steps);
  if (!r.rounding.empty()) {
    const Rounding typed = typed_for(r.option("rounding"), [&] { return parse_rounding(r.rounding); });
    if (r.policy.kind == compare::PolicyKind::bound && last && *last != typed) {
      throw UsageError(fmt::format(
          "{} {} contradicts {} ({}): the output has the format of the sums, and nothing rounds it again",
          r.option("rounding"), r.rounding, rounding_name(*last),
          r.arithmetic == nullptr ? r.option("mode") : r.option("unit") + " " + r.arithmetic_name));
    }
    return typed;
  }
  if (last) return *last;
  const bool own = r.arithmetic == nullptr && q.kind->sums && q.output.format == q.how.accumulator;
  return own && q.how.rounding != Rounding::stochastic ? q.how.rounding : Rounding::nearest_even;
}

// A unit reads formats of its own; values that are its formats' too may come in others.
void fit(Request& r, const OperationKind& kind) {
  const ArithmeticInfo& info = r.arithmetic->info();
  io::Array& first = r.a ? *r.a : r.sparse->values;
  const auto [a, b] =
      input_formats(info, first.element.format(), r.b ? r.b->element.format() : first.element.format());
  first = fitted(std::move(first), a, false, info);
  if (r.b) r.b = fitted(std::move(*r.b), b, false, info);
  if (r.c && (kind.c == COperand::starts || r.c_first))
    r.c = fitted(std::move(*r.c), info.accumulator, false, info);
}

void check_gemm(const Request& r, const Epilogue& e) {
  if (r.c_first && (!r.c || e.alpha != 1 || e.beta != 1)) {
    throw UsageError(fmt::format("{} requires {} and alpha = beta = 1: C begins the sum as it is",
                                 r.option("c-first"), r.option("c")));
  }
  const io::Array& stack = r.a->shape.size() >= 3 ? *r.a : *r.b;
  if (r.batch && (stack.shape.size() < 3 || static_cast<std::size_t>(stack.shape[0]) != *r.batch)) {
    throw InputError(stack.origin, "",
                     fmt::format("a stack of {} matrices first ({})", *r.batch, r.option("batch")),
                     "shape " + io::to_string(stack.shape));
  }
}

}  // namespace

std::string Request::option(std::string_view name) const {
  // An operation of reduce: Python's check() itself has an argument of this name.
  return caller == Caller::python && name == "operation" ? "reduction" : option_name(caller, name);
}

const OperationKind& kind_of(const Request& r) {
  const OperationKind* const kind = operations::find_operation(r.operation);
  if (kind == nullptr) {
    std::vector<std::string> names;
    for (const OperationKind* one : operations::operation_kinds()) names.emplace_back(one->name);
    throw unknown_name(r.caller == Caller::python ? "operation" : "check", "an operation", r.operation,
                       names);
  }
  refuse_unused(r, *kind);
  return *kind;
}

ConvProblem conv_problem(const Request& r) {
  ConvProblem p;
  std::tie(p.stride_height, p.stride_width) = both(r, "stride", r.stride);
  std::tie(p.pad_top, p.pad_left) = both(r, "pad", r.pad);
  p.pad_bottom = p.pad_top;
  p.pad_right = p.pad_left;
  std::tie(p.dilation_height, p.dilation_width) = both(r, "dilation", r.dilation);
  for (const std::size_t n :
       {p.stride_height, p.stride_width, p.dilation_height, p.dilation_width, r.groups}) {
    if (n == 0) throw UsageError("conv: strides, dilations and groups start at 1");
  }
  p.groups = r.groups;
  p.layout = choice(r.option("image-layout"), r.image_layout,
                    std::to_array<std::pair<std::string_view, ImageLayout>>(
                        {{"nchw", ImageLayout::nchw}, {"nhwc", ImageLayout::nhwc}}));
  p.padding = choice(r.option("padding"), r.padding,
                     std::to_array<std::pair<std::string_view, Padding>>(
                         {{"zeros", Padding::zeros}, {"absent", Padding::absent}}));
  return p;
}

Question make_question(Request& r) {
  Question q;
  q.kind = &kind_of(r);
  require_arrays(r, *q.kind);
  if (r.arithmetic != nullptr) {
    if (r.arithmetic->info().scaling) check_own_scaling(r, *r.arithmetic->info().scaling);
    fit(r, *q.kind);
  }
  q.output.format = r.got.element.format();
  const io::Array& left = r.a ? *r.a : r.sparse->values;
  q.how = accumulation_of(r, default_accumulator({&left, r.b ? &*r.b : nullptr, &r.got}));
  const FormatSpec sums = r.arithmetic == nullptr ? q.how.accumulator : r.arithmetic->info().accumulator;
  Epilogue& e = q.output.epilogue;
  e.alpha = parse_scalar(r.option("alpha"), r.alpha, sums);
  if (r.arithmetic == nullptr && !r.c_first) {
    e.place = choice(r.option("epilogue"), r.epilogue,
                     std::to_array<std::pair<std::string_view, EpiloguePlace>>(
                         {{"anywhere", EpiloguePlace::anywhere}, {"last", EpiloguePlace::last}}));
  }
  e.overflow = choice(r.option("overflow"), r.overflow,
                      std::to_array<std::pair<std::string_view, Overflow>>(
                          {{"ieee", Overflow::ieee}, {"saturate", Overflow::saturate}}));
  parse_activation(r, sums, e);
  const bool joins = e.alpha != 1 || r.bias || (r.c && !r.c_first && q.kind->c != COperand::starts);
  e.rounding = output_rounding(r, q, joins && e.place == EpiloguePlace::last);
  if (e.rounding == Rounding::stochastic && q.kind->sums)
    throw UsageError(
        fmt::format("{} stochastic: the output of an operation that sums needs a rounding whose "
                    "results are known",
                    r.option("rounding")));
  q.arguments = arguments_text(r, e);
  q.a = left.element.format();
  q.b = r.b ? r.b->element.format() : q.a;
  q.wide_operand = (is_double(left) || (r.b && is_double(*r.b))) && !is_double(r.got);
  if (q.kind->c == COperand::scaled) e.beta = beta_of(r, sums);
  if (q.kind->name == "gemm") check_gemm(r, e);
  if (r.c_first) e.beta = 0;

  if (r.sparse) q.sparse = r.sparse->origin;
  Operands operands;
  operands.sparse = std::move(r.sparse);
  if (r.a) operands.a = std::move(*r.a);
  if (r.b) operands.b = std::move(*r.b);
  operands.transpose_a = r.transpose_a;
  operands.transpose_b = r.transpose_b;
  operands.c = std::move(r.c);
  operands.bias = std::move(r.bias);
  operands.bias_along = choice(r.option("bias-along"), r.bias_along,
                               std::to_array<std::pair<std::string_view, BiasAlong>>(
                                   {{"columns", BiasAlong::columns}, {"rows", BiasAlong::rows}}));
  operands.c_first = r.c_first;
  if (r.arithmetic != nullptr) take_scales(r, *q.kind, r.arithmetic->info(), operands);
  operands.reduction = parse_reduction(r);
  operands.axis = r.axis;
  operands.nan = choice(r.option("nan"), r.nan,
                        std::to_array<std::pair<std::string_view, NanElements>>(
                            {{"propagate", NanElements::propagate}, {"ignore", NanElements::ignore}}));
  operands.conv = conv_problem(r);
  q.operation = make_operation(*q.kind, std::move(operands), q.output);
  return q;
}

void take_scales(const Request& r, const OperationKind& kind, const ArithmeticInfo& info,
                 Operands& operands) {
  const io::Shape &a = operands.a.shape, &b = operands.b.shape;
  const bool rows = kind.name == "dot";
  const Lines along_a = !rows && r.transpose_a && a.size() > 1 ? Lines::columns : Lines::rows,
              along_b = rows || (r.transpose_b && b.size() > 1) ? Lines::rows : Lines::columns;
  operands.a_scales =
      scales_of(r.a_scales, r.option("a-scales"), r.option("a-tensor-scale"), info, a, along_a, r.known);
  operands.b_scales =
      scales_of(r.b_scales, r.option("b-scales"), r.option("b-tensor-scale"), info, b, along_b, r.known);
  const bool starts = operands.c && (kind.c == COperand::starts || r.c_first || operands.c_first);
  if (starts && (!r.a_scales.tensor.empty() || !r.b_scales.tensor.empty())) {
    throw UsageError(
        fmt::format("{} cannot start sums beside a tensor's scale: it would be scaled too", r.option("c")));
  }
}

void require_shape(io::Array& got, const operations::Shape& wanted) {
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

}  // namespace assay::judge
