// The elementary functions in double: what is tried first for floats. Relative errors are below 2^-49 but for erfc,
// most far below; whether that is so is not taken for granted but is a part of what the exhaustive tests show.
// Internal to functions.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "reference/exact/function_kernels.hpp"

namespace assay::functions::detail {

constexpr double first_error = 0x1p-48;

// The float next to y if none of the values within this relative error of y rounds otherwise.
inline bool settled(double y, float& result, double error = first_error) {
  const float below = static_cast<float>(y - y * error), above = static_cast<float>(y + y * error);
  result = below;
  return below == above;
}

constexpr double f(std::size_t n) { return inverse_factorial[n].hi; }  // 1 / n!

inline double fast_small_expm1(double r) {
  const double s = r * r;
  return r + s * ((0.5 + r * f(3)) + s * ((f(4) + r * f(5)) + s * f(6)));
}

struct FastExponential {
  Wide table;
  double power, rest;
};
inline FastExponential with_table(Nearest k, double r) {
  return {powers[static_cast<std::size_t>(k.integer & 63)], power_of_two(k.integer >> 6),
          fast_small_expm1(r)};
}
inline FastExponential fast_exponential(double x) {  // |x| < 700
  const Nearest k = nearest(x * (64 * log2_e.hi));
  const double n = k.value * (1.0 / 64);
  return with_table(k, (x - n * ln2_1) - n * ln2_2);
}
inline double value(const FastExponential& e) {
  return e.power * (e.table.hi + (e.table.lo + e.table.hi * e.rest));
}
inline double fast_exp(double x) { return value(fast_exponential(x)); }
inline double fast_expm1(double x) {
  const FastExponential e = fast_exponential(x);
  return (e.power * e.table.hi - 1) + e.power * (e.table.lo + e.table.hi * e.rest);
}

inline double fast_small_log1p(double r) {
  const double s = r * r;
  return r + s * ((-1.0 / 2 + r * (1.0 / 3)) +
                  s * ((-1.0 / 4 + r * (1.0 / 5)) + s * ((-1.0 / 6 + r * (1.0 / 7)) + s * (-1.0 / 8))));
}
inline double fast_log_sum(double k, const Wide& table, double r) {
  return (k * ln2_1 + table.hi) + (fast_small_log1p(r) + (k * ln2_2 + table.lo));
}
inline double fast_log(double x) {  // a float's value: m c - 1 is exact
  const Reduced a = reduce(x);
  return fast_log_sum(a.k, a.entry->log, a.m * a.entry->c - 1);
}
inline double fast_log1p(double x) {  // -1 < x < 2^300
  const Wide s = two_sum(1, x);
  const Reduced a = reduce(s.hi);
  const double front = std::bit_cast<double>(std::bit_cast<std::uint64_t>(a.m) & ~std::uint64_t{0xFFFFFFFF});
  const double tail = s.lo == 0 ? 0 : with_significand(s.lo, s.hi);
  // All but the last sum are exact next to 1, where c is 1 or 1/2.
  const double r = ((front * a.entry->c - 1) + (a.m - front) * a.entry->c) + tail * a.entry->c;
  return fast_log_sum(a.k, a.entry->log, r);
}

struct FastQuadrant {
  int q;
  double r;
};
inline FastQuadrant fast_quadrant(float x) {  // as wide_quadrant, with 128 bits
  if (std::fabs(x) < 0.78f) return {0, static_cast<double>(x)};
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x) & 0x7FFFFFFF;
  const int e = static_cast<int>(bits >> 23) - 150;
  const std::uint64_t m = (bits & 0x7FFFFF) | 0x800000;
  const int first = e - 1 + 63;
  const Bits128 p =
      (static_cast<Bits128>(m * window(first, 0)) << 64) + static_cast<Bits128>(m) * window(first, 1);
  const std::uint64_t high = static_cast<std::uint64_t>(p >> 64);
  const int q = static_cast<int>((high >> 61) + 1) >> 1;
  const double fraction =
      static_cast<double>(static_cast<std::int64_t>(high << 2) >> 2) * 0x1p-62 +
      static_cast<double>(static_cast<std::int64_t>(static_cast<std::uint64_t>(p) >> 1)) * 0x1p-125;
  const double r = fraction * half_pi.hi;
  return x < 0 ? FastQuadrant{-q, -r} : FastQuadrant{q, r};
}
inline double fast_sine(double r) {
  const double s = r * r, t = s * s;
  const double low = (-f(3) + s * f(5)) + t * (-f(7) + s * f(9));
  const double high = (-f(11) + s * f(13)) + t * (-f(15) + s * f(17));
  return r + r * s * (low + t * t * high);
}
inline double fast_cosine(double r) {
  const double s = r * r, t = s * s;
  const double low = (f(4) - s * f(6)) + t * (f(8) - s * f(10));
  const double high = (f(12) - s * f(14)) + t * (f(16) - s * f(18));
  return (1 - 0.5 * s) + t * (low + t * t * high);
}
inline double fast_sine_in_quadrant(int q, double r) {
  const double y = (q & 1) == 0 ? fast_sine(r) : fast_cosine(r);
  return (q & 2) == 0 ? y : -y;
}

