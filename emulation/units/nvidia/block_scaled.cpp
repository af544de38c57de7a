#include "emulation/units/nvidia/block_scaled.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "emulation/units/step_unit.hpp"
#include "reference/core/error.hpp"
#include "reference/exact/wide_arithmetic.hpp"

namespace assay {
namespace {

using formats::float32;
constexpr std::uint64_t unit_nan = 0x7FFFFFFF;

// A scale as significand * 2^exponent, with the exponent that its field stands for; a NaN has none of it.
struct Scale {
  bool nan = false;
  std::uint64_t significand = 1;
  int exponent = 0;  // of the last place
  int field = 0;     // the exponent of alignment
};

Scale read_scale(std::uint8_t code, ScaleFormat format) {
  if (format == ScaleFormat::e8m0) {
    const e8m0_t scale{code};
    return {.nan = scale.is_nan(), .exponent = scale.exponent(), .field = scale.exponent()};
  }
  const FormatSpec& f = formats::float8_e4m3fn;
  const std::uint64_t magnitude = code & f.magnitude_mask();
  if (f.is_nan(magnitude)) return {.nan = true};
  const ExactValue<std::uint64_t> x = exact_from_code(magnitude, f);
  return {.significand = x.significand, .exponent = x.exponent, .field = field_exponent(x, f)};
}

// One operand of the sum of a step.
struct BlockTerm {
  Kind kind = Kind::finite;
  bool negative = false;  // of an infinity
  bool zero = true;       // takes ezero as its exponent
  std::int64_t significand = 0;
  int exponent = 0;  // of the last place
  int field = 0;     // the exponent of alignment, unless zero
};

ExactValue<Wide> value_of(const BlockTerm& t) {
  ExactValue<Wide> x = exact_integer(t.significand, t.exponent);
  x.kind = t.kind;
  if (t.kind != Kind::finite) x.negative = t.negative;
  return x;
}

// |x| * 2^places cut to an integer, with x's sign.
std::int64_t cut(std::int64_t x, int places) {
  if (places >= 0) return x * (std::int64_t{1} << places);
  const std::int64_t magnitude = (x < 0 ? -x : x) >> std::min(-places, 63);
  return x < 0 ? -magnitude : magnitude;
}

std::int64_t signed_significand(bool negative, std::uint64_t magnitude) {
  const auto x = static_cast<std::int64_t>(magnitude);
  return negative ? -x : x;
}

// Of products first .. last - 1, or of c if there are none.
std::string term_name(std::size_t first, std::size_t last) {
  if (first == last) return "c";
  if (last - first == 1) return product_name(first);
  const std::string range = "[" + std::to_string(first) + ".." + std::to_string(last - 1) + "]";
  return "a" + range + " b" + range;
}

Scale scale_of(const CodeVector& x, std::size_t i, ScaleFormat format) {
  return read_scale(x.scales.given() ? x.scales.code(i) : unit_scale(format), format);
}

// What the sum is multiplied by in the end.
struct Tensors {
  bool given = false;
  double exact = 1;         // the product of both tensors' scales
  std::uint64_t alpha = 0;  // as float32
};

Tensors tensors_of(const CodeVector& a, const CodeVector& b) {
  const double product = double{a.scales.tensor} * double{b.scales.tensor};
  return {a.scales.tensor != 1 || b.scales.tensor != 1, product, encode(product, float32).code};
}

CodeVector without_tensor(CodeVector x) {
  x.scales.tensor = 1;
  return x;
}

std::uint64_t scaled_by(const Tensors& tensors, std::uint64_t sum, const StepLog& log) {
  const ExactValue<Wide> product =
      wide_product(exact_from_code(tensors.alpha, float32), exact_from_code(sum, float32));
  const std::uint64_t result = product.kind == Kind::nan ? unit_nan : encode(product, float32).code;
  if (log.trace != nullptr) {
    log.trace->push_back({.name = "times both tensors' scales",
                          .terms = {{.name = "alpha sum", .exact = product, .entered = product}},
                          .sum = product,
                          .result = result,
                          .note = "one rounding, nearest-even"});
  }
  return result;
}

}  // namespace

struct BlockScaledUnit::Log : StepLog {};

BlockScaledUnit::BlockScaledUnit(const BlockScaledSpec& spec)
    : Unit([&spec] {
        ArithmeticInfo info{.name = spec.name, .family = "block_scaled", .summary = spec.summary};
        info.inputs = spec.inputs;
        info.step_terms = spec.step;
        info.order = "steps of " + std::to_string(spec.step) + " in order; each one truncated sum with c";
        info.products = spec.group == 1 ? "exact, scaled, then truncated to a common unit"
                                        : "sums of " + std::to_string(spec.group) +
                                              " exact, scaled, then truncated to a common unit";
        info.rounding = std::string(rounding_name(Rounding::toward_zero));
        info.fused = true;
        info.block_scales = ScaleUse{spec.scales, spec.block};
        info.parameters = {
            {"L", std::to_string(spec.step)},      {"F", std::to_string(spec.fraction)},
            {"ezero", std::to_string(spec.ezero)}, {"block", std::to_string(spec.block)},
            {"group", std::to_string(spec.group)}, {"scales", std::string(scale_format_name(spec.scales))}};
        info.nan = "0x7FFFFFFF";
        info.source = "arXiv:2511.10909 (MMA-Sim), PTX ISA";
        info.evidence = Evidence::SRC;
        return info;
      }()),
      spec_(spec) {}

std::uint64_t BlockScaledUnit::take_step(const CodeVector& a, const CodeVector& b, std::size_t begin,
                                         std::uint64_t c, const Log& log) const {
  const std::size_t end = std::min(begin + spec_.step, a.size);
  std::vector<BlockTerm> terms;
  std::vector<TraceTerm> names;
  bool nan = false, plus_infinity = false, minus_infinity = false;
  terms.reserve(spec_.step / spec_.group + 1);
  const auto join = [&](const BlockTerm& t, std::size_t first, std::size_t last) {
    nan = nan || t.kind == Kind::nan;
    if (t.kind == Kind::infinite) (t.negative ? minus_infinity : plus_infinity) = true;
    terms.push_back(t);
    if (log.trace != nullptr) names.push_back({.name = term_name(first, last), .exact = value_of(t)});
  };
  for (std::size_t i = begin; i < end; i += spec_.group) {
    const Scale sa = scale_of(a, i, spec_.scales);
    const Scale sb = scale_of(b, i, spec_.scales);
    const std::size_t last = std::min(i + spec_.group, end);
    BlockTerm t;
    int place = 0;  // of the products' sum: one for all, below the last place of any product
    if (spec_.group > 1) {
      place = a.format.emin - a.format.precision + 1 + b.format.emin - b.format.precision + 1;
    }
    for (std::size_t j = i; j < last; ++j) {
      const ExactValue<std::uint64_t> va = exact_from_code(a.code(j), a.format);
      const ExactValue<std::uint64_t> vb = exact_from_code(b.code(j), b.format);
      const ExactValue<Wide> product = wide_product(va, vb);
      if (product.kind != Kind::finite) {
        t.kind = product.kind;
        t.negative = product.negative;
        continue;
      }
      if (product.is_zero()) continue;
      t.zero = false;
      const std::int64_t m =
          signed_significand(product.negative, static_cast<std::uint64_t>(product.significand));
      if (spec_.group > 1) {
        t.significand += cut(m, product.exponent - place);
      } else {
        t.significand = m;
        place = product.exponent;
        t.field = field_exponent(va, a.format) + field_exponent(vb, b.format);
      }
    }
    t.exponent = place + sa.exponent + sb.exponent;
    t.field += sa.field + sb.field;
    t.significand *= static_cast<std::int64_t>(sa.significand * sb.significand);
    if (sa.significand == 0 || sb.significand == 0) t.zero = true;
    if (sa.nan || sb.nan) t.kind = Kind::nan;
    join(t, i, last);
  }
  const ExactValue<std::uint64_t> vc = exact_from_code(c, float32);
  BlockTerm addend{.kind = vc.kind, .negative = vc.negative, .zero = vc.is_zero()};
  addend.significand = signed_significand(vc.negative, vc.significand);
  addend.exponent = vc.exponent;
  addend.field = field_exponent(vc, float32);
  join(addend, end, end);

  TraceStep step{.name = "step " + std::to_string(begin / spec_.step)};
  if (nan || plus_infinity || minus_infinity) {
    nan = nan || (plus_infinity && minus_infinity);
    step.sum.kind = nan ? Kind::nan : Kind::infinite;
    step.sum.negative = !nan && minus_infinity;
    step.result = nan ? unit_nan : encode(step.sum, float32).code;
    step.note = nan ? "NaN, 0 * Inf or infinities of both signs: NaN" : "infinite";
    for (TraceTerm& term : names) term.entered = term.exact;
  } else {
    const bool filled = end - begin == spec_.step;
    int emax = filled ? std::numeric_limits<int>::min() : spec_.ezero;
    for (const BlockTerm& t : terms) emax = std::max(emax, t.zero ? spec_.ezero : t.field);
    const int q = emax - spec_.fraction;
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < terms.size(); ++i) {
      if (terms[i].significand == 0) continue;
      const std::int64_t kept = cut(terms[i].significand, terms[i].exponent - q);
      sum += kept;
      if (!names.empty()) names[i].entered = exact_integer(kept, q);
      log.add_error(std::ldexp(1.0, q));
    }
    step.quantum = q;
    step.sum = exact_integer(sum, q);
    const Encoded rounded = encode(step.sum, float32, {.rounding = Rounding::toward_zero});
    step.result = rounded.code;
    if (rounded.overflow) {
      // encode() stops at the largest finite value when it rounds toward zero; this unit does not.
      step.result = float32.infinity_code() | (sum < 0 ? float32.sign_code() : 0);
      step.note = "overflow: infinite";
    }
    log.add_rounding(step.sum, float32, Rounding::toward_zero, false);
  }
  const std::uint64_t result = step.result;
  if (log.trace != nullptr) {
    step.terms = std::move(names);
    log.trace->push_back(std::move(step));
  }
  return result;
}

