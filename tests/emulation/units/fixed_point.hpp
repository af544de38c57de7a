// Numbers for second implementations of units, on purpose unlike the first: one big integer in units of 2^-600, and a
// rounding that searches the codes of a format for the neighbours instead of computing them.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <cstdint>

#include "reference/formats/formats.hpp"

namespace assay::test {

using Integer = boost::multiprecision::cpp_int;
constexpr int fixed_scale = 600;

inline Integer power_of_two(int e) { return Integer(1) << (e + fixed_scale); }

// What a code stands for: nan, inf (+1 or -1), or a value; the exponent of its field.
struct Fixed {
  bool nan = false;
  int infinite = 0;
  bool minus = false;  // the sign, of zeros too
  Integer value = 0;   // in units of 2^-fixed_scale
  int field = 0;       // the smallest normal's for subnormals and zero

  bool finite() const { return !nan && infinite == 0; }
  bool zero() const { return finite() && value == 0; }
};

inline Fixed fixed_from_code(std::uint64_t code, const FormatSpec& f) {
  Fixed x;
  x.minus = f.is_negative(code);
  x.nan = f.is_nan(code);
  if (f.is_infinite(code)) x.infinite = x.minus ? -1 : 1;
  if (!x.finite()) return x;
  const auto field = static_cast<int>((code & f.magnitude_mask()) >> (f.precision - 1));
  const std::uint64_t fraction = code & (f.min_normal_code() - 1);
  x.field = field == 0 ? f.emin : f.emin + field - 1;
  x.value = fraction;
  if (field != 0) x.value += f.min_normal_code();
  x.value <<= x.field - f.precision + 1 + fixed_scale;
  if (x.minus) x.value = -x.value;
  return x;
}

inline Fixed product(const Fixed& a, const Fixed& b) {
  Fixed x;
  x.minus = a.minus != b.minus;
  x.nan = a.nan || b.nan || (a.infinite != 0 && b.zero()) || (a.zero() && b.infinite != 0);
  if (x.nan) return x;
  if (!a.finite() || !b.finite()) {
    x.infinite = x.minus ? -1 : 1;
    return x;
  }
  x.value = Integer(a.value * b.value) >> fixed_scale;  // exact: products are multiples of 2^-fixed_scale
  x.field = a.field + b.field;
  return x;
}

// |x| < 2^e
inline bool below_power(const Integer& x, int e) { return abs(x) < power_of_two(e); }
// e with 2^e <= |x| < 2^(e+1); x not zero.
inline int floor_log2(const Integer& x) { return static_cast<int>(msb(Integer(abs(x)))) - fixed_scale; }

// x to a multiple of 2^place: toward zero, or toward minus infinity.
inline Integer cut_to(const Integer& x, int place) {
  const Integer unit = power_of_two(place);
  const Integer magnitude = abs(x);
  const Integer kept = magnitude / unit * unit;
  return x < 0 ? Integer(-kept) : kept;
}
inline Integer floor_to(const Integer& x, int place) {
  const Integer kept = cut_to(x, place);
  return x < kept ? Integer(kept - power_of_two(place)) : kept;
}

enum class Nearby { even, zero, odd, up, down };

// x as a float32 code. Values from 2^128 on are infinite in all modes; `sign_of_zero` if x is zero.
inline std::uint32_t to_float32(const Integer& x, Nearby mode, bool sign_of_zero = false) {
  const FormatSpec& f = formats::float32;
  const bool minus = x < 0 || (x == 0 && sign_of_zero);
  const std::uint32_t sign = minus ? 0x80000000U : 0U;
  const Integer magnitude = abs(x);
  const auto value = [&](std::uint32_t code) { return fixed_from_code(code, f).value; };
  const std::uint32_t infinity = 0x7F800000U;
  if (magnitude >= power_of_two(128)) return sign | infinity;
  std::uint32_t low = 0, high = infinity - 1;
  while (low < high) {
    const std::uint32_t middle = low + (high - low + 1) / 2;
    if (value(middle) <= magnitude) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  const Integer below = value(low);
  if (below == magnitude) return sign | low;
  const Integer above = low + 1 == infinity ? power_of_two(128) : value(low + 1);
  const Integer twice = 2 * magnitude, middle = below + above;
  bool up = false;
  switch (mode) {
    case Nearby::even: up = twice > middle || (twice == middle && (low & 1) != 0); break;
    case Nearby::odd: up = (low & 1) == 0; break;
    case Nearby::up: up = !minus; break;
    case Nearby::down: up = minus; break;
    case Nearby::zero: break;
  }
  return sign | (up ? low + 1 : low);
}

}  // namespace assay::test
