#include "reference/exact/functions.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "reference/exact/function_integers.hpp"

namespace assay::functions {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double double_nan = std::numeric_limits<double>::quiet_NaN();

// ---------------------------------------------------------------------------------------------------------------
// Double-double arithmetic: T. J. Dekker, "A floating-point technique for extending the available precision" (1971);
// D. E. Knuth, "The Art of Computer Programming", 4.2.2. Relative errors below 2^-101 each where nothing underflows.

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

Wide square_root(Wide a) {
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
double scaled(Wide v, int n) {
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
float rounded(Wide v) {
  if (v.lo == 0 || !(std::fabs(v.hi) < infinity)) return static_cast<float>(v.hi);
  auto bits = std::bit_cast<std::uint64_t>(v.hi);
  if ((bits & 1) == 0) bits = (v.lo > 0) == (v.hi > 0) ? bits + 1 : bits - 1;
  return static_cast<float>(std::bit_cast<double>(bits));
}

// ---------------------------------------------------------------------------------------------------------------
// Constants: the leading parts have trailing zeros, so that products with small integers are exact.

constexpr Wide ln2{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
constexpr double ln2_1 = 0x1.62e42fef8p-1, ln2_2 = 0x1.1cf79abc9e3b4p-36, ln2_3 = -0x1.9ff0342542fc3p-90;
constexpr Wide ln10{0x1.26bb1bbb55516p+1, -0x1.f48ad494ea3e9p-53};
constexpr Wide log2_e{0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56};
constexpr Wide log10_e{0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57};
constexpr double log10_2_1 = 0x1.344135p-2, log10_2_2 = 0x1.3ef3fde623e25p-31,
                 log10_2_3 = 0x1.9ac0b7c917827p-85;
constexpr Wide pi{0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53};
constexpr Wide half_pi = times_power(pi, 0.5);
constexpr Wide two_over_root_pi{0x1.20dd750429b6dp+0, 0x1.1ae3a914fed8p-56};

// 2 / pi: bits of weight 2^-1 to 2^-1344 after one word of zeros. functions_test compares them with MPFR.
constexpr std::array<std::uint64_t, 22> two_over_pi{
    0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
    0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484, 0xe99c7026b45f7e41,
    0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7,
    0x4f463f669e5fea2d, 0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
    0xf0cfbc209af4361d, 0xa9e391615ee61b08};

constexpr auto inverse_of = [] {  // 1 / n
  std::array<Wide, 48> a{};
  for (int n = 1; n < 48; ++n) a[static_cast<std::size_t>(n)] = Wide{1, 0} / Wide{static_cast<double>(n), 0};
  return a;
}();
constexpr auto inverse_factorial = [] {  // 1 / n!
  std::array<Wide, 30> a{};
  a[0] = {1, 0};
  for (std::size_t n = 1; n < 30; ++n) a[n] = a[n - 1] / Wide{static_cast<double>(n), 0};
  return a;
}();

// ---------------------------------------------------------------------------------------------------------------
// Tables, computed by the compiler.

// 2^(i / 64).
constexpr auto powers = [] {
  std::array<Wide, 64> table{};
  for (std::size_t i = 0; i < 64; ++i) {
    const Wide x = ln2 * (static_cast<double>(i) / 64);
    Wide sum{0, 0};
    for (std::size_t n = 28; n > 0; --n) sum = (sum + inverse_factorial[n]) * x;
    table[i] = sum + 1.0;
  }
  return table;
}();

// For a significand m in [1, 2) whose first seven bits are i: c of 10 bits with |m c - 1| < 2^-7, and -log c. From
// sqrt 2 on, c and the logarithm are those of m / 2. At both ends c = 1 or 1/2: next to 1 only m c - 1 remains.
struct Logarithm {
  double c;
  Wide log;
};
constexpr std::size_t above_sqrt2 = 53;
constexpr auto logarithms = [] {
  std::array<Logarithm, 128> table{};
  for (std::size_t i = 0; i < 128; ++i) {
    const double middle = 1 + (static_cast<double>(i) + 0.5) / 128;
    double c = static_cast<double>(static_cast<int>(512 / middle + 0.5)) / 512;
    if (i == 0) c = 1;
    if (i == 127) c = 0.5;
    const double d = i < above_sqrt2 ? c : 2 * c;  // log d = 2 artanh((d - 1) / (d + 1))
    const Wide s = Wide{d - 1, 0} / Wide{d + 1, 0}, t = s * s;
    Wide sum{0, 0};
    for (std::size_t n = 22; n > 0; --n) sum = (sum + inverse_of[2 * n + 1]) * t;
    table[i] = {c, -times_power(s + s * sum, 2)};
  }
  return table;
}();

// Sine and cosine of j / 32, and the arctangent of j / 64.
struct SineCosine {
  Wide sine, cosine;
};
constexpr auto circle = [] {
  std::array<SineCosine, 27> table{};
  for (std::size_t j = 0; j < 27; ++j) {
    const double x = static_cast<double>(j) / 32;
    Wide sine{0, 0}, cosine{0, 0};
    for (std::size_t n = 14; n-- > 0;) {
      const double sign = n % 2 == 0 ? 1 : -1;
      sine = sine * (x * x) + inverse_factorial[2 * n + 1] * sign;
      cosine = cosine * (x * x) + inverse_factorial[2 * n] * sign;
    }
    table[j] = {sine * x, cosine};
  }
  return table;
}();
constexpr auto arctangents = [] {
  std::array<Wide, 65> table{};
  for (std::size_t j = 1; j < 65; ++j) {  // arctan a - arctan b = arctan((a - b) / (1 + a b))
    const double n = static_cast<double>(j);
    const Wide t = Wide{64, 0} / Wide{4096 + n * (n - 1), 0};
    Wide sum{0, 0};
    for (std::size_t k = 9; k > 0; --k)
      sum = (inverse_of[2 * k + 1] * (k % 2 == 0 ? 1.0 : -1.0) + sum) * (t * t);
    table[j] = table[j - 1] + (t + t * sum);
  }
  return table;
}();

// ---------------------------------------------------------------------------------------------------------------
// Kernels in double-double. Polynomials are Taylor's: arguments are small enough. High terms need a double only.

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

// e^r - 1, |r| < 2^-7.
Wide small_expm1(Wide r) {
  double high = 0;
  for (std::size_t n = 13; n > 6; --n) high = (high + inverse_factorial[n].hi) * r.hi;
  Wide sum{high, 0};
  for (std::size_t n = 6; n > 0; --n) sum = (sum + inverse_factorial[n]) * r;
  return sum;
}

// An exponential as 2^exponent * (table + table * rest).
struct Exponential {
  Wide table, rest;
  int exponent;
};
Wide value(const Exponential& e) { return e.table + e.table * e.rest; }

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

Wide scaled_value(const Exponential& e) {  // where neither part overflows or becomes subnormal
  return times_power(value(e), power_of_two(e.exponent));
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

// A logarithm as k log 2 + -log c + log(1 + r).
struct Reduced {
  double k;
  const Logarithm* entry;
  double m;  // the significand
  double power;
};
inline Reduced reduce(double x) {  // positive and normal
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const std::size_t i = bits >> 45 & 127;
  const int k = static_cast<int>(bits >> 52) - 1023;
  return {static_cast<double>(i < above_sqrt2 ? k : k + 1), &logarithms[i],
          std::bit_cast<double>((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000), 0};
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

Wide wide_log(double x, Wide tail = {0, 0}) {
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

// v 2^exponent.
struct Scaled {
  Wide v;
  int exponent;
};
Scaled wide_erfc(double x) {  // 0 <= x < 28
  static const auto table = scaled_erfc_table();
  const Nearest j = nearest(x * 16);
  const double c = j.value / 16;
  const Exponential e = exponential({-c * c, 0});
  return {value(e) *
              (table[static_cast<std::size_t>(j.integer)] - two_over_root_pi * gauss_integral(c, {x - c, 0})),
          e.exponent};
}

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

// ---------------------------------------------------------------------------------------------------------------
// Kernels in double: what floats try first. Relative errors below 2^-49, most far below; whether that is so is not
// taken for granted but is a part of what the exhaustive tests show.

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
std::array<ErrorFunction, error_function_entries> error_function_table() {
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

}  // namespace

// ---------------------------------------------------------------------------------------------------------------
// Double-double results.

namespace wide {

DoubleDouble exp(double x) { return scaled_value(exponential({x, 0})); }
DoubleDouble exp2(double x) { return scaled_value(exponential2({x, 0})); }
DoubleDouble exp10(double x) { return scaled_value(exponential10(x)); }
DoubleDouble expm1(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  if (x > 600) return exp(x) - 1.0;
  if (x < -600) return {-1, 0x1p-860};
  return wide_expm1({x, 0});
}
DoubleDouble log(double x) {
  if (x < 0x1p-1022) {
    const LogParts a = log_parts(x * 0x1p60, {0, 0});
    const double k = a.k - 60;
    return ((Wide{k * ln2_1, 0} + two_product(k, ln2_2)) + k * ln2_3 + a.table) + a.small;
  }
  return wide_log(x);
}
DoubleDouble log2(double x) { return x < 0x1p-1022 ? wide_log2(x * 0x1p60) - 60.0 : wide_log2(x); }
DoubleDouble log10(double x) { return log(x) * log10_e; }
DoubleDouble log1p(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  return wide_log1p({x, 0});
}
DoubleDouble sin(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  const Quadrant a = wide_quadrant(x);
  return in_quadrant(wide_sine_cosine(a.r), a.q).sine;
}
DoubleDouble cos(double x) {
  const Quadrant a = wide_quadrant(x);
  return in_quadrant(wide_sine_cosine(a.r), a.q).cosine;
}
DoubleDouble tan(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  const Quadrant a = wide_quadrant(x);
  const SineCosine b = wide_sine_cosine(a.r);
  return (a.q & 1) == 0 ? b.sine / b.cosine : -(b.cosine / b.sine);
}

namespace {
SineCosine of_half_turns(double x) {
  const double y = std::fabs(x) < 0x1p53 ? x - 2 * std::trunc(x / 2) : 0;  // beyond, all are even
  const Nearest q = nearest(2 * y);
  return in_quadrant(wide_sine_cosine(pi * (y - q.value / 2)), q.integer);
}
}  // namespace
DoubleDouble sinpi(double x) {
  if (std::fabs(x) < tiny) return times_power(pi * (x * 0x1p200), 0x1p-200);
  return of_half_turns(x).sine;
}
DoubleDouble cospi(double x) { return of_half_turns(x).cosine; }

namespace {
Wide with_sign(Wide y, double x) { return std::signbit(x) ? -y : y; }
// The square root of 1 - x^2.
Wide other_leg(double x) { return square_root(two_sum(1, -x) * two_sum(1, x)); }
}  // namespace
DoubleDouble asin(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  if (std::fabs(x) == 1) return with_sign(half_pi, x);
  return with_sign(wide_arctangent(Wide{std::fabs(x), 0} / other_leg(x)), x);
}
DoubleDouble acos(double x) {
  if (x == -1) return pi;
  return times_power(wide_arctangent(square_root(two_sum(1, -x) / two_sum(1, x))), 2);
}
DoubleDouble atan(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  if (std::fabs(x) > 1 / tiny) return with_sign(half_pi, x);
  return with_sign(wide_arctangent({std::fabs(x), 0}), x);
}
DoubleDouble sinh(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  if (std::fabs(x) > 600) return with_sign(times_power(exp(std::fabs(x)), 0.5), x);
  const Wide e = wide_expm1({std::fabs(x), 0});
  return with_sign(times_power(e + e / (e + 1.0), 0.5), x);
}
DoubleDouble cosh(double x) {
  if (std::fabs(x) > 600) return times_power(exp(std::fabs(x)), 0.5);
  const Wide e = scaled_value(exponential({std::fabs(x), 0}));
  return times_power(e + Wide{1, 0} / e, 0.5);
}
DoubleDouble tanh(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  if (std::fabs(x) > 100) return with_sign({1, -0x1p-280}, x);
  const Wide e = wide_expm1({2 * std::fabs(x), 0});
  return with_sign(e / (e + 2.0), x);
}
DoubleDouble asinh(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  const double a = std::fabs(x);
  if (a > 0x1p100) return with_sign(wide_log(a) + ln2, x);
  const Wide s = two_product(a, a);
  return with_sign(wide_log1p(s / (square_root(s + 1.0) + 1.0) + a), x);
}
DoubleDouble acosh(double x) {
  if (x > 0x1p100) return wide_log(x) + ln2;
  const Wide t = two_sum(x, -1);
  return wide_log1p(t + square_root(t * (t + 2.0)));
}
DoubleDouble atanh(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  const double a = std::fabs(x);
  return with_sign(times_power(wide_log1p(Wide{2 * a, 0} / two_sum(1, -a)), 0.5), x);
}
DoubleDouble rsqrt(double x) {
  if (x < 0x1p-500) return times_power(square_root(Wide{1, 0} / Wide{x * 0x1p600, 0}), 0x1p300);
  if (x > 0x1p500) return times_power(square_root(Wide{1, 0} / Wide{x * 0x1p-600, 0}), 0x1p-300);
  return square_root(Wide{1, 0} / Wide{x, 0});
}
DoubleDouble sigmoid(double x) {
  if (x < -600) return exp(x);
  if (x > 600) return {1, -0x1p-860};
  return Wide{1, 0} / (scaled_value(exponential({-x, 0})) + 1.0);
}

DoubleDouble cbrt(double x) {
  if (x == 0 || !(std::fabs(x) < infinity)) return {x, 0};
  double a = std::fabs(x), power = 1;
  if (a < 0x1p-500) {
    a *= 0x1p600;
    power = 0x1p-200;
  } else if (a > 0x1p500) {
    a *= 0x1p-600;
    power = 0x1p200;
  }
  const double y = near_cube_root(a);
  const Wide change = (Wide{a, 0} / two_product(y, y) - y) * inverse_of[3];
  return with_sign(times_power(change + y, power), x);
}
DoubleDouble rcbrt(double x) { return Wide{1, 0} / cbrt(x); }
DoubleDouble erf(double x) {
  const double a = std::fabs(x);
  if (a < tiny) return times_power(two_over_root_pi * (x * 0x1p200), 0x1p-200);
  if (a < 1.0 / 32) return two_over_root_pi * gauss_integral(0, {x, 0});
  if (a > 20) return with_sign({1, -0x1p-500}, x);
  return with_sign(Wide{1, 0} - erfc(a), x);
}
DoubleDouble erfc(double x) {
  if (x < -20) return {2, -0x1p-500};
  const Scaled a = wide_erfc(std::fabs(x));
  const Wide y = times_power(a.v, power_of_two(a.exponent));
  return x < 0 ? Wide{2, 0} - y : y;
}

}  // namespace wide

// ---------------------------------------------------------------------------------------------------------------
// float

float exp(float x) {
  if (!(std::fabs(x) < 104)) {
    if (x != x) return x + x;
    return x > 0 ? float_infinity : 0.0f;
  }
  float result;
  if (settled(fast_exp(as_double(x)), result)) return result;
  return rounded(wide::exp(as_double(x)));
}

float exp2(float x) {
  if (!(std::fabs(x) < 151)) {
    if (x != x) return x + x;
    return x > 0 ? float_infinity : 0.0f;
  }
  const Nearest k = nearest(as_double(x) * 64);
  float result;
  if (settled(value(with_table(k, (as_double(x) - k.value * (1.0 / 64)) * ln2.hi)), result)) return result;
  return rounded(wide::exp2(as_double(x)));  // 2^-150, halfway between two floats, is exact there
}

float exp10(float x) {
  if (!(std::fabs(x) < 46)) {
    if (x != x) return x + x;
    return x > 0 ? float_infinity : 0.0f;
  }
  const Nearest k = nearest(as_double(x) * (64 * ln10.hi * log2_e.hi));
  const double n = k.value * (1.0 / 64);
  float result;
  if (settled(value(with_table(k, ((as_double(x) - n * log10_2_1) - n * log10_2_2) * ln10.hi)), result))
    return result;
  return rounded(wide::exp10(as_double(x)));
}

float expm1(float x) {
  if (!(std::fabs(x) < 104) || x == 0) {
    if (x != x || x == 0) return x + x;
    return x > 0 ? float_infinity : -1.0f;
  }
  float result;
  if (settled(fast_expm1(as_double(x)), result)) return result;
  return rounded(wide::expm1(as_double(x)));
}

namespace {
// The logarithm of zero, a negative number, infinity or NaN.
float special_log(float x) {
  if (x == 0) return -float_infinity;
  return x > 0 || x != x ? x + x : float_nan;
}
inline bool positive_finite(float x) { return std::bit_cast<std::uint32_t>(x) - 1 < 0x7F7FFFFF; }
}  // namespace

float log(float x) {
  if (!positive_finite(x)) return special_log(x);
  float result;
  if (settled(fast_log(as_double(x)), result)) return result;
  return rounded(wide::log(as_double(x)));
}

float log2(float x) {
  if (!positive_finite(x)) return special_log(x);
  float result;
  if (settled(fast_log(as_double(x)) * log2_e.hi, result)) return result;
  return rounded(wide::log2(as_double(x)));
}

float log10(float x) {
  if (!positive_finite(x)) return special_log(x);
  float result;
  if (settled(fast_log(as_double(x)) * log10_e.hi, result)) return result;
  return rounded(wide::log10(as_double(x)));
}

float log1p(float x) {
  if (!(x > -1 && x < float_infinity) || x == 0) {
    if (x == 0) return x;
    return x == -1 ? -float_infinity : special_log(x);
  }
  float result;
  if (settled(fast_log1p(as_double(x)), result)) return result;
  return rounded(wide::log1p(as_double(x)));
}

namespace {
// x if it is zero or NaN, NaN if it is infinite.
inline bool not_periodic(float x) { return !(std::fabs(x) < float_infinity) || x == 0; }
}  // namespace

float sin(float x) {
  if (not_periodic(x)) return x == 0 ? x : x - x;
  const FastQuadrant a = fast_quadrant(x);
  float result;
  if (settled(fast_sine_in_quadrant(a.q, a.r), result)) return result;
  return rounded(wide::sin(as_double(x)));
}

float cos(float x) {
  if (!(std::fabs(x) < float_infinity)) return x - x;
  const FastQuadrant a = fast_quadrant(x);
  float result;
  if (settled(fast_sine_in_quadrant(a.q + 1, a.r), result)) return result;
  return rounded(wide::cos(as_double(x)));
}

float tan(float x) {
  if (not_periodic(x)) return x == 0 ? x : x - x;
  const FastQuadrant a = fast_quadrant(x);
  const double s = fast_sine(a.r), c = fast_cosine(a.r);
  float result;
  if (settled((a.q & 1) == 0 ? s / c : -c / s, result)) return result;
  return rounded(wide::tan(as_double(x)));
}

float sinpi(float x) {
  if (not_periodic(x)) return x == 0 ? x : x - x;
  const double a = as_double(x);
  if (std::fabs(x) >= 0x1p23f) return std::copysign(0.0f, x);
  const Nearest q = nearest(2 * a);
  const double r = a - q.value / 2;
  if (r == 0 && q.integer % 2 == 0) return std::copysign(0.0f, x);
  float result;
  if (settled(fast_sine_in_quadrant(q.integer, r * pi.hi), result)) return result;
  return rounded(wide::sinpi(a));
}

float cospi(float x) {
  if (!(std::fabs(x) < float_infinity)) return x - x;
  const double a = as_double(x);
  if (std::fabs(x) >= 0x1p24f) return 1;
  const Nearest q = nearest(2 * a);
  const double r = a - q.value / 2;
  if (r == 0 && q.integer % 2 != 0) return 0;
  float result;
  if (settled(fast_sine_in_quadrant(q.integer + 1, r * pi.hi), result)) return result;
  return rounded(wide::cospi(a));
}

float asin(float x) {
  if (!(std::fabs(x) <= 1) || x == 0) return x == 0 || x != x ? x + x : float_nan;
  const double a = as_double(std::fabs(x));
  float result;
  if (settled(std::copysign(fast_arctangent(a / std::sqrt((1 - a) * (1 + a))), as_double(x)), result))
    return result;
  return rounded(wide::asin(as_double(x)));
}

float acos(float x) {
  if (!(std::fabs(x) <= 1)) return x != x ? x + x : float_nan;
  if (x == 1) return 0;
  const double a = as_double(x);
  float result;
  if (settled(2 * fast_arctangent(std::sqrt((1 - a) / (1 + a))), result)) return result;
  return rounded(wide::acos(a));
}

float atan(float x) {
  if (x != x || x == 0) return x + x;
  float result;
  if (settled(std::copysign(fast_arctangent(as_double(std::fabs(x))), as_double(x)), result)) return result;
  return rounded(wide::atan(as_double(x)));
}

float sinh(float x) {
  if (!(std::fabs(x) < 90) || x == 0) return x == 0 || x != x ? x + x : std::copysign(float_infinity, x);
  const double e = fast_expm1(as_double(std::fabs(x)));
  float result;
  if (settled(std::copysign(0.5 * (e + e / (e + 1)), as_double(x)), result)) return result;
  return rounded(wide::sinh(as_double(x)));
}

float cosh(float x) {
  if (!(std::fabs(x) < 90)) return x != x ? x + x : float_infinity;
  const double e = fast_exp(as_double(std::fabs(x)));
  float result;
  if (settled(0.5 * (e + 1 / e), result)) return result;
  return rounded(wide::cosh(as_double(x)));
}

float tanh(float x) {
  if (!(std::fabs(x) < 10) || x == 0) return x == 0 || x != x ? x + x : std::copysign(1.0f, x);
  const double e = fast_expm1(2 * as_double(std::fabs(x)));
  float result;
  if (settled(std::copysign(e / (e + 2), as_double(x)), result)) return result;
  return rounded(wide::tanh(as_double(x)));
}

float asinh(float x) {
  if (!(std::fabs(x) < float_infinity) || x == 0) return x + x;
  const double a = as_double(std::fabs(x)), s = a * a;
  float result;
  if (settled(std::copysign(fast_log1p(a + s / (1 + std::sqrt(1 + s))), as_double(x)), result)) return result;
  return rounded(wide::asinh(as_double(x)));
}

float acosh(float x) {
  if (!(x >= 1 && x < float_infinity)) return x > 0 && !(x < 1) ? x : x != x ? x + x : float_nan;
  if (x == 1) return 0;
  const double t = as_double(x) - 1;
  float result;
  if (settled(fast_log1p(t + std::sqrt(t * (t + 2))), result)) return result;
  return rounded(wide::acosh(as_double(x)));
}

float atanh(float x) {
  if (!(std::fabs(x) < 1) || x == 0) {
    if (x == 0 || x != x) return x + x;
    return std::fabs(x) == 1 ? std::copysign(float_infinity, x) : float_nan;
  }
  const double a = as_double(std::fabs(x));
  float result;
  if (settled(std::copysign(0.5 * fast_log1p(2 * a / (1 - a)), as_double(x)), result)) return result;
  return rounded(wide::atanh(as_double(x)));
}

float rsqrt(float x) {
  if (!positive_finite(x)) {
    if (x == 0) return std::copysign(float_infinity, x);
    return x > 0 ? 0.0f : x != x ? x + x : float_nan;
  }
  float result;
  if (settled(1 / std::sqrt(as_double(x)), result)) return result;
  return rounded(wide::rsqrt(as_double(x)));
}

float sigmoid(float x) {
  if (!(std::fabs(x) < 104)) {
    if (x != x) return x + x;
    return x > 0 ? 1.0f : 0.0f;
  }
  float result;
  if (settled(1 / (1 + fast_exp(-as_double(x))), result)) return result;
  return rounded(wide::sigmoid(as_double(x)));
}

float cbrt(float x) {
  if (!(std::fabs(x) < float_infinity) || x == 0) return x + x;
  float result;
  if (settled(std::copysign(near_cube_root(as_double(std::fabs(x))), as_double(x)), result)) return result;
  return rounded(wide::cbrt(as_double(x)));
}

float rcbrt(float x) {
  if (!(std::fabs(x) < float_infinity) || x == 0) return x != x ? x + x : 1 / x;
  float result;
  if (settled(std::copysign(1 / near_cube_root(as_double(std::fabs(x))), as_double(x)), result))
    return result;
  return rounded(wide::rcbrt(as_double(x)));
}

float erf(float x) {
  if (!(std::fabs(x) < 5) || x == 0) return x == 0 || x != x ? x + x : std::copysign(1.0f, x);
  const FastErrorFunction a = fast_error_function(as_double(std::fabs(x)));
  float result;
  if (settled(std::copysign(a.entry.erf - a.change, as_double(x)), result)) return result;
  return rounded(wide::erf(as_double(x)));
}

float erfc(float x) {
  if (!(std::fabs(x) < 10.2f)) return x != x ? x + x : x > 0 ? 0.0f : 2.0f;
  const FastErrorFunction a = fast_error_function(as_double(std::fabs(x)));
  const double y = a.entry.erfc + a.change;
  float result;
  if (settled(x < 0 ? 2 - y : y, result, erfc_error)) return result;
  return rounded(wide::erfc(as_double(x)));
}

// ---------------------------------------------------------------------------------------------------------------
// double: what wide:: gives, rounded; here are the special values and the ends of the range.

double exp(double x) {
  if (!(std::fabs(x) < 746)) {
    if (x != x) return x + x;
    return x > 0 ? infinity : 0;
  }
  const Exponential e = exponential({x, 0});
  return scaled(value(e), e.exponent);
}

double exp2(double x) {
  if (!(std::fabs(x) < 1100)) {
    if (x != x) return x + x;
    return x > 0 ? infinity : 0;
  }
  const Exponential e = exponential2({x, 0});
  return scaled(value(e), e.exponent);
}

double exp10(double x) {
  if (!(std::fabs(x) < 330)) {
    if (x != x) return x + x;
    return x > 0 ? infinity : 0;
  }
  const Exponential e = exponential10(x);
  return scaled(value(e), e.exponent);
}

double expm1(double x) {
  if (x > 600) return exp(x);
  if (x == 0 || x != x) return x + x;
  return wide::expm1(x).hi;
}

namespace {
double special_log(double x) {
  if (x == 0) return -infinity;
  return x > 0 || x != x ? x + x : double_nan;
}
bool positive_finite(double x) { return x > 0 && x < infinity; }
// Results that are x, whether or not it is a zero or a NaN; infinities give NaN.
bool not_periodic(double x) { return !(std::fabs(x) < infinity) || x == 0; }
}  // namespace

double log(double x) { return positive_finite(x) ? wide::log(x).hi : special_log(x); }
double log2(double x) { return positive_finite(x) ? wide::log2(x).hi : special_log(x); }
double log10(double x) { return positive_finite(x) ? wide::log10(x).hi : special_log(x); }
double log1p(double x) {
  if (x > -1 && x < infinity && x != 0) return wide::log1p(x).hi;
  if (x == 0) return x;
  return x == -1 ? -infinity : special_log(x);
}

double sin(double x) {
  if (not_periodic(x)) return x == 0 ? x : x - x;
  return wide::sin(x).hi;
}
double cos(double x) { return std::fabs(x) < infinity ? wide::cos(x).hi : x - x; }
double tan(double x) {
  if (not_periodic(x)) return x == 0 ? x : x - x;
  return wide::tan(x).hi;
}
double sinpi(double x) {
  if (not_periodic(x)) return x == 0 ? x : x - x;
  if (std::trunc(x) == x) return std::copysign(0.0, x);
  if (std::fabs(x) < tiny) return scaled(pi * (x * 0x1p200), -200);
  return wide::sinpi(x).hi;
}
double cospi(double x) {
  if (!(std::fabs(x) < infinity)) return x - x;
  if (std::fabs(x) >= 0x1p53) return 1;
  if (std::trunc(2 * x) == 2 * x && std::trunc(x) != x) return 0;
  return wide::cospi(x).hi;
}

double asin(double x) {
  if (!(std::fabs(x) <= 1) || x == 0) return x == 0 || x != x ? x + x : double_nan;
  return wide::asin(x).hi;
}
double acos(double x) {
  if (!(std::fabs(x) <= 1)) return x != x ? x + x : double_nan;
  return x == 1 ? 0 : wide::acos(x).hi;
}
double atan(double x) { return x == 0 || x != x ? x + x : wide::atan(x).hi; }

double sinh(double x) {
  if (!(std::fabs(x) < infinity) || x == 0) return x + x;
  if (std::fabs(x) < 600) return wide::sinh(x).hi;
  if (std::fabs(x) > 720) return std::copysign(infinity, x);
  const Exponential e = exponential({std::fabs(x), 0});
  return std::copysign(scaled(value(e), e.exponent - 1), x);
}
double cosh(double x) {
  if (!(std::fabs(x) < 720)) return x != x ? x + x : infinity;
  return std::fabs(x) < 600 ? wide::cosh(x).hi : std::fabs(sinh(x));
}
double tanh(double x) { return x == 0 || x != x ? x + x : wide::tanh(x).hi; }
double asinh(double x) {
  if (!(std::fabs(x) < infinity) || x == 0) return x + x;
  return wide::asinh(x).hi;
}
double acosh(double x) {
  if (!(x >= 1 && x < infinity)) return x >= 1 || x != x ? x + x : double_nan;
  return x == 1 ? 0 : wide::acosh(x).hi;
}
double atanh(double x) {
  if (std::fabs(x) < 1 && x != 0) return wide::atanh(x).hi;
  if (x == 0 || x != x) return x + x;
  return std::fabs(x) == 1 ? std::copysign(infinity, x) : double_nan;
}

double rsqrt(double x) {
  if (positive_finite(x)) return wide::rsqrt(x).hi;
  if (x == 0) return std::copysign(infinity, x);
  return x > 0 ? 0 : x != x ? x + x : double_nan;
}
double cbrt(double x) { return std::fabs(x) < infinity && x != 0 ? wide::cbrt(x).hi : x + x; }
double rcbrt(double x) {
  if (!(std::fabs(x) < infinity) || x == 0) return x != x ? x + x : 1 / x;
  return wide::rcbrt(x).hi;
}

double erf(double x) {
  if (x == 0 || x != x) return x + x;
  if (std::fabs(x) < tiny) return scaled(two_over_root_pi * (x * 0x1p200), -200);
  return wide::erf(x).hi;
}
double erfc(double x) {
  if (!(std::fabs(x) < 28)) return x != x ? x + x : x > 0 ? 0 : 2;
  if (x < 0) return wide::erfc(x).hi;
  const Scaled y = wide_erfc(x);
  return scaled(y.v, y.exponent);
}
double sigmoid(double x) {
  if (x != x) return x + x;
  return x < -600 ? exp(x) : wide::sigmoid(x).hi;  // e^x there, less e^(2x)
}

// ---------------------------------------------------------------------------------------------------------------
// Two arguments.

namespace {

// The two floats around a positive v, where it is within 2^-40 of it, and the point halfway between them. A float of
// 2^128 is infinity.
struct Choice {
  float lower, upper;
  double middle;
};
double finite_value(float x) { return x < float_infinity ? as_double(x) : 0x1p128; }
Choice choice(Wide v) {
  Choice c{};
  const float nearest_float = rounded(v);
  const double d = finite_value(nearest_float);
  const auto code = std::bit_cast<std::uint32_t>(nearest_float);
  const bool above = v.hi > d || (v.hi == d && v.lo >= 0);
  if (above && nearest_float < float_infinity) {
    c.lower = nearest_float;
    c.upper = std::bit_cast<float>(code + 1);
  } else {
    c.upper = nearest_float;
    c.lower = std::bit_cast<float>(code - 1);
  }
  c.middle = 0.5 * finite_value(c.lower) + 0.5 * finite_value(c.upper);
  return c;
}

// Double-double results of pow and atan2 are off by less than 2^-90; the rest is left to a comparison.
bool settled(Wide v, float& result) {
  const double margin = v.hi * 0x1p-80;
  result = rounded(v - margin);
  return result == rounded(v + margin);
}

// What y is as an exponent of a negative base.
enum class Parity { none, even, odd };
Parity parity(double y) {
  if (std::trunc(y) != y) return Parity::none;
  return std::trunc(y / 2) == y / 2 ? Parity::even : Parity::odd;
}

// Results of pow without a computation: C23, F.10.4.5.
template <class T>
bool special_power(T x, T y, T& result) {
  constexpr T inf = std::numeric_limits<T>::infinity();
  result = 1;
  if (y == 0 || x == 1) return true;
  result = x + y;
  if (result != result && (x != x || y != y)) return true;
  if (std::fabs(y) == inf) {
    result = std::fabs(x) == 1 ? T{1} : (std::fabs(x) > 1) == (y > 0) ? inf : T{0};
    return true;
  }
  const Parity p = parity(static_cast<double>(y));
  if (x == 0 || std::fabs(x) == inf) {
    result = (x == 0) == (y < 0) ? inf : T{0};
    if (p == Parity::odd) result = std::copysign(result, x);
    return true;
  }
  result = std::numeric_limits<T>::quiet_NaN();
  return x < 0 && p == Parity::none;
}

// log x^y in double-double; x positive, finite and not 1.
Wide wide_log_power(double x, double y) { return wide::log(x) * y; }

}  // namespace

namespace by_comparison {

float pow(float x, float y) {
  const double base = as_double(x), exponent = as_double(y);
  if (x == 1 || y == 0) return 1;
  const Wide t = wide_log_power(base, exponent);
  if (t.hi > 89) return float_infinity;
  if (t.hi < -105) return 0;
  if (double exact = 0; integers::exact_power(base, exponent, exact)) return static_cast<float>(exact);
  const Choice c = choice(scaled_value(exponential(t)));
  return integers::power_above(base, exponent, c.middle) ? c.upper : c.lower;
}

}  // namespace by_comparison

float pow(float x, float y) {
  float result;
  if (special_power(x, y, result)) return result;
  const bool negative = x < 0 && parity(as_double(y)) == Parity::odd;
  const double base = as_double(std::fabs(x));
  if (base == 1) return negative ? -1.0f : 1.0f;
  const double t = as_double(y) * fast_log(base);
  if (t > 89) {
    result = float_infinity;
  } else if (t < -105) {
    result = 0;
  } else if (!settled(fast_exp(t), result, 0x1p-43)) {  // 105 times the error of the logarithm
    if (!settled(scaled_value(exponential(wide_log_power(base, as_double(y)))), result))
      result = by_comparison::pow(std::fabs(x), y);
  }
  return negative ? -result : result;
}

double pow(double x, double y) {
  double result = 0;
  if (special_power(x, y, result)) return result;
  const bool negative = x < 0 && parity(y) == Parity::odd;
  const double base = std::fabs(x);
  if (base == 1) return negative ? -1 : 1;
  const Wide l = wide::log(base);
  const double t = y * l.hi;
  if (t > 720) {
    result = infinity;
  } else if (t < -760) {
    result = 0;
  } else if (std::fabs(t) < 0x1p-60) {
    result = 1;
  } else {
    const Exponential e = exponential(l * y);
    result = scaled(value(e), e.exponent);
  }
  return negative ? -result : result;
}

namespace {

// The angle of (x, y), both not zero, y > 0 taken.
Wide wide_angle(double y, double x) {
  const Wide a = wide_arctangent(Wide{std::fabs(y), 0} / Wide{std::fabs(x), 0});
  return x > 0 ? a : pi - a;
}

template <class T>
bool special_angle(T y, T x, T& result) {
  constexpr T inf = std::numeric_limits<T>::infinity();
  const bool left = std::signbit(x);
  if (x != x || y != y) {
    result = x + y;
  } else if (y == 0) {
    result = left ? static_cast<T>(pi.hi) : T{0};
  } else if (std::fabs(y) == inf) {
    result = static_cast<T>(std::fabs(x) < inf ? half_pi.hi : left ? 3 * pi.hi / 4 : pi.hi / 4);
  } else if (x == 0) {
    result = static_cast<T>(half_pi.hi);
  } else if (std::fabs(x) == inf) {
    result = left ? static_cast<T>(pi.hi) : T{0};
  } else {
    return false;
  }
  if (result == result) result = std::copysign(result, y);
  return true;
}

}  // namespace

namespace by_comparison {

float atan2(float y, float x) {
  const double a = as_double(std::fabs(y)), b = as_double(x);
  const double t = a / std::fabs(b);
  const Wide v = wide_angle(a, b);
  float result;
  if (t < 0x1p-40 &&
      x > 0) {  // the angle is below t, by less than t 2^-81; other t differ from the middle by 2^-49
    const Choice c = choice(v);
    result = a > c.middle * b ? c.upper : c.lower;
  } else if (t < 0x1p-40 || t > 0x1p40) {  // next to pi or pi/2, which are far from all middles
    result = rounded(v);
  } else {
    const Choice c = choice(v);
    result = integers::angle_above(a, b, c.middle) ? c.upper : c.lower;
  }
  return std::copysign(result, y);
}

}  // namespace by_comparison

float atan2(float y, float x) {
  float result;
  if (special_angle(y, x, result)) return result;
  const double a = as_double(std::fabs(y)), b = as_double(std::fabs(x));
  const double angle = fast_arctangent(a / b);
  if (settled(x > 0 ? angle : pi.hi - angle, result)) return std::copysign(result, y);
  if (settled(wide_angle(a, as_double(x)), result)) return std::copysign(result, y);
  return by_comparison::atan2(y, x);
}

double atan2(double y, double x) {
  double result = 0;
  if (special_angle(y, x, result)) return result;
  int ey = 0, ex = 0;
  const double my = std::frexp(std::fabs(y), &ey), mx = std::frexp(std::fabs(x), &ex);
  const int k = ey - ex;
  if (k > 200) return std::copysign(half_pi.hi, y);
  if (k < -200) {
    if (x < 0) return std::copysign(pi.hi, y);
    return std::copysign(scaled(Wide{my, 0} / Wide{mx, 0}, k), y);
  }
  return std::copysign(wide_angle(std::ldexp(my, k), std::copysign(mx, x)).hi, y);
}

namespace {
template <class T>
bool special_hypot(T x, T y, T& result) {
  constexpr T inf = std::numeric_limits<T>::infinity();
  result = inf;
  if (std::fabs(x) == inf || std::fabs(y) == inf) return true;
  result = x + y;
  return result != result;
}
}  // namespace

float hypot(float x, float y) {
  float result;
  if (special_hypot(x, y, result)) return result;
  const Wide s = two_sum(as_double(x) * as_double(x), as_double(y) * as_double(y));  // exact
  const double root = std::sqrt(s.hi);
  if (settled(root, result)) return result;
  const Choice c = choice({root, 0});
  const double square = c.middle * c.middle;  // exact, 50 bits
  if (square == s.hi && s.lo == 0) return static_cast<float>(c.middle);
  return square < s.hi || (square == s.hi && s.lo > 0) ? c.upper : c.lower;
}

double hypot(double x, double y) {
  double result = 0;
  if (special_hypot(x, y, result)) return result;
  double a = std::fabs(x), b = std::fabs(y);
  if (a < b) std::swap(a, b);
  if (b == 0 || b < a * 0x1p-60) return a;
  int e = 0;
  a = std::frexp(a, &e);
  b = std::ldexp(b, -e);
  return scaled(square_root(two_product(a, a) + two_product(b, b)), e);
}

}  // namespace assay::functions
