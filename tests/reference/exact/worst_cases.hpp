// Data on which a bound is nearly reached: each rounding errs by as much as it can, all in one direction.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/exact/chain.hpp"
#include "reference/exact/exact_dot.hpp"
#include "tests/reference/exact/operands.hpp"

namespace assay::test {

// |result - truth| as an exact number, and whether it exceeds a bound, by integers.
inline ExactSum exact_error(const ExactSum& truth, std::uint64_t result, const FormatSpec& f) {
  ExactSum error = truth;
  ExactValue<std::uint64_t> value = exact_from_code(result, f);
  value.negative = !value.negative;
  error.add(value);
  if (error.result().negative) error.negate();
  return error;
}
inline bool exceeds(const ExactSum& error, double bound) {
  ExactSum excess = error;
  excess.add(-bound);
  const ExactValue<Wide> x = excess.result();
  return !x.is_zero() && !x.negative;
}

// A dot product together with the arithmetic that errs on it.
struct WorstCase {
  std::string name;
  ChainSpec chain;
  CodeArray a, b;
  std::optional<std::uint64_t> c{};
  std::optional<FormatSpec> output{};
  bool is_sum = false;  // b holds ones and a values of the accumulator: sum_bound() applies

  const FormatSpec& result_format() const { return output ? *output : chain.accumulator; }
};

inline CodeArray coded(const std::vector<double>& values, const FormatSpec& f) {
  CodeArray codes(values.size(), f);
  for (std::size_t i = 0; i < values.size(); ++i) codes.set(i, encode(values[i], f).code);
  return codes;
}

// `first`, then n - 1 times `then`.
inline std::vector<double> repeated(double first, double then, std::size_t n) {
  std::vector<double> values(n, then);
  values[0] = first;
  return values;
}

// For an accumulator of precision p (u = 2^-p) and n terms with n u far below 1.
inline std::vector<WorstCase> worst_cases(const FormatSpec& acc, std::size_t n) {
  const FormatSpec& wide = formats::float64;
  const double u = std::ldexp(1.0, -acc.precision), normal = std::ldexp(1.0, acc.emin);
  const double smallest = 2 * u * normal;
  const auto ones = [&] { return coded(repeated(1, 1, n), wide); };
  const auto chain = [&](std::optional<FormatSpec> product, Rounding mode, bool flush = false) {
    return ChainSpec{.name = "worst",
                     .accumulator = acc,
                     .product = product,
                     .rounding = mode,
                     .flush_inputs = flush,
                     .flush_results = flush};
  };
  const std::optional<FormatSpec> fused;
  std::vector<WorstCase> cases;
  const auto sum = [&](std::string name, Rounding mode, double first, double then) {
    cases.push_back({std::move(name), chain(fused, mode), coded(repeated(first, then, n), acc),
                     coded(repeated(1, 1, n), acc)});
    cases.back().is_sum = true;
  };
  // Nearest: 1 + u is a tie and stays 1. Away: the tie goes up, so that the sum stays on the grid of 2u.
  sum("sum nearest_even", Rounding::nearest_even, 1, u);
  sum("sum nearest_away", Rounding::nearest_away, 1, u);
  sum("sum toward_zero", Rounding::toward_zero, 1, 2 * u * (1 - 2 * u));
  sum("sum toward_positive", Rounding::toward_positive, 1, 2 * u * 0x1p-5);
  sum("sum toward_negative", Rounding::toward_negative, -1, -2 * u * 0x1p-5);
  // Even 1 goes up to the odd 1 + 2u; from there 2u and a little lands past an even number, so it goes up again.
  sum("sum to_odd", Rounding::to_odd, 1 + 2 * u, 2 * u * (1 + 4 * u));

  // The first product is itself a tie; then as above.
  const double root = 1 + std::ldexp(1.0, -acc.precision / 2);  // its square ends in 2^-p where p is even
  const bool even = acc.precision % 2 == 0;
  std::vector<double> first(n, u), second(n, 1.0);
  first[0] = even ? root : 1 + u;
  second[0] = even ? root : 1;
  for (const auto& product : {fused, std::optional(acc)}) {
    const std::string how = product ? " rounded" : " fused";
    cases.push_back(
        {"dot" + how, chain(product, Rounding::nearest_even), coded(first, wide), coded(second, wide)});
    // Products of half the smallest number are ties, to zero; three quarters of it under RZ.
    cases.push_back({"underflow" + how, chain(product, Rounding::nearest_even),
                     coded(repeated(smallest / 2, smallest / 2, n), wide), ones()});
    cases.push_back({"underflow toward_zero" + how, chain(product, Rounding::toward_zero),
                     coded(repeated(smallest * 0.9375, smallest * 0.9375, n), wide), ones()});
    // Products just below the smallest normal number are lost.
    cases.push_back({"flush" + how, chain(product, Rounding::nearest_even, true),
                     coded(repeated(normal / 2 * (1 - 4 * u), normal / 2 * (1 - 4 * u), n), wide),
                     coded(repeated(1.75, 1.75, n), wide)});
  }
  WorstCase addend{"addend", chain(fused, Rounding::nearest_even), coded(repeated(u, u, n), wide), ones()};
  addend.c = encode(1.0, acc).code;
  cases.push_back(addend);
  WorstCase narrow{"output", chain(fused, Rounding::nearest_even), coded({1 + 0x1p-3, 0}, wide),
                   coded({1, 1}, wide)};
  narrow.output = formats::float8_e5m2;
  cases.push_back(narrow);
  // Products rounded to a coarser format than the accumulator's: ties at each.
  const FormatSpec coarse{"custom", "custom", 15, 4, -1022, Specials::ieee};
  if (acc.precision > 8) {
    cases.push_back({"product format", chain(coarse, Rounding::nearest_even),
                     coded(repeated(1 + 0x1p-4, 1 + 0x1p-4, n), wide), ones()});
  }
  return cases;
}

struct Judged {
  ExactSum error;
  TermSums data;
  std::uint64_t result = 0;
};

inline Judged judge(const WorstCase& worst) {
  const auto arithmetic = make_chain(worst.chain);
  const FormatSpec& f = worst.result_format();
  Judged judged;
  judged.result = arithmetic->dot(worst.a.view(), worst.b.view(), worst.c, f);
  const ExactDot truth = arithmetic->exact(worst.a.view(), worst.b.view(), worst.c);
  judged.error = exact_error(truth.value, judged.result, f);
  judged.data = {.terms = worst.a.size(),
                 .magnitudes = truth.magnitudes,
                 .addend = worst.c.has_value(),
                 .exact = truth.value.magnitude_up()};
  return judged;
}

inline Accumulation accumulation_of(const WorstCase& worst) {
  Accumulation how = accumulation(worst.chain);
  how.output = worst.output;
  return how;
}

inline double bound_of(const WorstCase& worst, const TermSums& data) {
  const Accumulation how = accumulation_of(worst);
  return (worst.is_sum ? sum_bound(how, data) : dot_bound(how, data)).value;
}

}  // namespace assay::test