std::uint64_t BlockScaledUnit::chain(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                                     const Log& log) const {
  const Tensors tensors = tensors_of(a, b);
  if (tensors.given && c) {
    throw ContractError(info().name +
                        ": a sum that starts at c under tensors' scales, which would scale c too");
  }
  std::uint64_t sum = c.value_or(0);
  for (std::size_t begin = 0; begin < a.size; begin += spec_.step) sum = take_step(a, b, begin, sum, log);
  return tensors.given ? scaled_by(tensors, sum, log) : sum;
}

double BlockScaledUnit::bound(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                              const FormatSpec& output) const {
  check_dot(a, b, output);
  double error = 0;
  Log log;
  log.error = &error;
  const std::uint64_t result = chain(a, b, c, log);
  if (!float32.is_finite(result)) return std::numeric_limits<double>::infinity();
  const Tensors tensors = tensors_of(a, b);
  if (!tensors.given) return error;
  // The sum s is wrong by `error`, alpha by its rounding, and alpha s is rounded.
  const double alpha = decode(tensors.alpha, float32);
  const double off = std::fabs(alpha - tensors.exact);  // exact: alpha is a rounding of those 48 bits
  const double sum = std::fabs(decode(chain(without_tensor(a), without_tensor(b), {}, {}), float32));
  const double exact_sum = upward::add(sum, error);
  ExactValue<Wide> product = wide_product(assay::exact(alpha), assay::exact(sum));
  return upward::add(upward::add(upward::multiply(alpha, error), upward::multiply(off, exact_sum)),
                     rounding_error(product, float32, Rounding::nearest_even, false));
}

