// math_functions.h against exact arithmetic, the CPU's fused multiply-add in each direction, and published values.
#include "emulation/simt/include/math_functions.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <bit>
#include <cfenv>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "reference/formats/encode.hpp"
#include "reference/formats/exact_arithmetic.hpp"
#include "tests/emulation/simt/wrong.hpp"

namespace {
using namespace assay;
using simt_test::Random;
using simt_test::Wrong;

__extension__ using Signed = __int128;

struct OfFloat {
  using T = float;
  using Bits = std::uint32_t;
  static constexpr FormatSpec format = formats::float32;
};
struct OfDouble {
  using T = double;
  using Bits = std::uint64_t;
  static constexpr FormatSpec format = formats::float64;
};

// A NaN of float is the one of CUDA; that of double is any.
template <class Of, class Word>
std::uint64_t rounded(const ExactValue<Word>& x, Rounding r) {
  if (x.kind == Kind::nan) return Of::format == formats::float32 ? 0x7FFFFFFFU : 0x7FF8000000000000U;
  return encode(x, Of::format, EncodeOptions{.rounding = r}).code;
}
template <class T>
std::uint64_t bits_of(T x) {
  if constexpr (sizeof(T) == 8) {
    return x != x ? 0x7FF8000000000000U : std::bit_cast<std::uint64_t>(x);
  } else {
    return std::bit_cast<std::uint32_t>(x);
  }
}

template <class Of>
std::vector<typename Of::Bits> operands(std::size_t random_ones) {
  using Bits = typename Of::Bits;
  const auto infinity = static_cast<Bits>(Of::format.infinity_code()),
             normal = static_cast<Bits>(Of::format.min_normal_code());
  const Bits one = std::bit_cast<Bits>(typename Of::T{1});
  std::vector<Bits> out{0,
                        1,
                        2,
                        3,
                        normal - 1,
                        normal,
                        normal + 1,
                        infinity - 1,
                        infinity - 2,
                        infinity,
                        infinity + 1,
                        static_cast<Bits>(infinity | normal >> 1),
                        one,
                        one + 1,
                        one - 1,
                        one + 3,
                        std::bit_cast<Bits>(typename Of::T{3}),
                        std::bit_cast<Bits>(typename Of::T(0.5)),
                        one - normal * 40,
                        one + normal * 40};
  Random random;
  while (out.size() < random_ones) {
    // Exponents close to another's, too: far apart, sums are dull.
    const auto bits = static_cast<Bits>(random());
    out.push_back(bits);
    out.push_back(static_cast<Bits>((bits & (infinity - 1)) % (64 * normal)) + one - 32 * normal);
  }
  const std::size_t n = out.size();
  for (std::size_t i = 0; i < n; ++i) out.push_back(out[i] ^ static_cast<Bits>(Of::format.sign_code()));
  return out;
}

#define DIRECTIONS(DO)              \
  DO(rn, Rounding::nearest_even)    \
  DO(rz, Rounding::toward_zero)     \
  DO(rd, Rounding::toward_negative) \
  DO(ru, Rounding::toward_positive)

#define ARITHMETIC(suffix, r)                                                                                \
  w.check(bits_of(add_##suffix(x, y)), rounded<Of>(exact_sum(wide(a), wide(b), r), r), "add_" #suffix, a,    \
          b);                                                                                                \
  w.check(bits_of(sub_##suffix(x, y)), rounded<Of>(exact_sum(wide(a), wide(minus_b), r), r), "sub_" #suffix, \
          a, b);                                                                                             \
  w.check(bits_of(mul_##suffix(x, y)), rounded<Of>(exact_product<Wide>(value(a), value(b)), r),              \
          "mul_" #suffix, a, b);
// Quotients of a 53-bit significand want more bits than exact_quotient has: of floats alone.
#define QUOTIENTS(suffix, r)                                                                         \
  w.check(bits_of(__fdiv_##suffix(x, y)), rounded<Of>(exact_quotient(value(a), value(b)), r),        \
          "fdiv_" #suffix, a, b);                                                                    \
  w.check(bits_of(__frcp_##suffix(y)), rounded<Of>(exact_quotient(value(0x3F800000U), value(b)), r), \
          "frcp_" #suffix, b);

template <class Of>
ExactValue<Wide> widened(std::uint64_t code) {
  const auto x = exact_from_code(code, Of::format);
  return {x.kind, x.negative, x.significand, x.exponent, false};
}

}  // namespace

BOOST_AUTO_TEST_CASE(float_arithmetic) {
  using Of = OfFloat;
  Wrong w;
  const auto value = [](std::uint64_t c) { return exact_from_code(c, formats::float32); };
  const auto wide = widened<Of>;
#define RENAME(suffix, r)                                                           \
  const auto add_##suffix = [](float p, float q) { return __fadd_##suffix(p, q); }; \
  const auto sub_##suffix = [](float p, float q) { return __fsub_##suffix(p, q); }; \
  const auto mul_##suffix = [](float p, float q) { return __fmul_##suffix(p, q); };
  DIRECTIONS(RENAME)
#undef RENAME
  const auto all = operands<Of>(300);
  for (const std::uint32_t a : all) {
    for (const std::uint32_t b : all) {
      const auto x = std::bit_cast<float>(a), y = std::bit_cast<float>(b);
      const std::uint32_t minus_b = b ^ 0x80000000U;
      DIRECTIONS(ARITHMETIC)
      DIRECTIONS(QUOTIENTS)
    }
  }
  // Triples, and addends close to the product.
  Random random;
  for (int i = 0; i < 200000; ++i) {
    const std::uint64_t r64 = random();
    const std::uint32_t a = all[r64 % all.size()], b = all[(r64 >> 20) % all.size()];
    const auto x = std::bit_cast<float>(a), y = std::bit_cast<float>(b);
    const std::uint32_t near = std::bit_cast<std::uint32_t>(-(x * y)) + static_cast<std::uint32_t>(r64 >> 62);
    for (const std::uint32_t c :
         {all[(r64 >> 40) % all.size()], near, std::uint32_t{1}, std::uint32_t{0x80000001U}}) {
      const auto z = std::bit_cast<float>(c);
#define FMA(suffix, r)                                                                                     \
  w.check(bits_of(__fmaf_##suffix(x, y, z)),                                                               \
          rounded<Of>(exact_sum(exact_product<Wide>(value(a), value(b)), wide(c), r), r), "fmaf_" #suffix, \
          a, b, c);
      DIRECTIONS(FMA)
    }
  }
  // The long double's root is off by 2^-64, and no root of a float comes as close to the middle of two.
  for (const std::uint32_t a : operands<Of>(20000)) {
    const auto x = std::bit_cast<float>(a);
    const long double root = std::sqrt(static_cast<long double>(x));
    ExactValue<std::uint64_t> e;
    if (std::isnan(root)) {
      e.kind = Kind::nan;
    } else if (std::isinf(root)) {
      e.kind = Kind::infinite;
    } else {
      e.negative = std::signbit(root);
      int exponent = 0;
      const auto significand = static_cast<std::uint64_t>(std::ldexp(std::frexp(root, &exponent), 64));
      e = {Kind::finite, e.negative, significand >> 2, exponent - 62, (significand & 3U) != 0};
      if (root == 0) e.exponent = 0;
    }
#define ROOT(suffix, r) w.check(bits_of(__fsqrt_##suffix(x)), rounded<Of>(e, r), "fsqrt_" #suffix, a);
    DIRECTIONS(ROOT)
#undef ROOT
  }
  NOTHING_WRONG(w);
}

BOOST_AUTO_TEST_CASE(double_arithmetic) {
  using Of = OfDouble;
  Wrong w;
  const auto value = [](std::uint64_t c) { return exact_from_code(c, formats::float64); };
  const auto wide = widened<Of>;
#define RENAME(suffix, r)                                                             \
  const auto add_##suffix = [](double p, double q) { return __dadd_##suffix(p, q); }; \
  const auto sub_##suffix = [](double p, double q) { return __dsub_##suffix(p, q); }; \
  const auto mul_##suffix = [](double p, double q) { return __dmul_##suffix(p, q); };
  DIRECTIONS(RENAME)
#undef RENAME
  const auto all = operands<Of>(300);
  for (const std::uint64_t a : all) {
    for (const std::uint64_t b : all) {
      const auto x = std::bit_cast<double>(a), y = std::bit_cast<double>(b);
      const std::uint64_t minus_b = b ^ std::uint64_t{1} << 63;
      DIRECTIONS(ARITHMETIC)
    }
  }
  // Under MXCSR of each direction, as the compiler may not move it.
  Random random;
  const int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
  for (int i = 0; i < 50000; ++i) {
    const std::uint64_t r64 = random();
    const auto x = std::bit_cast<double>(all[r64 % all.size()]),
               y = std::bit_cast<double>(all[(r64 >> 20) % all.size()]);
    const double cs[] = {std::bit_cast<double>(all[(r64 >> 40) % all.size()]), -(x * y), 0x1p-1074,
                         -0x1p-1074};
    for (const double z : cs) {
      volatile double p = x, q = y, s = z;
      double expected[4];
      for (int m = 0; m < 4; ++m) {
        std::fesetround(modes[m]);
        volatile double out = std::fma(p, q, s);
        std::fesetround(FE_TONEAREST);
        expected[m] = out;
      }
      const double got[] = {__fma_rn(x, y, z), __fma_rz(x, y, z), __fma_rd(x, y, z), __fma_ru(x, y, z)};
      for (int m = 0; m < 4; ++m)
        w.check(bits_of(got[m]), bits_of(expected[m]), "fma", bits_of(x), bits_of(y), bits_of(z));
    }
  }
  // By the sign of what is left: a - q b and a - r^2, each with one rounding.
  for (const std::uint64_t a : all) {
    for (const std::uint64_t b : all) {
      const double x = std::fabs(std::bit_cast<double>(a)), y = std::fabs(std::bit_cast<double>(b));
      if (!(x > 0x1p-500 && x < 0x1p500 && y > 0x1p-400 && y < 0x1p400)) continue;
      const double down = __ddiv_rd(x, y), up = __ddiv_ru(x, y), nearest = __ddiv_rn(x, y);
      w.check(std::fma(-down, y, x) >= 0 && std::fma(-up, y, x) <= 0 &&
                  (up == down || up == std::nextafter(down, 0x1p999)) && (nearest == up || nearest == down),
              1, "ddiv", a, b);
      w.check(bits_of(__ddiv_rz(-x, y)), bits_of(-down), "ddiv_rz", a, b);
      w.check(bits_of(__ddiv_rd(-x, y)), bits_of(-up), "ddiv_rd", a, b);
    }
    const double x = std::fabs(std::bit_cast<double>(a));
    if (!(x > 0x1p-500 && x < 0x1p1000)) continue;
    const double down = __dsqrt_rd(x), up = __dsqrt_ru(x);
    w.check(std::fma(-down, down, x) >= 0 && std::fma(-up, up, x) <= 0 &&
                (up == down || up == std::nextafter(down, 0x1p999)) && __dsqrt_rz(x) == down,
            1, "dsqrt", a);
  }
  NOTHING_WRONG(w);
}

namespace {

template <class Integer>
Integer integer_of(std::uint64_t code, const FormatSpec& f, Rounding r) {
  const auto most = std::numeric_limits<Integer>::max(), least = std::numeric_limits<Integer>::min();
  if (f.is_nan(code)) {
    const bool highest = sizeof(Integer) == 8 || f == formats::float64;  // PTX ISA, cvt
    return highest ? static_cast<Integer>(std::uint64_t{1} << (8 * sizeof(Integer) - 1)) : Integer{};
  }
  if (f.is_infinite(code)) return f.is_negative(code) ? least : most;
  const ExactValue<std::uint64_t> x = exact_from_code(code, f);
  if (x.exponent >= 60) return x.negative ? least : most;
  Signed whole = 0;
  if (x.exponent >= 0) {
    whole = static_cast<Signed>(x.significand) << x.exponent;
  } else {
    const int down = std::min(-x.exponent, 60);
    const std::uint64_t rest = x.significand & ((std::uint64_t{1} << down) - 1),
                        half = std::uint64_t{1} << (down - 1);
    whole = static_cast<Signed>(x.significand >> down);
    const bool up = r == Rounding::nearest_even      ? rest > half || (rest == half && (whole & 1) != 0)
                    : r == Rounding::toward_positive ? rest != 0 && !x.negative
                    : r == Rounding::toward_negative ? rest != 0 && x.negative
                                                     : false;
    if (up) ++whole;
  }
  if (x.negative) whole = -whole;
  return whole > most ? most : whole < least ? least : static_cast<Integer>(whole);
}

template <class Integer>
ExactValue<Wide> exact_integer(Integer x) {
  const auto bits = static_cast<std::uint64_t>(x);
  return {Kind::finite, x < 0, x < 0 ? 0 - bits : bits, 0, false};
}

}  // namespace

BOOST_AUTO_TEST_CASE(conversions) {
  Wrong w;
  // Halves, thirds and the ends of every type, and beside them.
  std::vector<double> values{0.0,
                             0.5,
                             1.5,
                             2.5,
                             0.25,
                             0.75,
                             1e300,
                             std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::quiet_NaN(),
                             0x1p-1074,
                             0x1p-149};
  for (int k = 0; k < 66; ++k) {
    for (const double x :
         {std::ldexp(1.0, k), std::ldexp(1.0, k) + 0.5, std::ldexp(1.0, k) - 0.5, std::ldexp(1.1, k)}) {
      values.push_back(x);
      values.push_back(std::nextafter(x, 0.0));
      values.push_back(std::nextafter(x, 1e300));
      values.push_back(static_cast<double>(std::nextafter(static_cast<float>(x), 0.0F)));
    }
  }
  Random random;
  for (int i = 0; i < 20000; ++i)
    values.push_back(std::bit_cast<double>(random() % 0x0500000000000000U + 0x3D00000000000000U));
  const std::size_t n = values.size();
  for (std::size_t i = 0; i < n; ++i) values.push_back(-values[i]);
#define TO_INTEGER(type, name, suffix, r)                                                \
  w.check(static_cast<std::uint64_t>(__double2##name##_##suffix(x)),                     \
          static_cast<std::uint64_t>(integer_of<type>(bits, formats::float64, r)),       \
          "double2" #name "_" #suffix, bits);                                            \
  w.check(static_cast<std::uint64_t>(__float2##name##_##suffix(y)),                      \
          static_cast<std::uint64_t>(integer_of<type>(short_bits, formats::float32, r)), \
          "float2" #name "_" #suffix, short_bits);
#define TO_INTEGERS(suffix, r)                   \
  TO_INTEGER(int, int, suffix, r)                \
  TO_INTEGER(unsigned, uint, suffix, r)          \
  TO_INTEGER(long long, ll, suffix, r)           \
  TO_INTEGER(unsigned long long, ull, suffix, r) \
  w.check(bits_of(__double2float_##suffix(x)), rounded<OfFloat>(exact(x), r), "double2float_" #suffix, bits);
  for (const double x : values) {
    const auto bits = std::bit_cast<std::uint64_t>(x);
    const auto y = static_cast<float>(x);
    const auto short_bits = std::bit_cast<std::uint32_t>(y);
    DIRECTIONS(TO_INTEGERS)
  }
  std::vector<std::uint64_t> integers;
  for (int k = 0; k < 64; ++k) {
    for (int j = 0; j <= k && j < 56; ++j) {
      const std::uint64_t x = (std::uint64_t{1} << k) + (std::uint64_t{1} << (k - j)) / 2 * 3;
      for (const std::uint64_t step : {0U, 1U, 2U}) {
        integers.push_back(x + step);
        integers.push_back(x - step);
      }
    }
  }
#define FROM_INTEGERS(suffix, r)                                                                             \
  w.check(bits_of(__int2float_##suffix(i)), rounded<OfFloat>(exact_integer(i), r), "int2float_" #suffix, x); \
  w.check(bits_of(__uint2float_##suffix(u)), rounded<OfFloat>(exact_integer(u), r), "uint2float_" #suffix,   \
          x);                                                                                                \
  w.check(bits_of(__ll2float_##suffix(l)), rounded<OfFloat>(exact_integer(l), r), "ll2float_" #suffix, x);   \
  w.check(bits_of(__ull2float_##suffix(x)), rounded<OfFloat>(exact_integer(x), r), "ull2float_" #suffix, x); \
  w.check(bits_of(__ll2double_##suffix(l)), rounded<OfDouble>(exact_integer(l), r), "ll2double_" #suffix,    \
          x);                                                                                                \
  w.check(bits_of(__ull2double_##suffix(x)), rounded<OfDouble>(exact_integer(x), r), "ull2double_" #suffix,  \
          x);
  for (const std::uint64_t x : integers) {
    const auto i = static_cast<int>(x);
    const auto u = static_cast<unsigned>(x);
    const auto l = static_cast<long long>(x);
    DIRECTIONS(FROM_INTEGERS)
  }
  NOTHING_WRONG(w);
  BOOST_TEST(__double2hiint(-2.0) == static_cast<int>(0xC0000000));
  BOOST_TEST(__double2loint(0x1.00000ABCDEF12p0) == static_cast<int>(0xABCDEF12));
  BOOST_TEST(__hiloint2double(0x3FF00000, 0) == 1.0);
}

BOOST_AUTO_TEST_CASE(reciprocal_roots) {
  Wrong w;
  const auto check = [&](std::uint32_t bits) {
    const auto x = std::bit_cast<float>(bits);
    const long double y = 1 / std::sqrt(static_cast<long double>(x));
    w.check(std::bit_cast<std::uint32_t>(__frsqrt_rn(x)), std::bit_cast<std::uint32_t>(static_cast<float>(y)),
            "frsqrt_rn", bits);
  };
  for (std::uint32_t bits = 0x3F800000U; bits < 0x40800000U; bits += 17) check(bits);
  for (const std::uint32_t bits : {0U, 0x80000000U, 1U, 2U, 0x7F7FFFFFU, 0x7F800000U, 0x00800000U})
    check(bits);
  w.check(std::bit_cast<std::uint32_t>(__frsqrt_rn(-1.0F)), 0x7FFFFFFFU, "frsqrt_rn", 0xBF800000U);
  NOTHING_WRONG(w);
}

BOOST_AUTO_TEST_CASE(minima_and_maxima) {
  const volatile float nan = std::numeric_limits<float>::quiet_NaN();
  const volatile float zero = 0;
  const auto bits = [](float x) { return std::bit_cast<std::uint32_t>(x); };
  for (const bool swap : {false, true}) {
    const float a = swap ? -zero : zero, b = swap ? zero : -zero;
    BOOST_TEST(bits(fminf(a, b)) == 0x80000000U);
    BOOST_TEST(bits(fmaxf(a, b)) == 0U);
    BOOST_TEST(bits(min(a, b)) == 0x80000000U);
    BOOST_TEST(std::signbit(fmin(static_cast<double>(a), static_cast<double>(b))));
    BOOST_TEST(!std::signbit(max(a, static_cast<double>(b))));
  }
  BOOST_TEST((fminf(nan, 3) == 3 && fminf(3, nan) == 3 && fmaxf(nan, 3) == 3 && fmaxf(3, nan) == 3));
  BOOST_TEST((fminf(-1, 3) == -1 && fmaxf(-1, 3) == 3 && fminf(3, -1) == -1 && fmaxf(3, -1) == 3));
  BOOST_TEST(bits(fmaxf(-nan, nan)) == 0x7FFFFFFFU);
  BOOST_TEST((min(-1, 3U) == 3U && max(-1, 3U) == 0xFFFFFFFFU && min(-1LL, 2LL) == -1LL));
  BOOST_TEST((bits(__saturatef(nan)) == 0U && bits(__saturatef(-0.0F)) == 0U && __saturatef(2) == 1 &&
              __saturatef(0.25F) == 0.25F));
}

// Published digits, and the functions' inverses.
BOOST_AUTO_TEST_CASE(functions_of_the_host) {
  const auto close = [](double got, double expected, double ulps = 2) {
    const double ulp = std::nextafter(std::fabs(expected), 1e308) - std::fabs(expected);
    return std::fabs(got - expected) <= ulps * ulp;
  };
  BOOST_TEST(close(erfinv(0.5), 0.476936276204469873));
  BOOST_TEST(close(normcdf(-10.0), 7.61985302416052607e-24));
  BOOST_TEST(close(normcdfinv(0.975), 1.95996398454005424));
  BOOST_TEST(close(erfcx(10.0), 0.0561409927438225863));
  BOOST_TEST(close(cyl_bessel_i0(1.0), 1.26606587775200834));
  BOOST_TEST(close(cyl_bessel_i1(-2.0), -1.59063685463732906));
  BOOST_TEST(close(rsqrt(2.0), 0.707106781186547524));
  BOOST_TEST(close(rcbrt(2.0), 0.793700525984099737));
  BOOST_TEST(close(norm4d(1.0, 2.0, 4.0, 10.0), 11.0));
  BOOST_TEST(close(rnorm3d(1e300, 2e300, 2e300), 1 / 3e300));
  for (const double y : {1e-300, 1e-10, 0.1, 0.49, 0.51, 0.9, 0.999999}) {
    BOOST_TEST(close(std::erf(erfinv(y)), y, 8), y);
    BOOST_TEST(close(std::erfc(erfcinv(y)), y, 1e3), y);
    if (y >= 0.1) BOOST_TEST(close(normcdfinv(normcdf(-y * 5)), -y * 5, 8), y);
    BOOST_TEST(close(erfcx(y), std::exp(y * y) * std::erfc(y), 4), y);
  }
  // The series meets the product where both are good.
  BOOST_TEST(close(erfcx(25.0), erfcx(std::nextafter(25.0, 0.0)), 4));
  BOOST_TEST(close(erfcx(100.0), 0.00564161378298943290));
  BOOST_TEST(erfcx(-30.0) == std::numeric_limits<double>::infinity());
  for (const double x : {0.1, 0.25, 0.3, 0.5, 0.7, 1.1, 1.3, 1.6, 1.9, 3.75}) {
    const long double pi = 3.14159265358979323846L;
    BOOST_TEST(close(sinpi(x), static_cast<double>(std::sin(pi * static_cast<long double>(x))), 4), x);
    BOOST_TEST(close(sinpi(-x), static_cast<double>(std::sin(-pi * static_cast<long double>(x))), 4), x);
    if (x == 0.5) continue;
    BOOST_TEST(close(cospi(x), static_cast<double>(std::cos(pi * static_cast<long double>(x))), 4), x);
    BOOST_TEST(close(cospi(-x), static_cast<double>(std::cos(pi * static_cast<long double>(x))), 4), x);
  }
  BOOST_TEST(
      (sinpi(0.5) == 1 && sinpi(1.5) == -1 && cospi(1.0) == -1 && cospi(0.5) == 0 && cospi(1e300) == 1));
  BOOST_TEST((std::signbit(sinpi(-3.0)) && !std::signbit(sinpi(3.0)) && !std::signbit(cospi(1.5))));
  BOOST_TEST((erfinv(1.0) > 1e308 && erfcinv(2.0) < -1e308 && std::isnan(erfinv(1.5)) &&
              std::isnan(normcdfinv(-1.0))));
  BOOST_TEST(__fdividef(1.0F, 0x1.8p126F) == 0);
  BOOST_TEST(std::signbit(__fdividef(1.0F, -0x1.8p126F)));
  BOOST_TEST(std::isnan(__fdividef(std::numeric_limits<float>::infinity(), 0x1.8p126F)));
  BOOST_TEST(rsqrtf(4.0F) == 0.5F);
}
