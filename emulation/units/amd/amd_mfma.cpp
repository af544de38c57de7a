#include "emulation/units/amd/amd_mfma.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "emulation/units/step_unit.hpp"
#include "reference/core/error.hpp"
#include "reference/exact/wide_arithmetic.hpp"

namespace assay {
namespace {

using formats::float32;

// x * 2^places, toward minus infinity; for |x| < 2^52 and places of at most 10.
std::int64_t floor_shift(std::int64_t x, int places) {
  return places >= 0 ? x * (std::int64_t{1} << places) : x >> std::min(-places, 63);
}

// The same toward zero.
std::int64_t cut_shift(std::int64_t x, int places) {
  return x < 0 ? -floor_shift(-x, places) : floor_shift(x, places);
}

std::int64_t signed_significand(const ExactValue<Wide>& x) {
  const auto magnitude = static_cast<std::int64_t>(x.significand);
  return x.negative ? -magnitude : magnitude;
}

// The sum of the specials among the terms, if there are any.
std::optional<ExactValue<Wide>> special_sum(const std::vector<TraceTerm>& terms) {
  const auto is_special = [](const TraceTerm& term) { return term.exact.kind != Kind::finite; };
  if (std::none_of(terms.begin(), terms.end(), is_special)) return std::nullopt;
  ExactSum specials;
  for (const TraceTerm& term : terms) {
    if (is_special(term)) specials.add(term.exact);
  }
  return specials.result();
}

TraceStep special_step(std::string name, std::vector<TraceTerm> terms, const ExactValue<Wide>& sum) {
  TraceStep step{.name = std::move(name), .terms = std::move(terms), .sum = sum};
  step.result = encode(sum, float32).code;
  step.note = sum.kind == Kind::nan ? "NaN, 0 * Inf or infinities of both signs: NaN" : "infinite";
  return step;
}

class AmdMfma final : public StepUnit {
 public:
  AmdMfma(const AmdMfmaSpec& spec, ArithmeticInfo info) : StepUnit(std::move(info)), spec_(spec) {}

 private:
  std::uint64_t take_step(const CodeVector& a, const CodeVector& b, std::size_t first, std::uint64_t c,
                          const StepLog& log) const override {
    switch (spec_.step) {
      case MfmaStep::exact: return exact_step(a, b, first, c, log);
      case MfmaStep::flushing: return flushing_step(a, b, first, c, log);
      case MfmaStep::truncated: break;
    }
    return truncated_step(a, b, first, c, log);
  }

  // Names are for traces: making them takes longer than the arithmetic.
  std::string step_name(std::size_t first) const { return "step " + std::to_string(first / spec_.terms); }

  // The exact products, then c.
  std::vector<TraceTerm> terms_of(const CodeVector& a, const CodeVector& b, std::size_t first,
                                  std::uint64_t c, const StepLog& log) const {
    std::vector<TraceTerm> terms;
    terms.reserve(a.size + 1);
    for (std::size_t i = 0; i < a.size; ++i) {
      const ExactValue<Wide> product =
          wide_product(exact_from_code(a.code(i), a.format), exact_from_code(b.code(i), b.format));
      terms.push_back({.exact = product, .entered = product});
      if (log.trace != nullptr) terms.back().name = product_name(first + i);
    }
    const ExactValue<Wide> addend = widened(exact_from_code(c, float32));
    terms.push_back({.name = "c", .exact = addend, .entered = addend});
    return terms;
  }

  static std::uint64_t finish(TraceStep step, const StepLog& log) {
    const std::uint64_t result = step.result;
    if (log.trace != nullptr) log.trace->push_back(std::move(step));
    return result;
  }

  std::uint64_t exact_step(const CodeVector& a, const CodeVector& b, std::size_t first, std::uint64_t c,
                           const StepLog& log) const {
    TraceStep step{.name = step_name(first), .terms = terms_of(a, b, first, c, log)};
    if (const auto special = special_sum(step.terms))
      return finish(special_step(step.name, step.terms, *special), log);
    ExactSum sum;
    for (const TraceTerm& term : step.terms) sum.add(term.exact);
    step.sum = sum.result();
    if (step.sum.is_zero()) step.sum.negative = false;
    step.result = encode(step.sum, float32).code;
    log.add_rounding(step.sum, float32, Rounding::nearest_even, false);
    return finish(std::move(step), log);
  }

  // A code below the normal range, zeros included, is +0.
  static std::uint64_t read(std::uint64_t code, const FormatSpec& f) {
    return (code & f.magnitude_mask()) < f.min_normal_code() ? 0 : code;
  }

  // A product or a sum, rounded and flushed.
  static std::uint64_t flushed(const ExactValue<Wide>& x, const StepLog& log) {
    log.add_rounding(x, float32, Rounding::nearest_even, true);
    return encode(x, float32, {.subnormals = Subnormals::flush_result}).code;
  }

