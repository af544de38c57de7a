// A second long accumulator, on purpose unlike the first: one big integer, terms shifted to 2^-3222, and a rounding
// that searches the codes of a format for the neighbours instead of computing them.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <cstdint>
#include <optional>

#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"

namespace assay::test {

class RationalSum {
 public:
  using Integer = boost::multiprecision::cpp_int;
  static constexpr int scale = 3222;

  void add_product(std::uint64_t a, const FormatSpec& fa, std::uint64_t b, const FormatSpec& fb) {
    const bool negative = fa.is_negative(a) != fb.is_negative(b);
    const bool zero_a = is_zero(a, fa), zero_b = is_zero(b, fb);
    if (fa.is_nan(a) || fb.is_nan(b) || (fa.is_infinite(a) && zero_b) || (zero_a && fb.is_infinite(b))) {
      nan = true;
    } else if (fa.is_infinite(a) || fb.is_infinite(b)) {
      (negative ? minus_infinity : plus_infinity) = true;
    } else if (zero_a || zero_b) {
      (negative ? minus_zeros : plus_zeros) = true;
    } else {
      nonzero = true;
      const Integer product = significand(a, fa) * significand(b, fb);
      const Integer term = product << (exponent(a, fa) + exponent(b, fb) + scale);
      total += negative ? Integer(-term) : term;
    }
  }

  // Deterministic modes, Overflow::ieee.
  std::uint64_t rounded(const FormatSpec& f, Rounding mode) const {
    if (nan || (plus_infinity && minus_infinity)) return f.has_nan() ? f.nan_code() : 0;
    const bool infinite = plus_infinity || minus_infinity;
    bool negative = infinite ? minus_infinity : total < 0;
    if (!infinite && total == 0) {
      const bool same = !nonzero && plus_zeros != minus_zeros;
      negative = same ? minus_zeros : (nonzero || plus_zeros) && mode == Rounding::toward_negative;
    }
    const std::uint64_t sign = negative ? f.sign_code() : 0;
    const std::uint64_t max = f.max_finite_code();
    const std::uint64_t beyond = f.has_infinity() ? sign | f.infinity_code()
                                 : f.has_nan()    ? f.nan_code()
                                                  : sign | max;
    if (infinite) return beyond;
    const Integer magnitude = abs(total);
    std::uint64_t low = 0, high = max;  // the largest code not above the magnitude
    while (low < high) {
      const std::uint64_t middle = low + (high - low + 1) / 2;
      (value(middle, f) <= magnitude ? low : high) = value(middle, f) <= magnitude ? middle : middle - 1;
    }
    const Integer below = value(low, f);
    std::uint64_t code = low;
    if (below != magnitude) {
      // The neighbour above the largest number is where its binade would go on.
      const Integer above = low == max ? Integer(below + (Integer(1) << (f.emax() - f.precision + 1 + scale)))
                                       : value(low + 1, f);
      const Integer twice = 2 * magnitude, middle = below + above;
      bool up = false;
      switch (mode) {
        case Rounding::nearest_even: up = twice > middle || (twice == middle && (low & 1) != 0); break;
        case Rounding::nearest_away: up = twice >= middle; break;
        case Rounding::toward_positive: up = !negative; break;
        case Rounding::toward_negative: up = negative; break;
        case Rounding::to_odd: up = (low & 1) == 0 && low != max; break;
        case Rounding::toward_zero:
        case Rounding::stochastic: break;
      }
      const bool far = low == max && magnitude >= above;
      const bool directed_in = mode == Rounding::toward_zero || mode == Rounding::to_odd ||
                               mode == (negative ? Rounding::toward_positive : Rounding::toward_negative);
      if (far) up = !directed_in;
      if (low == max && up) return beyond;
      code = up ? low + 1 : low;
    }
    if (code == 0 && f.specials == Specials::fnuz) return 0;
    return sign | code;
  }

  Integer total = 0;
  bool nan = false, plus_infinity = false, minus_infinity = false, nonzero = false, plus_zeros = false,
       minus_zeros = false;

 private:
  static bool is_zero(std::uint64_t code, const FormatSpec& f) {
    return (code & f.magnitude_mask()) == 0 && !f.is_nan(code);
  }
  static Integer significand(std::uint64_t code, const FormatSpec& f) {
    const std::uint64_t fraction = code & (f.min_normal_code() - 1);
    return Integer(f.is_subnormal(code) ? fraction : fraction + f.min_normal_code());
  }
  static int exponent(std::uint64_t code, const FormatSpec& f) {
    const auto field = static_cast<int>((code & f.magnitude_mask()) >> (f.precision - 1));
    return f.emin - f.precision + 1 + (field == 0 ? 0 : field - 1);
  }
  static Integer value(std::uint64_t code, const FormatSpec& f) {
    return code == 0 ? Integer(0) : Integer(significand(code, f) << (exponent(code, f) + scale));
  }
};

}  // namespace assay::test