std::uint64_t BlockScaledUnit::dot_checked(const CodeVector& a, const CodeVector& b,
                                           std::optional<std::uint64_t> c, const FormatSpec&,
                                           OutputPlace) const {
  return chain(a, b, c, {});
}

std::uint64_t BlockScaledUnit::step_checked(const CodeVector& a, const CodeVector& b, std::uint64_t c,
                                            OutputPlace) const {
  return chain(a, b, c, {});
}

std::vector<TraceStep> BlockScaledUnit::trace_checked(const CodeVector& a, const CodeVector& b,
                                                      std::optional<std::uint64_t> c,
                                                      const FormatSpec&) const {
  if (a.size == 0) return {trace_of_no_terms(c.value_or(0), float32)};
  std::vector<TraceStep> steps;
  Log log;
  log.trace = &steps;
  chain(a, b, c, log);
  return steps;
}

CodeVector scaled_view(const BlockScaled& x, ScaleFormat format) {
  return {x.elements.data(),
          x.size(),
          1,
          x.element,
          {.data = x.scales.data(),
           .count = x.scales.size(),
           .use = {format, x.block},
           .tensor = x.tensor_scale}};
}

std::unique_ptr<const BlockScaledUnit> make_block_scaled(const BlockScaledSpec& spec) {
  const bool divides = spec.group != 0 && spec.block % spec.group == 0 && spec.step % spec.group == 0;
  if (spec.inputs.empty() || spec.block == 0 || spec.step == 0 || !divides || spec.group > 16 ||
      spec.step > 128 || spec.fraction < 23 || spec.fraction > 36) {
    throw ContractError("block-scaled unit " + spec.name + ": blocks of " + std::to_string(spec.block) +
                        ", groups of " + std::to_string(spec.group) + ", steps of " +
                        std::to_string(spec.step) + ", F = " + std::to_string(spec.fraction) +
                        "; groups of at most 16 divide blocks and steps of at most 128, F is 23 to 36");
  }
  for (const auto& [a, b] : spec.inputs) {
    const bool grouped_fits = spec.group == 1 || (a == formats::float4_e2m1fn && b == a);
    if (a.bits > 8 || b.bits > 8 || !grouped_fits)
      throw ContractError("block-scaled unit " + spec.name + ": " + std::string(a.short_name) + " x " +
                          std::string(b.short_name) +
                          "; elements have at most 8 bits, exact groups are of f4_e2m1");
  }
  return std::make_unique<BlockScaledUnit>(spec);
}

void add_block_scaled_units(ArithmeticRegistry& registry) {
  using namespace formats;
  const auto pairs = [](const std::vector<FormatSpec>& elements) {
    std::vector<std::pair<FormatSpec, FormatSpec>> inputs;
    for (const FormatSpec& a : elements) {
      for (const FormatSpec& b : elements) inputs.emplace_back(a, b);
    }
    return inputs;
  };
#define BLOCK_SCALED(unit_name, elements_a_scale, exact_sum, products, scale, f, zero, text, ...) \
  registry.add(make_block_scaled({.name = unit_name,                                              \
                                  .summary = text,                                                \
                                  .inputs = pairs({__VA_ARGS__}),                                 \
                                  .block = elements_a_scale,                                      \
                                  .group = exact_sum,                                             \
                                  .step = products,                                               \
                                  .scales = ScaleFormat::scale,                                   \
                                  .fraction = f,                                                  \
                                  .ezero = zero}));
#include "emulation/units/units.def"
#undef BLOCK_SCALED
}

}  // namespace assay
