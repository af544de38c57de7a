#include "tests/support/rational.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "reference/core/error.hpp"

namespace assay::oracle {
namespace {

Integer shifted(int exponent) { return Integer(1) << static_cast<unsigned>(exponent); }

// The number that a magnitude's code counts to on the grid, whatever the format uses the code for.
Rational grid_value(std::uint64_t magnitude, const FormatSpec& f) {
  const std::uint64_t field = magnitude >> (f.precision - 1);
  const std::uint64_t trailing = magnitude - (field << (f.precision - 1));
  const std::uint64_t hidden = field == 0 ? 0 : std::uint64_t{1} << (f.precision - 1);
  const int exponent = f.emin + (field == 0 ? 0 : static_cast<int>(field) - 1);
  return Rational(hidden + trailing) * power_of_two(exponent - f.precision + 1);
}

// Magnitudes from 0 up to this one are numbers.
std::uint64_t last_number(const FormatSpec& f) {
  const std::uint64_t all = (std::uint64_t{1} << (f.bits - 1)) - 1;
  switch (f.specials) {
    case Specials::ieee: return all - (std::uint64_t{1} << (f.precision - 1));  // below the top binade
    case Specials::fn: return all - 1;
    case Specials::fnuz:
    case Specials::finite: break;
  }
  return all;
}

// Is the upper of two neighbours taken? `rest` of the distance between them lies below x.
bool takes_upper(Rounding mode, bool negative, bool lower_is_odd, const Rational& rest) {
  static const Rational half(1, 2);
  if (rest == 0) return false;
  switch (mode) {
    case Rounding::nearest_even: return rest > half || (rest == half && lower_is_odd);
    case Rounding::nearest_away: return rest >= half;
    case Rounding::toward_zero: return false;
    case Rounding::toward_positive: return !negative;
    case Rounding::toward_negative: return negative;
    case Rounding::to_odd: return !lower_is_odd;
    case Rounding::stochastic: break;
  }
  throw ContractError("no stochastic rounding here");
}

// IEEE 754-2019 7.4: an overflow ends at the largest number where the direction points back to it.
bool overflow_is_largest(Rounding mode, bool negative) {
  switch (mode) {
    case Rounding::toward_zero:
    case Rounding::to_odd: return true;
    case Rounding::toward_positive: return negative;
    case Rounding::toward_negative: return !negative;
    default: return false;
  }
}

}  // namespace

Rational power_of_two(int exponent) {
  return exponent >= 0 ? Rational(shifted(exponent)) : Rational(Integer(1), shifted(-exponent));
}

int floor_log2(const Rational& positive) {
  if (positive <= 0) throw ContractError("the logarithm of a number that is not positive");
  const int guess = static_cast<int>(msb(numerator(positive))) - static_cast<int>(msb(denominator(positive)));
  return positive < power_of_two(guess) ? guess - 1 : guess;
}

Number finite(const Rational& value) { return {.negative = value < 0, .value = value}; }
Number infinity(bool negative) { return {.kind = Number::Kind::infinite, .negative = negative}; }
Number nan() { return {.kind = Number::Kind::nan}; }

Number number_of(double x) {
  static const FormatSpec binary64{"", "", 64, 53, -1022, Specials::ieee};
  return number_of(std::bit_cast<std::uint64_t>(x), binary64);
}

Number number_of(std::uint64_t code, const FormatSpec& f) {
  const std::uint64_t sign = std::uint64_t{1} << (f.bits - 1), magnitude = code % sign;
  const bool negative = code >= sign;
  if (f.specials == Specials::fnuz && negative && magnitude == 0) return nan();
  const std::uint64_t last = last_number(f);
  if (magnitude > last)
    return f.specials == Specials::ieee && magnitude == last + 1 ? infinity(negative) : nan();
  Number x = finite(grid_value(magnitude, f));
  if (negative) x = negated(x);
  return x;
}

Rational largest(const FormatSpec& f) { return grid_value(last_number(f), f); }

Rational overflow_threshold(const FormatSpec& f) {
  return (grid_value(last_number(f), f) + grid_value(last_number(f) + 1, f)) / 2;
}

std::optional<std::uint64_t> code_of(const Number& x, const FormatSpec& f, Rounding mode, Overflow overflow) {
  const bool infinities = f.specials == Specials::ieee, nans = f.specials != Specials::finite;
  const std::uint64_t sign = x.negative ? std::uint64_t{1} << (f.bits - 1) : 0, last = last_number(f);
  const std::uint64_t a_nan = f.specials == Specials::ieee
                                  ? last + 1 + (std::uint64_t{1} << (f.precision - 2))
                              : f.specials == Specials::fnuz ? std::uint64_t{1} << (f.bits - 1)
                                                             : last + 1;
  if (x.is_nan()) return nans ? std::optional(a_nan) : std::nullopt;

  std::uint64_t magnitude = last + 1;
  if (x.is_finite()) {
    if (x.value == 0) return f.specials == Specials::fnuz ? 0 : sign;
    const Rational size = abs(x.value);
    const int e = std::max(floor_log2(size), f.emin);
    const Rational steps = size / power_of_two(e - f.precision + 1);  // below 2^p
    Integer lower = numerator(steps) / denominator(steps);
    if (takes_upper(mode, x.negative, (lower & 1) != 0, steps - Rational(lower))) ++lower;
    // 2^(p-1) numbers a binade, and as many below the first.
    const Integer count = Integer(e - f.emin) * shifted(f.precision - 1) + lower;
    if (count <= last) magnitude = static_cast<std::uint64_t>(count);
  }
  if (magnitude <= last) return f.specials == Specials::fnuz && magnitude == 0 ? 0 : sign | magnitude;
  if (overflow == Overflow::saturate || !nans || (x.is_finite() && overflow_is_largest(mode, x.negative)))
    return sign | last;
  return infinities ? sign | (last + 1) : a_nan;
}

Number rounded(const Number& x, const FormatSpec& f, Rounding mode) {
  if (x.is_nan()) return x;
  return number_of(code_of(x, f, mode, Overflow::ieee).value(), f);
}

Number negated(Number x) {
  x.negative = !x.negative;
  x.value = -x.value;
  return x;
}

Number product(const Number& x, const Number& y) {
  if (x.is_nan() || y.is_nan()) return nan();
  const bool negative = x.negative != y.negative;
  if (x.is_infinite() || y.is_infinite()) return x.is_zero() || y.is_zero() ? nan() : infinity(negative);
  return {.negative = negative, .value = x.value * y.value};
}

Number sum(const Number& x, const Number& y, Rounding mode) {
  if (x.is_nan() || y.is_nan()) return nan();
  if (x.is_infinite() && y.is_infinite()) return x.negative == y.negative ? x : nan();
  if (x.is_infinite()) return x;
  if (y.is_infinite()) return y;
  const Rational value = x.value + y.value;
  if (value != 0) return finite(value);
  const bool both_zero = x.value == 0;
  const bool negative =
      both_zero && x.negative == y.negative ? x.negative : mode == Rounding::toward_negative;
  return {.negative = negative};
}

Number quotient(const Number& x, const Integer& positive) {
  Number y = x;
  y.value /= Rational(positive);
  return y;
}

int compare(const Number& x, const Number& y) {
  if (x.is_nan() || y.is_nan()) throw ContractError("NaN has no order");
  const auto side = [](const Number& n) { return n.is_infinite() ? (n.negative ? -1 : 1) : 0; };
  if (side(x) != side(y)) return side(x) < side(y) ? -1 : 1;
  return x.value < y.value ? -1 : x.value > y.value ? 1 : 0;
}

}  // namespace assay::oracle
