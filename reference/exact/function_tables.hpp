// Constants and tables of the elementary functions, computed by the compiler. Internal to functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "reference/exact/double_double.hpp"

namespace assay::functions::detail {

// The first parts have trailing zeros, so that their products with small integers are exact.
inline constexpr Wide ln2{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
inline constexpr double ln2_1 = 0x1.62e42fef8p-1, ln2_2 = 0x1.1cf79abc9e3b4p-36,
                        ln2_3 = -0x1.9ff0342542fc3p-90;
inline constexpr Wide ln10{0x1.26bb1bbb55516p+1, -0x1.f48ad494ea3e9p-53};
inline constexpr Wide log2_e{0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56};
inline constexpr Wide log10_e{0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57};
inline constexpr double log10_2_1 = 0x1.344135p-2, log10_2_2 = 0x1.3ef3fde623e25p-31,
                        log10_2_3 = 0x1.9ac0b7c917827p-85;
inline constexpr Wide pi{0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53};
inline constexpr Wide half_pi = times_power(pi, 0.5);
inline constexpr Wide two_over_root_pi{0x1.20dd750429b6dp+0, 0x1.1ae3a914fed8p-56};

// 2 / pi: bits of weight 2^-1 to 2^-1344 after one word of zeros. functions_test compares them with MPFR.
inline constexpr std::array<std::uint64_t, 22> two_over_pi{
    0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
    0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484, 0xe99c7026b45f7e41,
    0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7,
    0x4f463f669e5fea2d, 0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
    0xf0cfbc209af4361d, 0xa9e391615ee61b08};

inline constexpr auto inverse_of = [] {  // 1 / n
  std::array<Wide, 48> a{};
  for (int n = 1; n < 48; ++n) a[static_cast<std::size_t>(n)] = Wide{1, 0} / Wide{static_cast<double>(n), 0};
  return a;
}();
inline constexpr auto inverse_factorial = [] {  // 1 / n!
  std::array<Wide, 30> a{};
  a[0] = {1, 0};
  for (std::size_t n = 1; n < 30; ++n) a[n] = a[n - 1] / Wide{static_cast<double>(n), 0};
  return a;
}();

// 2^(i / 64).
inline constexpr auto powers = [] {
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
inline constexpr std::size_t above_sqrt2 = 53;
inline constexpr auto logarithms = [] {
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
inline constexpr auto circle = [] {
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
inline constexpr auto arctangents = [] {
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

}  // namespace assay::functions::detail
