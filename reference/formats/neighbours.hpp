// The values around a number in a format, and how far a result lies from the exact number.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "reference/formats/encode.hpp"

namespace assay {

// The next value above, IEEE 754-2019 nextUp: both zeros step to the smallest subnormal, the largest finite number to
// infinity where the format has one. Empty for NaN and where nothing lies above.
constexpr std::optional<std::uint64_t> next_up(std::uint64_t code, const FormatSpec& f) {
  if (f.is_nan(code)) return std::nullopt;
  const std::uint64_t magnitude = code & f.magnitude_mask();
  if (magnitude == 0) return 1;
  if (f.is_negative(code)) {
    // Above the smallest negative number lies -0, or the only zero of a format that has one.
    return magnitude == 1 && f.specials == Specials::fnuz ? 0 : code - 1;
  }
  const std::uint64_t top = f.has_infinity() ? f.infinity_code() : f.max_finite_code();
  if (magnitude == top) return std::nullopt;
  return code + 1;
}

constexpr std::uint64_t negated(std::uint64_t code, const FormatSpec& f) {
  return f.specials == Specials::fnuz && (code & f.magnitude_mask()) == 0 ? code : code ^ f.sign_code();
}

constexpr std::optional<std::uint64_t> next_down(std::uint64_t code, const FormatSpec& f) {
  const std::optional<std::uint64_t> up = next_up(negated(code, f), f);
  return up ? std::optional(negated(*up, f)) : std::nullopt;
}

// (value of `code` - x) / ulp, where ulp = 2^(max(e, emin) - p + 1) is the distance of neighbours in the binade 2^e <=
// |x| < 2^(e+1), or in the format's largest binade above that. Rounded to float64. Infinite if the result is and x is
// not; NaN if either is.
template <class Word>
double error_in_ulps(std::uint64_t code, const ExactValue<Word>& x, const FormatSpec& f) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const double value = decode(code, f);
  if (std::isnan(value) || x.kind == Kind::nan) return nan;
  if (x.kind == Kind::infinite) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    return f.is_infinite(code) ? 0 : x.negative ? infinity : -infinity;
  }
  if (std::isinf(value) || x.is_zero()) return x.is_zero() ? 0 : value;
  const int e = x.exponent + bit_width(x.significand) - 1;
  const int ulp_exponent = std::clamp(e, f.emin, f.emax()) - f.precision + 1;
  // |x| in ulps: an integer part below 2^p inside the range, where it is exact, and a fraction.
  const int cut = ulp_exponent - x.exponent;
  double whole = 0, fraction = 0;
  if (cut <= 0) {
    whole = std::ldexp(static_cast<double>(x.significand), -cut);
  } else if (cut > bit_width(x.significand)) {
    fraction = std::ldexp(static_cast<double>(x.significand), -cut);
  } else {
    whole = static_cast<double>(x.significand >> cut);
    fraction = std::ldexp(static_cast<double>(x.significand & ((Word{1} << cut) - 1)), -cut);
  }
  const double value_in_ulps = std::ldexp(std::fabs(value), -ulp_exponent);
  const double above = (value_in_ulps - whole) - fraction;
  return x.negative ? 0.0 - above : above;
}

}  // namespace assay