  static void trace_flushed(std::string name, std::vector<TraceTerm> terms, const ExactValue<Wide>& x,
                            std::uint64_t code, const StepLog& log) {
    TraceStep step{.name = std::move(name), .terms = std::move(terms), .sum = x, .result = code};
    if (!x.is_zero() && x.kind == Kind::finite && (code & float32.magnitude_mask()) == 0)
      step.note = "tiny: flushed";
    log.trace->push_back(std::move(step));
  }

  struct Named {
    std::uint64_t code = 0;
    std::string name{};  // for traces alone
  };
  static Named add(const Named& x, const Named& y, const StepLog& log) {
    const ExactValue<Wide> vx = widened(exact_from_code(x.code, float32));
    const ExactValue<Wide> vy = widened(exact_from_code(y.code, float32));
    const ExactValue<Wide> exact = wide_sum(vx, vy, Rounding::nearest_even);
    Named sum{.code = flushed(exact, log)};
    if (log.trace != nullptr) {
      sum.name = "(" + x.name + " + " + y.name + ")";
      trace_flushed(
          "add " + x.name + " + " + y.name,
          {{.name = x.name, .exact = vx, .entered = vx}, {.name = y.name, .exact = vy, .entered = vy}}, exact,
          sum.code, log);
    }
    return sum;
  }

  std::uint64_t flushing_step(const CodeVector& a, const CodeVector& b, std::size_t first, std::uint64_t c,
                              const StepLog& log) const {
    std::array<Named, 4> products;  // those beyond the end: +0 * +0 = +0
    for (std::size_t i = 0; i < a.size; ++i) {
      const ExactValue<Wide> product = wide_product(exact_from_code(read(a.code(i), a.format), a.format),
                                                    exact_from_code(read(b.code(i), b.format), b.format));
      products[i].code = flushed(product, log);
      if (log.trace != nullptr) {
        const ExactValue<Wide> unread =
            wide_product(exact_from_code(a.code(i), a.format), exact_from_code(b.code(i), b.format));
        trace_flushed("multiply " + product_name(first + i),
                      {{.name = product_name(first + i), .exact = unread, .entered = product}}, product,
                      products[i].code, log);
      }
    }
    Named addend{.code = read(c, float32)};
    if (log.trace != nullptr) {
      addend.name = "c";
      for (std::size_t i = 0; i < spec_.terms; ++i) products[i].name = "p[" + std::to_string(first + i) + "]";
    }
    Named sum = add(products[0], products[1], log);
    if (spec_.terms == 4) sum = add(sum, add(products[2], products[3], log), log);
    return add(addend, sum, log).code;
  }

  std::uint64_t truncated_step(const CodeVector& a, const CodeVector& b, std::size_t first, std::uint64_t c,
                               const StepLog& log) const {
    constexpr int float_top = 128;
    std::vector<TraceTerm> terms = terms_of(a, b, first, c, log);
    for (TraceTerm& term : terms) {
      const ExactValue<Wide>& x = term.exact;
      if (x.kind == Kind::finite && x.exponent + bit_width(x.significand) > float_top)
        term.exact.kind = term.entered.kind = Kind::infinite;
    }
    if (const auto special = special_sum(terms))
      return finish(special_step(step_name(first), std::move(terms), *special), log);

    // The products: truncated to a common unit, added exactly.
    TraceStep products{.name = step_name(first) + ", products"};
    std::optional<int> e_dot;
    std::vector<int> exponents(a.size);
    for (std::size_t i = 0; i < a.size; ++i) {
      exponents[i] = field_exponent(exact_from_code(a.code(i), a.format), a.format) +
                     field_exponent(exact_from_code(b.code(i), b.format), b.format);
      if (!terms[i].exact.is_zero()) e_dot = std::max(e_dot.value_or(exponents[i]), exponents[i]);
    }
    std::int64_t dot = 0;
    const int dot_place = e_dot.value_or(0) - spec_.fraction;
    for (std::size_t i = 0; i < a.size; ++i) {
      if (terms[i].exact.is_zero()) continue;
      const std::int64_t kept =
          cut_shift(signed_significand(terms[i].exact), terms[i].exact.exponent - dot_place);
      dot += kept;
      terms[i].entered = exact_integer(kept, dot_place);
      log.add_error(std::ldexp(1.0, dot_place));
    }
    const TraceTerm addend = terms.back();
    terms.pop_back();
    products.terms = std::move(terms);
    if (e_dot) products.quantum = dot_place;
    products.sum = exact_integer(dot, dot_place);
    products.result = encode(products.sum, formats::float64).code;  // exact: at most 32 bits
    products.format = formats::float64;
    const ExactValue<Wide> dot_value = products.sum;
    finish(std::move(products), log);

    // The dot and c, floored to units of their own; then their sum, floored once more before it is rounded.
    const ExactValue<std::uint64_t> x = exact_from_code(c, float32);
    const int e_c = field_exponent(x, float32);
    const int e = e_dot ? std::max(*e_dot, e_c) : e_c;
    const int place = e - spec_.sum_fraction - 1;
    const std::int64_t floored_dot = e_dot ? floor_shift(dot, dot_place - place) : 0;
    const std::int64_t floored_c =
        floor_shift(signed_significand(widened(x)), x.exponent - (e - spec_.fraction));
    const std::int64_t sum = floored_dot + floor_shift(floored_c, spec_.sum_fraction + 1 - spec_.fraction);
    if (e_dot) log.add_error(std::ldexp(1.0, place));
    log.add_error(std::ldexp(1.0, e - spec_.fraction));

    TraceStep step{.name = step_name(first) + ", dot + c"};
    step.terms = {
        {.name = "dot", .exact = dot_value, .entered = exact_integer(floored_dot, place)},
        {.name = "c", .exact = addend.exact, .entered = exact_integer(floored_c, e - spec_.fraction)}};
    step.quantum = place;
    step.sum = exact_integer(sum, place);
    if (sum != 0) {
      const int e_sum = std::max(step.sum.exponent + bit_width(step.sum.significand) - 1, float32.emin);
      const int last = e_sum - spec_.sum_fraction;
      const std::int64_t kept = last > place ? floor_shift(sum, place - last) : sum;
      const ExactValue<Wide> normalised = exact_integer(kept, std::max(last, place));
      log.add_error(std::ldexp(1.0, last));
      log.add_rounding(normalised, float32, Rounding::nearest_even, false);
      step.result = encode(normalised, float32).code;
      if (last > place) step.note = "sum floored to 2^" + std::to_string(last) + " before it is rounded";
    }
    return finish(std::move(step), log);
  }

