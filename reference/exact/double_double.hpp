// Double-double arithmetic: numbers of some 106 bits as sums of two doubles, rounded once at the end. For
// functions and exact truths.
//
// Source: T. J. Dekker, "A floating-point technique for extending the available precision" (1971); D. E. Knuth, "The
// Art of Computer Programming", 4.2.2. Relative errors are below 2^-101 each where nothing overflows (from 2^996 on)
// or underflows.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "reference/exact/functions.hpp"

namespace assay::functions::detail {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double double_nan = std::numeric_limits<double>::quiet_NaN();

using Wide = DoubleDouble;
__extension__ using Bits128 = unsigned __int128;

constexpr Wide ordered_sum(double a, double b) {  // |a| >= |b|, or a = 0
  const double s = a + b;
  return {s, b - (s - a)};
}

constexpr Wide two_sum(double a, double b) {
  const double s = a + b, c = s - a;
  return {s, (a - (s - c)) + (b - c)};
}

constexpr Wide two_product(double a, double b) {
  constexpr double splitter = 134217729;  // 2^27 + 1: there need not be a fused multiply-add
  const double p = a * b, ca = splitter * a, cb = splitter * b;
  const double ah = ca - (ca - a), al = a - ah, bh = cb - (cb - b), bl = b - bh;
  return {p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

constexpr Wide operator-(Wide a) { return {-a.hi, -a.lo}; }
constexpr Wide operator+(Wide a, Wide b) {
  const Wide s = two_sum(a.hi, b.hi), t = two_sum(a.lo, b.lo);
  const Wide u = ordered_sum(s.hi, s.lo + t.hi);
  return ordered_sum(u.hi, u.lo + t.lo);
}
constexpr Wide operator+(Wide a, double b) {
  const Wide s = two_sum(a.hi, b);
  return ordered_sum(s.hi, s.lo + a.lo);
}
constexpr Wide operator-(Wide a, Wide b) { return a + -b; }
constexpr Wide operator-(Wide a, double b) { return a + -b; }
constexpr Wide operator*(Wide a, Wide b) {
  const Wide p = two_product(a.hi, b.hi);
  return ordered_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}
constexpr Wide operator*(Wide a, double b) {
  const Wide p = two_product(a.hi, b);
  return ordered_sum(p.hi, p.lo + a.lo * b);
}
constexpr Wide operator/(Wide a, Wide b) {
  const double q = a.hi / b.hi;
  const Wide r = a - b * q;
  const double s = r.hi / b.hi;
  const Wide t = r - b * s;
  return ordered_sum(q, s) + t.hi / b.hi;
}
constexpr Wide times_power(Wide a, double power) { return {a.hi * power, a.lo * power}; }  // of two: exact

inline Wide square_root(Wide a) {
  if (a.hi == 0) return a;
  const double s = std::sqrt(a.hi);
  const Wide rest = a - two_product(s, s);
  return ordered_sum(s, rest.hi / (2 * s));
}

// 2^n for normal results.
constexpr double power_of_two(int n) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(n + 1023) << 52);
}

// v 2^n rounded once to a double, down to the smallest subnormals: 0.5 ulp and what v is off.
inline double scaled(Wide v, int n) {
  if (v.hi == 0) return v.hi;
  const int top = static_cast<int>(std::bit_cast<std::uint64_t>(v.hi) >> 52 & 2047) - 1023 + n;
  if (top > 1024) return v.hi > 0 ? infinity : -infinity;
  if (top < -1080) return std::copysign(0.0, v.hi);
  if (top >= -1021) {  // halved twice, so that no factor overflows
    const int half = n / 2;
    return v.hi * power_of_two(half) * power_of_two(n - half);
  }
  // The nearest multiple of the smallest subnormal, in units of v: the constant brings the last bit there.
  const double unit = power_of_two(-1074 - n), shift = 0x1.8p52 * unit;
  double s = (shift + v.hi) - shift;
  const double rest = (v.hi - s) + v.lo;
  if (rest > unit / 2) s += unit;
  if (rest < -unit / 2) s -= unit;
  return std::copysign(s / unit * 0x1p-1074, v.hi);
}

// Rounded to the nearest float, once: where v is not a double, its odd neighbour stands for it.
inline float rounded(Wide v) {
  if (v.lo == 0 || !(std::fabs(v.hi) < infinity)) return static_cast<float>(v.hi);
  auto bits = std::bit_cast<std::uint64_t>(v.hi);
  if ((bits & 1) == 0) bits = (v.lo > 0) == (v.hi > 0) ? bits + 1 : bits - 1;
  return static_cast<float>(std::bit_cast<double>(bits));
}

}  // namespace assay::functions::detail
