#include "reference/exact/function_kernels.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace assay::functions::detail {

// e^r - 1, |r| < 2^-7.
Wide small_expm1(Wide r) {
  double high = 0;
  for (std::size_t n = 13; n > 6; --n) high = (high + inverse_factorial[n].hi) * r.hi;
  Wide sum{high, 0};
  for (std::size_t n = 6; n > 0; --n) sum = (sum + inverse_factorial[n]) * r;
  return sum;
}

Exponential exponential(Wide x) {  // |x| < 2^11
  const Nearest k = nearest(x.hi * (64 * log2_e.hi));
  const double n = k.value / 64;
  const Wide r = (Wide{x.hi - n * ln2_1, 0} - two_product(n, ln2_2)) + (x.lo - n * ln2_3);
  return {powers[static_cast<std::size_t>(k.integer & 63)], small_expm1(r), k.integer >> 6};
}

Exponential exponential2(Wide x) {
  const Nearest k = nearest(x.hi * 64);
  const Wide r = ln2 * (Wide{x.hi - k.value / 64, 0} + x.lo);
  return {powers[static_cast<std::size_t>(k.integer & 63)], small_expm1(r), k.integer >> 6};
}

Exponential exponential10(double x) {
  const Nearest k = nearest(x * (64 * ln10.hi * log2_e.hi));
  const double n = k.value / 64;
  const Wide r = ln10 * ((Wide{x - n * log10_2_1, 0} - two_product(n, log10_2_2)) + -n * log10_2_3);
  return {powers[static_cast<std::size_t>(k.integer & 63)], small_expm1(r), k.integer >> 6};
}

Wide wide_expm1(Wide x) {  // |x| < 600
  const Exponential e = exponential(x);
  const double power = power_of_two(e.exponent);
  const Wide table = times_power(e.table, power);
  return (table - 1.0) + table * e.rest;
}

// log(1 + r), |r| < 2^-6.9.
Wide small_log1p(Wide r) {
  double high = 0;
  for (std::size_t n = 18; n > 7; --n)
    high = (high + (n % 2 == 0 ? -inverse_of[n].hi : inverse_of[n].hi)) * r.hi;
  Wide sum{high, 0};
  for (std::size_t n = 7; n > 0; --n) sum = (sum + (n % 2 == 0 ? -inverse_of[n] : inverse_of[n])) * r;
  return sum;
}

// log(x + tail): x positive and normal, |tail| at most an ulp of x, or any tail if x = 1.
LogParts log_parts(double x, Wide tail) {
  const Reduced a = reduce(x);
  const Wide product = two_product(a.m, a.entry->c);
  Wide r{product.hi - 1, product.lo};
  if (tail.hi != 0) {
    const Wide t{with_significand(tail.hi, x), with_significand(tail.lo, x)};
    r = two_sum(r.hi, r.lo) + t * a.entry->c;
  }
  return {a.k, a.entry->log, small_log1p(two_sum(r.hi, r.lo))};
}

Wide wide_log(double x, Wide tail) {
  const LogParts a = log_parts(x, tail);
  const Wide whole = (Wide{a.k * ln2_1, 0} + two_product(a.k, ln2_2)) + a.k * ln2_3;
  return (whole + a.table) + a.small;
}

Wide wide_log2(double x) {
  const LogParts a = log_parts(x, {0, 0});
  return (a.table + a.small) * log2_e + a.k;
}

Wide wide_log1p(Wide x) {  // -1 < x
  const Wide s = two_sum(1, x.hi);
  return wide_log(s.hi, two_sum(s.lo, x.lo));
}

// |x| = m 2^e times 2 / pi, modulo 4: bits of 2 / pi above weight 2^(2-e) add multiples of 4, so the product of m with
// 256 bits below gives two bits of the quadrant and 254 of the fraction, off by less than 2^-200. (M. Payne, R. Hanek,
// "Radian reduction for trigonometric functions", 1983.)
Quadrant wide_quadrant(double x) {
  if (std::fabs(x) < 0.78) return {0, {x, 0}};
  const auto bits = std::bit_cast<std::uint64_t>(std::fabs(x));
  const int e = static_cast<int>(bits >> 52) - 1075;
  const std::uint64_t m = (bits & 0xFFFFFFFFFFFFF) | 0x10000000000000;
  const int first = e - 1 + 63;      // the first bit has weight 2^(1-e)
  std::array<std::uint64_t, 4> p{};  // most significant first
  std::uint64_t carry = 0;
  for (int k = 3; k >= 0; --k) {
    const auto product = static_cast<Bits128>(m) * window(first, k) + carry;
    p[static_cast<std::size_t>(k)] = static_cast<std::uint64_t>(product);
    carry = static_cast<std::uint64_t>(product >> 64);
  }
  int q = static_cast<int>(p[0] >> 62);
  const bool up = (p[0] >> 61 & 1) != 0;  // the fraction is a half or more: from the other side
  if (up) {
    ++q;
    for (auto& word : p) word = ~word;  // off by 2^-254
  }
  p[0] &= 0x3FFFFFFFFFFFFFFF;
  // The top 106 bits in two doubles.
  int zeros = 0, word = 0;
  while (p[static_cast<std::size_t>(word)] == 0) ++word;
  zeros = std::countl_zero(p[static_cast<std::size_t>(word)]);
  const auto at = [&](int k) {
    if (k > 3) return std::uint64_t{0};
    const std::uint64_t next = k < 3 ? p[static_cast<std::size_t>(k + 1)] : 0;
    return p[static_cast<std::size_t>(k)] << zeros | (next >> 1) >> (63 - zeros);
  };
  const std::uint64_t a = at(word), b = at(word + 1);
  const int weight = 2 - 64 * word - zeros - 64;  // of the last bit of a
  const Wide fraction = ordered_sum(static_cast<double>(a >> 11 << 11) * power_of_two(weight),
                                    static_cast<double>(a << 53 | b >> 11) * power_of_two(weight - 53));
  Wide r = fraction * half_pi;
  if (up) r = -r;
  if (x < 0) return {-q & 3, -r};
  return {q & 3, r};
}

