// What a mean may be: every sum that is possible, divided by the number of terms, or times its reciprocal.
#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

#include "reference/operations/exact_values.hpp"
#include "reference/operations/result_set.hpp"

namespace assay {
namespace {

using detail::is_above, detail::is_below, detail::value_of;

// The roundings that a step after a sum by `mode` may have.
std::vector<Rounding> step_roundings(Rounding mode) {
  if (mode == Rounding::nearest_even) return {mode};
  if (mode == Rounding::stochastic)
    return {Rounding::nearest_even, Rounding::toward_negative, Rounding::toward_positive};
  return {Rounding::nearest_even, mode};
}

// n, and n as a value of `given` where that is another.
std::vector<std::size_t> divisors(std::size_t n, const FormatSpec& given) {
  const Encoded rounded = encode(ExactValue<std::uint64_t>{.significand = n}, given);
  if (!rounded.inexact || !given.is_finite(rounded.code)) return {n};
  const double value = decode(rounded.code, given);
  if (value >= 0x1p64) return {n};
  return {n, static_cast<std::size_t>(value)};
}

// The lowest mean that the lowest sum gives, or the highest that the highest gives.
class MeanEnd {
 public:
  MeanEnd(const ExactValue<Wide>& sum, bool is_low, const FormatSpec& given, bool is_output)
      : sum_(sum),
        is_low_(is_low),
        outward_(is_low ? Rounding::toward_negative : Rounding::toward_positive),
        given_(given),
        is_output_(is_output),
        sum_code_(encode(sum, given, {.rounding = outward_}).code) {}

  const ExactValue<Wide>& value() const { return *end_; }

  // The division by n, and the products with its reciprocal.
  void take_all(std::size_t n, const std::vector<Rounding>& modes) {
    take(quotient(sum_, n), modes);
    if (!given_.is_finite(sum_code_)) return;
    for (const Rounding mode : modes) {
      const Encoded reciprocal = encode(quotient(widened(exact(1.0)), n), given_, {.rounding = mode});
      // An exact one gives the quotient; by zero nobody multiplies.
      if (!reciprocal.inexact || (reciprocal.code & given_.magnitude_mask()) == 0) continue;
      take(wide_product(exact_from_code(sum_code_, given_), exact_from_code(reciprocal.code, given_)), modes);
    }
  }

 private:
  void take(const ExactValue<Wide>& mean, const std::vector<Rounding>& modes) {
    // A kernel may round it into a narrower output alone.
    if (!is_output_) reach(mean);
    for (const Rounding mode : modes) reach(value_of(encode(mean, given_, {.rounding = mode}).code, given_));
  }
  void reach(const ExactValue<Wide>& x) {
    if (!end_) {
      end_ = x;
      return;
    }
    const double at = decode(encode(x, formats::float64, {.rounding = outward_}).code, formats::float64);
    if (is_low_ ? is_above(*end_, at) : is_below(*end_, at)) end_ = widened(exact(at));
  }

  ExactValue<Wide> sum_;
  bool is_low_;
  Rounding outward_;
  FormatSpec given_;
  bool is_output_;
  std::uint64_t sum_code_;
  std::optional<ExactValue<Wide>> end_;
};

}  // namespace

ExactValue<Wide> quotient(ExactValue<Wide> x, std::size_t n) {
  if (n == 0) return {.kind = Kind::nan};
  if (x.kind != Kind::finite || x.is_zero()) return x;
  // A quotient of x without tail has at least 62 bits; with one, at least 94 minus the width of n.
  if (!x.sticky) {
    const int room = 126 - bit_width(x.significand);
    x.significand <<= room;
    x.exponent -= room;
  }
  x.sticky = x.sticky || x.significand % n != 0;
  x.significand /= n;
  return x;
}

Spread divided(const Spread& sum, std::size_t n, const FormatSpec& given, Rounding mode,
               const FormatSpec& output) {
  if (n == 0) return spread_of(ExactValue<Wide>{.kind = Kind::nan});
  Spread y = sum;
  y.exact = quotient(sum.exact, n);
  y.is_output = contains_format(output, given);
  const std::vector<Rounding> modes = step_roundings(mode);
  for (const bool is_low : {true, false}) {
    MeanEnd end(is_low ? sum.low : sum.high, is_low, given, y.is_output);
    for (const std::size_t divisor : divisors(n, given)) end.take_all(divisor, modes);
    (is_low ? y.low : y.high) = end.value();
  }
  const Encoded reciprocal = encode(quotient(widened(exact(1.0)), n), given);
  const double part = upward::divide(1, static_cast<double>(n));
  const BoundedValue factor{part, reciprocal.inexact ? BoundedValue{part, 0}.rounded(given, mode).error : 0};
  const double magnitude = std::fabs(decode(encode(sum.exact, formats::float64).code, formats::float64));
  y.error = (BoundedValue{magnitude, sum.error} * factor).rounded(given, mode).error;
  return y;
}

}  // namespace assay