  AmdMfmaSpec spec_;
};

}  // namespace

std::unique_ptr<const Unit> make_amd_mfma(const AmdMfmaSpec& spec) {
  const bool pairs = spec.terms == 2 || spec.terms == 4;
  const bool sound_terms = spec.step == MfmaStep::flushing ? pairs : spec.terms >= 1 && spec.terms <= 8;
  const bool sound_input = spec.input == formats::float16 || spec.input == formats::bfloat16;
  if (!sound_terms || !sound_input || spec.fraction < 23 || spec.fraction > 28 ||
      spec.sum_fraction < spec.fraction || spec.sum_fraction > 36) {
    throw ContractError("MFMA unit " + spec.name + ": " + std::string(spec.input.short_name) +
                        ", L = " + std::to_string(spec.terms) + ", F = " + std::to_string(spec.fraction) +
                        ", F2 = " + std::to_string(spec.sum_fraction) +
                        "; it is f16 or bf16, L 1 to 8 (2 or 4 where flushing), F 23 to 28, F2 from F to 36");
  }
  ArithmeticInfo info{.name = spec.name, .family = "amd_mfma", .summary = spec.summary};
  info.inputs = {{spec.input, spec.input}};
  info.step_terms = spec.terms;
  info.order = "steps of " + std::to_string(spec.terms) + " in order";
  info.parameters = {{"L", std::to_string(spec.terms)}};
  info.nan = "0x7FC00000 (not known: the source does not tell NaNs apart)";
  info.source = "arXiv:2511.10909 (MMA-Sim)";
  info.evidence = Evidence::SRC;
  switch (spec.step) {
    case MfmaStep::exact:
      info.order += "; each the exact sum of its products and c";
      info.products = "exact";
      info.fused = true;
      break;
    case MfmaStep::flushing:
      info.order += spec.terms == 4 ? "; each c + ((p0 + p1) + (p2 + p3))" : "; each c + (p0 + p1)";
      info.products = "rounded to float32";
      info.flush_inputs = info.flush_results = true;
      info.flush_by_code = false;
      break;
    case MfmaStep::truncated:
      info.order += "; each a truncated sum of products, then + c, floored";
      info.products = "exact, then truncated to a common unit";
      info.rounding = "floor, then nearest-even";
      info.fused = true;
      info.parameters.emplace_back("F", std::to_string(spec.fraction));
      info.parameters.emplace_back("F2", std::to_string(spec.sum_fraction));
      break;
  }
  return std::make_unique<AmdMfma>(spec, std::move(info));
}

void add_amd_mfma_units(ArithmeticRegistry& registry) {
  using namespace formats;
#define AMD_MFMA(unit_name, format, how, products, text) \
  registry.add(make_amd_mfma(                            \
      {.name = unit_name, .summary = text, .input = format, .step = MfmaStep::how, .terms = products}));
#include "emulation/units/units.def"
#undef AMD_MFMA
}

}  // namespace assay