SineCosine wide_sine_cosine(Wide r) {  // |r| < 0.8
  const bool negative = r.hi < 0;
  if (negative) r = -r;
  const auto j = static_cast<std::size_t>(nearest(r.hi * 32).integer);
  const Wide h = r - static_cast<double>(j) / 32, t = h * h;
  double high_sine = 0, high_cosine = 0;
  for (std::size_t n = 9; n > 3; --n) {
    const double sign = n % 2 == 0 ? 1 : -1;
    high_sine = (high_sine + inverse_factorial[2 * n + 1].hi * sign) * t.hi;
    high_cosine = (high_cosine + inverse_factorial[2 * n].hi * sign) * t.hi;
  }
  Wide s{high_sine, 0}, c{high_cosine, 0};
  for (std::size_t n = 3; n > 0; --n) {
    const double sign = n % 2 == 0 ? 1 : -1;
    s = (s + inverse_factorial[2 * n + 1] * sign) * t;
    c = (c + inverse_factorial[2 * n] * sign) * t;
  }
  s = h + h * s;  // c is cos h - 1
  const SineCosine& a = circle[j];
  const Wide sine = j == 0 ? s : (a.sine + a.sine * c) + a.cosine * s;
  const Wide cosine = (a.cosine + a.cosine * c) - a.sine * s;
  return {negative ? -sine : sine, cosine};
}

SineCosine in_quadrant(const SineCosine& a, int q) {
  switch (q & 3) {
    case 0: return a;
    case 1: return {a.cosine, -a.sine};
    case 2: return {-a.sine, -a.cosine};
    default: return {-a.cosine, a.sine};
  }
}

Wide wide_arctangent(Wide t) {  // 0 <= t, finite
  const bool inverted = t.hi > 1;
  if (inverted) t = Wide{1, 0} / t;
  const auto j = static_cast<std::size_t>(nearest(t.hi * 64).integer);
  Wide d = t;
  if (j != 0) {
    const double c = static_cast<double>(j) / 64;
    d = (t - c) / (t * c + 1.0);
  }
  const Wide s = d * d;
  double high = 0;
  for (std::size_t n = 9; n > 4; --n) high = (high + inverse_of[2 * n + 1].hi * (n % 2 == 0 ? 1 : -1)) * s.hi;
  Wide sum{high, 0};
  for (std::size_t n = 4; n > 0; --n) sum = (sum + inverse_of[2 * n + 1] * (n % 2 == 0 ? 1.0 : -1.0)) * s;
  Wide result = d + d * sum;
  if (j != 0) result = arctangents[j] + result;
  return inverted ? half_pi - result : result;
}

// The integral of e^(-2cs - s^2) over s from 0 to h, |2ch| < 2: Taylor coefficients g of the integrand satisfy
// (n + 1) g(n + 1) = -2 (c g(n) + g(n - 1)).
Wide gauss_integral(double c, Wide h) {
  Wide g{1, 0}, before{0, 0}, power = h, sum = h;
  for (std::size_t n = 1; n < 47; ++n) {
    const Wide next = times_power(g * c + before, -2) * inverse_of[n];
    before = g;
    g = next;
    power = power * h;
    const Wide term = g * power * inverse_of[n + 1];
    sum = sum + term;
    // Where c = 0 every other coefficient is zero.
    if (std::fabs(term.hi) < 0x1p-110 * std::fabs(sum.hi) &&
        std::fabs((before * power).hi) < 0x1p-108 * std::fabs(sum.hi))
      break;
  }
  return sum;
}

// e^(c^2) erfc(c) of c = j / 16: a continued fraction at the far end (NIST's Handbook of Mathematical Functions, 7.9),
// then from one to the next by the integral between them; all terms are positive.
constexpr std::size_t scaled_erfc_entries = 28 * 16 + 1;
std::array<Wide, scaled_erfc_entries> scaled_erfc_table() {
  std::array<Wide, scaled_erfc_entries> table{};
  const Wide top{28, 0};
  Wide fraction = top;
  for (int n = 60; n > 0; --n) fraction = top + Wide{static_cast<double>(n) / 2, 0} / fraction;
  table[scaled_erfc_entries - 1] = times_power(two_over_root_pi, 0.5) / fraction;
  for (std::size_t j = scaled_erfc_entries - 1; j > 0; --j) {
    const double c = static_cast<double>(j) / 16;
    const Wide integral = -gauss_integral(c, {-1.0 / 16, 0});
    const Exponential e = exponential({-(2 * static_cast<double>(j) - 1) / 256, 0});
    table[j - 1] = scaled_value(e) * (table[j] + two_over_root_pi * integral);
  }
  return table;
}

Scaled wide_erfc(double x) {  // 0 <= x < 28
  static const auto table = scaled_erfc_table();
  const Nearest j = nearest(x * 16);
  const double c = j.value / 16;
  const Exponential e = exponential({-c * c, 0});
  return {value(e) *
              (table[static_cast<std::size_t>(j.integer)] - two_over_root_pi * gauss_integral(c, {x - c, 0})),
          e.exponent};
}

}  // namespace assay::functions::detail