inline double fast_arctangent(double t) {  // 0 <= t
  const bool inverted = t > 1;
  if (inverted) t = 1 / t;
  const Nearest j = nearest(t * 64);
  const double c = j.value * (1.0 / 64);
  const double d = (t - c) / (1 + t * c), s = d * d;
  const Wide& table = arctangents[static_cast<std::size_t>(j.integer)];
  const double y =
      table.hi + (table.lo + (d + d * s * (-1.0 / 3 + s * (1.0 / 5 + s * (-1.0 / 7 + s * (1.0 / 9))))));
  return inverted ? half_pi.hi - (y - half_pi.lo) : y;
}

// erf, erfc and the Taylor coefficients of erfc at j / 16.
struct ErrorFunction {
  double erf, erfc;
  std::array<double, 12> coefficients;
};
constexpr std::size_t error_function_entries = 10 * 16 + 4;  // to 10.2: from 10.06 on erfc rounds to zero
inline std::array<ErrorFunction, error_function_entries> error_function_table() {
  std::array<ErrorFunction, error_function_entries> table{};
  for (std::size_t j = 0; j < error_function_entries; ++j) {
    const double c = static_cast<double>(j) / 16;
    const Scaled erfc = wide_erfc(c);
    const Wide value_of_erfc = times_power(erfc.v, power_of_two(erfc.exponent));
    ErrorFunction& entry = table[j];
    entry.erfc = value_of_erfc.hi;
    entry.erf = j == 0 ? 0 : (Wide{1, 0} - value_of_erfc).hi;
    Wide g = two_over_root_pi * scaled_value(exponential({-c * c, 0})), before{0, 0};
    for (std::size_t n = 0; n < 12; ++n) {
      entry.coefficients[n] = -(g * inverse_of[n + 1]).hi;
      const Wide next = times_power(g * c + before, -2) * inverse_of[n + 1];
      before = g;
      g = next;
    }
  }
  return table;
}
constexpr double erfc_error = 0x1p-38;  // at the far end; below 4 it is 2^-49
struct FastErrorFunction {
  const ErrorFunction& entry;
  double change;  // of erfc
};
inline FastErrorFunction fast_error_function(double x) {  // 0 <= x < 10.2
  static const auto table = error_function_table();
  const Nearest j = nearest(x * 16);
  const ErrorFunction& entry = table[static_cast<std::size_t>(j.integer)];
  const auto& a = entry.coefficients;
  const double h = x - j.value * (1.0 / 16), s = h * h, t = s * s;
  const double low = (a[0] + h * a[1]) + s * (a[2] + h * a[3]);
  const double middle = (a[4] + h * a[5]) + s * (a[6] + h * a[7]);
  const double high = (a[8] + h * a[9]) + s * (a[10] + h * a[11]);
  return {entry, h * (low + t * (middle + t * high))};
}

inline double as_double(float x) { return static_cast<double>(x); }

constexpr float float_infinity = std::numeric_limits<float>::infinity();
constexpr float float_nan = std::numeric_limits<float>::quiet_NaN();

constexpr double tiny = 0x1p-300;  // a double below it in magnitude: functions with f(x) = x + O(x^2) give x

// A cube root within 2^-50, for 2^-1000 < x < 2^1000.
inline double near_cube_root(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const int k = static_cast<int>(bits >> 52) - 1023 + 1200, third = k / 3;
  const double m = std::bit_cast<double>((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000);
  constexpr std::array<double, 3> roots{1, 0x1.428a2f98d728bp+0, 0x1.965fea53d6e3dp+0};  // of 1, 2, 4
  // A polynomial within 2^-21.9, then Halley's step, which triples the digits.
  const double s = m * m;
  const double y = (0x1.cb68f94b94beap-2 + m * 0x1.e33114033c8b7p-1) +
                   s * ((-0x1.4f65258278179p-1 + m * 0x1.8026ac948a766p-2) +
                        s * ((-0x1.1d2e558db1d25p-3 + m * 0x1.e346250683378p-6) + s * -0x1.6254d5208eb99p-9));
  const double cube = y * y * y;
  const double root = y - y * ((cube - m) / (2 * cube + m));
  return root * (roots[static_cast<std::size_t>(k - 3 * third)] * power_of_two(third - 400));
}

}  // namespace assay::functions::detail
