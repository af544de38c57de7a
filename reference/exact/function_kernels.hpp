// The elementary functions in double-double, after the reduction of arguments and without special values. Polynomials
// are Taylor's: arguments are small enough. Internal to functions.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "reference/exact/double_double.hpp"
#include "reference/exact/function_tables.hpp"

namespace assay::functions::detail {

// Nearest integer of |x| < 2^51, and as an int.
struct Nearest {
  double value;
  int integer;
};
inline Nearest nearest(double x) {
  const double shifted = x + 0x1.8p52;
  return {shifted - 0x1.8p52,
          static_cast<int>(static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(shifted)))};
}

// An exponential as 2^exponent * (table + table * rest).
struct Exponential {
  Wide table, rest;
  int exponent;
};
inline Wide value(const Exponential& e) { return e.table + e.table * e.rest; }

Exponential exponential(Wide x);  // e^x, |x| < 2^11
Exponential exponential2(Wide x);
Exponential exponential10(double x);
inline Wide scaled_value(const Exponential& e) {  // where neither part overflows or becomes subnormal
  return times_power(value(e), power_of_two(e.exponent));
}
Wide wide_expm1(Wide x);  // |x| < 600

// A logarithm as k log 2 + -log c + log(1 + r).
struct Reduced {
  double k;
  const Logarithm* entry;
  double m;  // the significand
};
inline Reduced reduce(double x) {  // positive and normal
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const std::size_t i = bits >> 45 & 127;
  const int k = static_cast<int>(bits >> 52) - 1023;
  return {static_cast<double>(i < above_sqrt2 ? k : k + 1), &logarithms[i],
          std::bit_cast<double>((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000)};
}
// What a number next to x becomes where x becomes m.
inline double with_significand(double y, double x) {
  const int k = static_cast<int>(std::bit_cast<std::uint64_t>(x) >> 52) - 1023, half = k / 2;
  return y * power_of_two(-half) * power_of_two(half - k);
}

struct LogParts {
  double k;
  Wide table, small;
};
// log(x + tail): x positive and normal, |tail| at most an ulp of x, or any tail if x = 1.
LogParts log_parts(double x, Wide tail);
Wide wide_log(double x, Wide tail = {0, 0});
Wide wide_log2(double x);
Wide wide_log1p(Wide x);  // -1 < x

// x = q pi/2 + r, |r| <= pi/4.
struct Quadrant {
  int q;
  Wide r;
};

// The k-th 64 bits of 2 / pi after position `first` of the table.
inline std::uint64_t window(int first, int k) {
  const auto word = static_cast<std::size_t>((first >> 6) + k);
  const int shift = first & 63;
  return two_over_pi[word] << shift | (two_over_pi[word + 1] >> 1) >> (63 - shift);
}

Quadrant wide_quadrant(double x);
SineCosine wide_sine_cosine(Wide r);  // |r| < 0.8
SineCosine in_quadrant(const SineCosine& a, int q);
Wide wide_arctangent(Wide t);  // 0 <= t, finite

// The integral of e^(-2cs - s^2) over s from 0 to h, |2ch| < 2.
Wide gauss_integral(double c, Wide h);
// v 2^exponent.
struct Scaled {
  Wide v;
  int exponent;
};
Scaled wide_erfc(double x);  // 0 <= x < 28

}  // namespace assay::functions::detail
