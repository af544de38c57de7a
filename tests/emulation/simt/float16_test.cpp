// CUDA's narrow floats against the definitions of reference/formats: every code, all boundaries of rounding, arithmetic
// on hard operands, and functions against long double.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include "emulation/simt/include/cuda_fp4.h"
#include "emulation/simt/include/cuda_fp6.h"
#include "emulation/simt/include/cuda_fp8.h"
#include "reference/formats/conversion_policy.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/exact_arithmetic.hpp"
#include "tests/emulation/simt/wrong.hpp"

namespace {
using namespace assay;
using simt_test::Random;
using simt_test::Wrong;

__extension__ using Signed = __int128;
constexpr std::uint32_t codes = 1U << 16;
const ConversionPolicy& cuda() { return parse_policy("cuda"); }

// What the tests need of either type.
struct OfHalf {
  using T = __half;
  using T2 = __half2;
  static constexpr FormatSpec format = formats::float16;
  static T of_code(std::uint64_t code) { return __ushort_as_half(static_cast<unsigned short>(code)); }
  static std::uint32_t code(T x) { return __half_as_ushort(x); }
  static std::uint32_t from_float(float x, Rounding r) {
    switch (r) {
      case Rounding::toward_zero: return code(__float2half_rz(x));
      case Rounding::toward_positive: return code(__float2half_ru(x));
      case Rounding::toward_negative: return code(__float2half_rd(x));
      default: return code(__float2half_rn(x));
    }
  }
  static std::uint32_t from_double(double x) { return code(__double2half(x)); }
  static float to_float(T x) { return __half2float(x); }
};
struct OfBFloat16 {
  using T = __nv_bfloat16;
  using T2 = __nv_bfloat162;
  static constexpr FormatSpec format = formats::bfloat16;
  static T of_code(std::uint64_t code) { return __ushort_as_bfloat16(static_cast<unsigned short>(code)); }
  static std::uint32_t code(T x) { return __bfloat16_as_ushort(x); }
  static std::uint32_t from_float(float x, Rounding r) {
    switch (r) {
      case Rounding::toward_zero: return code(__float2bfloat16_rz(x));
      case Rounding::toward_positive: return code(__float2bfloat16_ru(x));
      case Rounding::toward_negative: return code(__float2bfloat16_rd(x));
      default: return code(__float2bfloat16_rn(x));
    }
  }
  static std::uint32_t from_double(double x) { return code(__double2bfloat16(x)); }
  static float to_float(T x) { return __bfloat162float(x); }
};

constexpr Rounding roundings[] = {Rounding::nearest_even, Rounding::toward_zero, Rounding::toward_positive,
                                  Rounding::toward_negative};

// Of one code, the one NaN of CUDA's results.
template <class Word>
std::uint64_t result(const ExactValue<Word>& x, const FormatSpec& f, Rounding r = Rounding::nearest_even) {
  return x.kind == Kind::nan ? 0x7FFF : encode(x, f, EncodeOptions{.rounding = r}).code;
}

template <class Of>
void conversions() {
  Wrong w;
  for (std::uint32_t c = 0; c < codes; ++c) {
    const float x = Of::to_float(Of::of_code(c));
    const auto bits = std::bit_cast<std::uint32_t>(x);
    if (Of::format.is_nan(c)) {
      w.check(bits, Of::format == formats::bfloat16 ? c << 16 : 0x7FFFFFFFU, "to float", c);
      continue;
    }
    w.check(bits, std::bit_cast<std::uint32_t>(static_cast<float>(decode(c, Of::format))), "to float", c);
  }
  const auto from_float = [&](std::uint32_t bits) {
    for (const Rounding r : roundings)
      w.check(Of::from_float(std::bit_cast<float>(bits), r),
              convert_bits32(bits, Of::format, cuda(), {.rounding = r}), "from float", bits);
    w.check(Of::code(typename Of::T(std::bit_cast<float>(bits))), convert_bits32(bits, Of::format, cuda()),
            "constructor", bits);
  };
  // Every number, every middle of two, and the floats beside them.
  for (std::uint32_t c = 0; c < codes; ++c) {
    if (Of::format.is_nan(c) || Of::format.is_infinite(c)) continue;
    const std::uint64_t next = c + 1U;
    const double here = decode(c, Of::format);
    const double middle = Of::format.is_infinite(next) || Of::format.is_nan(next)
                              ? here + (here - decode(c - 1U, Of::format)) / 2
                              : (here + decode(next, Of::format)) / 2;
    for (const double x : {here, middle}) {
      const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(x));
      for (const std::uint32_t b : {bits - 1, bits, bits + 1}) from_float(b);
      const auto wide = std::bit_cast<std::uint64_t>(x);
      for (const std::uint64_t b : {wide - 1, wide, wide + 1}) {
        const auto y = std::bit_cast<double>(b);
        w.check(Of::from_double(y), result(exact(y), Of::format), "from double", b);
      }
    }
  }
  for (std::uint64_t bits = 0; bits <= 0xFFFFFFFFU; bits += 8191)
    from_float(static_cast<std::uint32_t>(bits));
  for (const std::uint32_t bits :
       {0x7F800000U, 0xFF800000U, 0x7F800001U, 0xFFC00000U, 0x7FFFFFFFU, 0xFFFFFFFFU})
    from_float(bits);
  Random random;
  for (int i = 0; i < 300000; ++i) {
    const std::uint64_t bits = random();
    const auto x = std::bit_cast<double>(bits);
    w.check(Of::from_double(x), result(exact(x), Of::format), "from double", bits);
  }
  NOTHING_WRONG(w);
}

// Integers that are hard to round: powers of two, more and less by little, and middles of two numbers of the format.
std::vector<std::uint64_t> hard_integers() {
  std::vector<std::uint64_t> out;
  for (int k = 0; k < 64; ++k) {
    for (int j = 0; j <= k && j < 24; ++j) {
      const std::uint64_t x = (std::uint64_t{1} << k) + (std::uint64_t{1} << (k - j)) / 2 * 3;
      for (const std::uint64_t step : {0U, 1U, 2U}) {
        out.push_back(x + step);
        out.push_back(x - step);
      }
    }
  }
  Random random;
  for (int i = 0; i < 20000; ++i) out.push_back(random() >> (random() & 63U));
  return out;
}
template <class Integer>
ExactValue<std::uint64_t> exact_integer(Integer x) {
  ExactValue<std::uint64_t> e;
  e.negative = x < 0;
  const auto bits = static_cast<std::uint64_t>(x);
  const std::uint64_t magnitude = e.negative ? 0 - bits : bits;
  // Two bits of the word stay free.
  e.significand = magnitude >> 2;
  e.exponent = 2;
  e.sticky = (magnitude & 3U) != 0;
  if (magnitude >> 60 == 0) {
    e.significand = magnitude;
    e.exponent = 0;
    e.sticky = false;
  }
  return e;
}

#define INTEGER_CASE(type, name, suffix, r)                                                                  \
  for (const std::uint64_t bits : hard_integers()) {                                                         \
    const auto x = static_cast<type>(bits);                                                                  \
    w.check(__half_as_ushort(__##name##2half_##suffix(x)), result(exact_integer(x), formats::float16, r),    \
            #name "2half_" #suffix, bits);                                                                   \
    w.check(__bfloat16_as_ushort(__##name##2bfloat16_##suffix(x)),                                           \
            result(exact_integer(x), formats::bfloat16, r), #name "2bfloat16_" #suffix, bits);               \
  }                                                                                                          \
  for (std::uint32_t c = 0; c < codes; ++c) {                                                                \
    w.check(static_cast<std::uint64_t>(__half2##name##_##suffix(OfHalf::of_code(c))),                        \
            static_cast<std::uint64_t>(integer_of<type>(c, formats::float16, r)), "half2" #name "_" #suffix, \
            c);                                                                                              \
    w.check(static_cast<std::uint64_t>(__bfloat162##name##_##suffix(OfBFloat16::of_code(c))),                \
            static_cast<std::uint64_t>(integer_of<type>(c, formats::bfloat16, r)),                           \
            "bfloat162" #name "_" #suffix, c);                                                               \
  }
#define INTEGER_CASES(type, name)                         \
  INTEGER_CASE(type, name, rn, Rounding::nearest_even)    \
  INTEGER_CASE(type, name, rz, Rounding::toward_zero)     \
  INTEGER_CASE(type, name, rd, Rounding::toward_negative) \
  INTEGER_CASE(type, name, ru, Rounding::toward_positive)

// By the manual: saturating, NaN to 0, or to the highest bit where there are 64.
template <class Integer>
Integer integer_of(std::uint32_t code, const FormatSpec& f, Rounding r) {
  const auto most = std::numeric_limits<Integer>::max(), least = std::numeric_limits<Integer>::min();
  if (f.is_nan(code)) return sizeof(Integer) == 8 ? static_cast<Integer>(std::uint64_t{1} << 63) : Integer{};
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
    whole = x.significand >> down;
    const bool up = r == Rounding::nearest_even      ? rest > half || (rest == half && (whole & 1) != 0)
                    : r == Rounding::toward_positive ? rest != 0 && !x.negative
                    : r == Rounding::toward_negative ? rest != 0 && x.negative
                                                     : false;
    if (up) ++whole;
  }
  if (x.negative) whole = -whole;
  return whole > most ? most : whole < least ? least : static_cast<Integer>(whole);
}

// Operands of arithmetic: the specials, and numbers whose exponents lie close or far.
template <class Of>
std::vector<std::uint32_t> special_codes() {
  const auto infinity = static_cast<std::uint32_t>(Of::format.infinity_code());
  const auto normal = static_cast<std::uint32_t>(Of::format.min_normal_code());
  std::vector<std::uint32_t> out{0,
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
                                 0x7FFF,
                                 Of::code(Of::of_code(0)),
                                 Of::from_double(1.0),
                                 Of::from_double(1.0) + 1,
                                 Of::from_double(1.0) - 1,
                                 Of::from_double(0.5),
                                 Of::from_double(3.0)};
  const std::size_t n = out.size();
  for (std::size_t i = 0; i < n; ++i) out.push_back(out[i] | 0x8000U);
  return out;
}

std::uint64_t bits(std::initializer_list<bool> all) {
  std::uint64_t out = 0;
  for (const bool one : all) out = out << 1 | std::uint64_t{one};
  return out;
}

template <class Of>
void arithmetic() {
  using T = typename Of::T;
  Wrong w;
  const auto value = [](std::uint32_t c) { return exact_from_code(c, Of::format); };
  const auto two = [&](std::uint32_t a, std::uint32_t b) {
    const T x = Of::of_code(a), y = Of::of_code(b);
    auto minus_b = value(b);
    minus_b.negative = !minus_b.negative;
    const auto sum = result(exact_sum(value(a), value(b)), Of::format);
    w.check(Of::code(__hadd(x, y)), sum, "hadd", a, b);
    w.check(Of::code(x + y), sum, "operator+", a, b);
    w.check(Of::code(__hsub(x, y)), result(exact_sum(value(a), minus_b), Of::format), "hsub", a, b);
    w.check(Of::code(__hmul(x, y)), result(exact_product(value(a), value(b)), Of::format), "hmul", a, b);
    w.check(Of::code(__hdiv(x, y)), result(exact_quotient(value(a), value(b)), Of::format), "hdiv", a, b);
    const double u = decode(a, Of::format), v = decode(b, Of::format);
    const bool unordered = std::isnan(u) || std::isnan(v);
    w.check(bits({__heq(x, y), __hne(x, y), __hlt(x, y), __hle(x, y), __hgt(x, y), __hge(x, y)}),
            bits({u == v, !unordered && u != v, u<v, u <= v, u> v, u >= v}), "ordered comparison", a, b);
    w.check(bits({__hequ(x, y), __hneu(x, y), __hltu(x, y), __hleu(x, y), __hgtu(x, y), __hgeu(x, y)}),
            bits({unordered || u == v, u != v, unordered || u < v, unordered || u <= v, unordered || u > v,
                  unordered || u >= v}),
            "unordered comparison", a, b);
    w.check(bits({x == y, x != y, x<y, x <= y, x> y, x >= y}),
            bits({u == v, u != v, u<v, u <= v, u> v, u >= v}), "operator", a, b);
    // Signs order zeros.
    const bool less = u < v || (u == v && std::signbit(u) && !std::signbit(v));
    const std::uint32_t nan = 0x7FFF;
    const std::uint32_t number = std::isnan(u) ? (std::isnan(v) ? nan : b) : a;
    w.check(Of::code(__hmax(x, y)), unordered ? number : less ? b : a, "hmax", a, b);
    w.check(Of::code(__hmin(x, y)), unordered ? number : less ? a : b, "hmin", a, b);
    w.check(Of::code(__hmax_nan(x, y)), unordered ? nan : less ? b : a, "hmax_nan", a, b);
    w.check(Of::code(__hmin_nan(x, y)), unordered ? nan : less ? a : b, "hmin_nan", a, b);
    const double s = decode(sum, Of::format);
    w.check(Of::code(__hadd_sat(x, y)), s > 0 ? s > 1 ? Of::from_double(1.0) : sum : 0, "hadd_sat", a, b);
  };
  const auto three = [&](std::uint32_t a, std::uint32_t b, std::uint32_t c) {
    const T x = Of::of_code(a), y = Of::of_code(b), z = Of::of_code(c);
    const auto product = exact_product<Wide>(value(a), value(b));
    const auto addend = value(c);
    const ExactValue<Wide> wide{addend.kind, addend.negative, addend.significand, addend.exponent, false};
    const auto expected = result(exact_sum(product, wide), Of::format);
    w.check(Of::code(__hfma(x, y, z)), expected, "hfma", a, b, c);
    const double e = decode(expected, Of::format);
    w.check(Of::code(__hfma_relu(x, y, z)), e <= 0 ? 0 : expected, "hfma_relu", a, b, c);
    w.check(Of::code(__hfma_sat(x, y, z)), e > 0 ? e > 1 ? Of::from_double(1.0) : expected : 0, "hfma_sat", a,
            b, c);
  };
  const std::vector<std::uint32_t> special = special_codes<Of>();
  for (const std::uint32_t a : special) {
    for (const std::uint32_t b : special) {
      two(a, b);
      for (const std::uint32_t c : special) three(a, b, c);
    }
  }
  Random random;
  for (int i = 0; i < 300000; ++i) {
    const std::uint64_t r = random();
    const auto a = static_cast<std::uint32_t>(r & 0xFFFFU), b = static_cast<std::uint32_t>(r >> 16 & 0xFFFFU),
               c = static_cast<std::uint32_t>(r >> 32 & 0xFFFFU);
    two(a, b);
    three(a, b, c);
    // Products beside a middle of two numbers, and an addend far below: what rounding twice gets wrong.
    three(a, Of::from_double(1.0) + (b & 7U), static_cast<std::uint32_t>(1U + (c & 0x8000U)));
    const auto near = Of::code(__hmul(Of::of_code(a), Of::of_code(b))) ^ 0x8000U;
    three(a, b, near);
  }
  for (std::uint32_t c = 0; c < codes; ++c) {
    const T x = Of::of_code(c);
    const bool nan = Of::format.is_nan(c);
    w.check(Of::code(__hneg(x)), nan ? 0x7FFF : c ^ 0x8000U, "hneg", c);
    w.check(Of::code(__habs(x)), nan ? 0x7FFF : c & 0x7FFFU, "habs", c);
    w.check(__hisnan(x), nan, "hisnan", c);
    w.check(static_cast<std::uint64_t>(__hisinf(x)),
            static_cast<std::uint64_t>(Of::format.is_infinite(c) ? (c >> 15 != 0 ? -1 : 1) : 0), "hisinf", c);
  }
  NOTHING_WRONG(w);
}

// A long double as exactly as it is.
std::uint64_t rounded(long double x, const FormatSpec& f) {
  ExactValue<std::uint64_t> e;
  if (std::isnan(x)) return 0x7FFF;
  e.negative = std::signbit(x);
  if (std::isinf(x)) {
    e.kind = Kind::infinite;
  } else {
    int exponent = 0;
    const long double fraction = std::frexp(std::fabs(x), &exponent);
    const auto significand = static_cast<std::uint64_t>(std::ldexp(fraction, 64));
    e.significand = significand >> 2;
    e.sticky = (significand & 3U) != 0;
    e.exponent = exponent - 62;
    if (x == 0) e = {Kind::finite, std::signbit(x), 0, 0, false};
  }
  return encode(e, f).code;
}

template <class Of>
void all_functions() {
  Wrong w;
  for (std::uint32_t c = 0; c < codes; ++c) {
    const auto x = Of::of_code(c);
    const auto v = static_cast<long double>(decode(c, Of::format));
#define FUNCTION(name, expected) w.check(Of::code(h##name(x)), rounded(expected, Of::format), #name, c);
    FUNCTION(floor, std::floor(v))
    FUNCTION(ceil, std::ceil(v))
    FUNCTION(trunc, std::trunc(v))
    FUNCTION(rint, std::nearbyint(v))
    FUNCTION(sqrt, std::sqrt(v))
    FUNCTION(rsqrt, 1 / std::sqrt(v))
    FUNCTION(rcp, 1 / v)
    FUNCTION(exp, std::exp(v))
    FUNCTION(exp2, std::exp2(v))
    FUNCTION(exp10, std::pow(10.0L, v))
    FUNCTION(log, std::log(v))
    FUNCTION(log2, std::log2(v))
    FUNCTION(log10, std::log10(v))
    FUNCTION(sin, std::sin(v))
    FUNCTION(cos, std::cos(v))
    FUNCTION(tanh, std::tanh(v))
    FUNCTION(tanh_approx, std::tanh(v))
#undef FUNCTION
  }
  NOTHING_WRONG(w);
}

}  // namespace

BOOST_AUTO_TEST_CASE(half_conversions) { conversions<OfHalf>(); }
BOOST_AUTO_TEST_CASE(bfloat16_conversions) { conversions<OfBFloat16>(); }
BOOST_AUTO_TEST_CASE(integers) {
  Wrong w;
  INTEGER_CASES(short, short)
  INTEGER_CASES(unsigned short, ushort)
  INTEGER_CASES(int, int)
  INTEGER_CASES(unsigned, uint)
  INTEGER_CASES(long long, ll)
  INTEGER_CASES(unsigned long long, ull)
  for (std::uint32_t c = 0; c < codes; ++c) {
    const __half h = OfHalf::of_code(c);
    const __nv_bfloat16 b = OfBFloat16::of_code(c);
    const Rounding z = Rounding::toward_zero;
    w.check(static_cast<std::uint64_t>(__half2char_rz(h)),
            static_cast<std::uint64_t>(integer_of<signed char>(c, formats::float16, z)), "half2char_rz", c);
    w.check(__bfloat162uchar_rz(b), integer_of<unsigned char>(c, formats::bfloat16, z), "bfloat162uchar_rz",
            c);
    w.check(static_cast<std::uint64_t>(static_cast<long>(h)),
            static_cast<std::uint64_t>(integer_of<long>(c, formats::float16, z)), "operator long", c);
    w.check(static_cast<bool>(b), (c & 0x7FFFU) != 0, "operator bool", c);
  }
  NOTHING_WRONG(w);
}
BOOST_AUTO_TEST_CASE(half_arithmetic) { arithmetic<OfHalf>(); }
BOOST_AUTO_TEST_CASE(bfloat16_arithmetic) { arithmetic<OfBFloat16>(); }
BOOST_AUTO_TEST_CASE(half_functions) { all_functions<OfHalf>(); }
BOOST_AUTO_TEST_CASE(bfloat16_functions) { all_functions<OfBFloat16>(); }

// Functions of pairs are those of the elements, which the cases above have checked.
namespace {
template <class Of>
void pairs() {
  using T = typename Of::T;
  using T2 = typename Of::T2;
  Wrong w;
  const auto code = [](T2 v) { return Of::code(v.x) | Of::code(v.y) << 16; };
  const auto truth = [](bool low, bool high) {
    return Of::from_double(low ? 1 : 0) | Of::from_double(high ? 1 : 0) << 16;
  };
  const std::vector<std::uint32_t> special = special_codes<Of>();
  Random random;
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t r = random(), s = random();
    T e[6];
    for (int k = 0; k < 6; ++k)
      e[k] = Of::of_code((s >> k & 1U) != 0 ? special[(r >> (10 * k)) % special.size()]
                                            : (r >> (9 * k)) & 0xFFFFU);
    const T2 a(e[0], e[1]), b(e[2], e[3]), c(e[4], e[5]);
#define PAIR1(one, two) w.check(code(two(a)), Of::code(one(a.x)) | Of::code(one(a.y)) << 16, #two, code(a));
#define PAIR2(one, two) \
  w.check(code(two(a, b)), Of::code(one(a.x, b.x)) | Of::code(one(a.y, b.y)) << 16, #two, code(a), code(b));
#define PAIR3(one, two)                                                                                \
  w.check(code(two(a, b, c)), Of::code(one(a.x, b.x, c.x)) | Of::code(one(a.y, b.y, c.y)) << 16, #two, \
          code(a), code(b), code(c));
#define COMPARED(name)                                                                                    \
  {                                                                                                       \
    const bool x = __h##name(a.x, b.x), y = __h##name(a.y, b.y);                                          \
    w.check(code(__h##name##2(a, b)), truth(x, y), "h" #name "2", code(a), code(b));                      \
    w.check(__h##name##2_mask(a, b), (x ? 0xFFFFU : 0U) | (y ? 0xFFFF0000U : 0U), #name "_mask", code(a), \
            code(b));                                                                                     \
    w.check(__hb##name##2(a, b), x&& y, "hb" #name "2", code(a), code(b));                                \
  }
    PAIR2(__hadd, __hadd2)
    PAIR2(__hsub, __hsub2)
    PAIR2(__hmul, __hmul2)
    PAIR2(__hdiv, __h2div)
    PAIR2(__hadd, __hadd2_rn)
    PAIR2(__hsub, __hsub2_rn)
    PAIR2(__hmul, __hmul2_rn)
    PAIR2(__hadd_sat, __hadd2_sat)
    PAIR2(__hsub_sat, __hsub2_sat)
    PAIR2(__hmul_sat, __hmul2_sat)
    PAIR2(__hmax, __hmax2)
    PAIR2(__hmin, __hmin2)
    PAIR2(__hmax_nan, __hmax2_nan)
    PAIR2(__hmin_nan, __hmin2_nan)
    PAIR3(__hfma, __hfma2)
    PAIR3(__hfma_sat, __hfma2_sat)
    PAIR3(__hfma_relu, __hfma2_relu)
    PAIR1(__hneg, __hneg2)
    PAIR1(__habs, __habs2)
    PAIR1(hsqrt, h2sqrt)
    PAIR1(hrsqrt, h2rsqrt)
    PAIR1(hrcp, h2rcp)
    PAIR1(hexp, h2exp)
    PAIR1(hexp2, h2exp2)
    PAIR1(hexp10, h2exp10)
    PAIR1(hlog, h2log)
    PAIR1(hlog2, h2log2)
    PAIR1(hlog10, h2log10)
    PAIR1(hsin, h2sin)
    PAIR1(hcos, h2cos)
    PAIR1(htanh, h2tanh)
    PAIR1(htanh_approx, h2tanh_approx)
    PAIR1(hfloor, h2floor)
    PAIR1(hceil, h2ceil)
    PAIR1(htrunc, h2trunc)
    PAIR1(hrint, h2rint)
    COMPARED(eq)
    COMPARED(ne)
    COMPARED(lt)
    COMPARED(le)
    COMPARED(gt)
    COMPARED(ge)
    COMPARED(equ)
    COMPARED(neu)
    COMPARED(ltu)
    COMPARED(leu)
    COMPARED(gtu)
    COMPARED(geu)
#undef COMPARED
#undef PAIR3
#undef PAIR2
#undef PAIR1
    w.check(code(__hisnan2(a)), truth(__hisnan(a.x), __hisnan(a.y)), "hisnan2", code(a));
    w.check(code(__lowhigh2highlow(a)), Of::code(a.y) | Of::code(a.x) << 16, "lowhigh2highlow", code(a));
    w.check(code(a + b), code(__hadd2(a, b)), "operator+", code(a), code(b));
    w.check(bits({a == b, a != b, a<b, a <= b, a> b, a >= b}),
            bits({a.x == b.x && a.y == b.y, a.x != b.x && a.y != b.y, a.x < b.x && a.y < b.y,
                  a.x <= b.x && a.y <= b.y, a.x > b.x && a.y > b.y, a.x >= b.x && a.y >= b.y}),
            "comparison of pairs", code(a), code(b));
  }
  NOTHING_WRONG(w);
}
}  // namespace
BOOST_AUTO_TEST_CASE(half_pairs) { pairs<OfHalf>(); }
BOOST_AUTO_TEST_CASE(bfloat16_pairs) { pairs<OfBFloat16>(); }

BOOST_AUTO_TEST_CASE(small_formats) {
  Wrong w;
  const auto to_half = [](std::uint64_t code, const FormatSpec& f) {
    return f.is_nan(code) ? 0x7FFFU
                          : encode_bits32(std::bit_cast<std::uint32_t>(static_cast<float>(decode(code, f))),
                                          formats::float16)
                                .code;
  };
  for (unsigned c = 0; c < 256; ++c) {
    const auto code = static_cast<unsigned char>(c);
    w.check(__nv_cvt_fp8_to_halfraw(code, __NV_E4M3).x, to_half(c, formats::float8_e4m3fn), "e4m3 to half",
            c);
    w.check(__nv_cvt_fp8_to_halfraw(code, __NV_E5M2).x, to_half(c, formats::float8_e5m2), "e5m2 to half", c);
    if (c < 64) {
      w.check(__nv_cvt_fp6_to_halfraw(code, __NV_E2M3).x, to_half(c, formats::float6_e2m3fn), "e2m3 to half",
              c);
      w.check(__nv_cvt_fp6_to_halfraw(code, __NV_E3M2).x, to_half(c, formats::float6_e3m2fn), "e3m2 to half",
              c);
    }
    if (c < 16)
      w.check(__nv_cvt_fp4_to_halfraw(code, __NV_E2M1).x, to_half(c, formats::float4_e2m1fn), "e2m1 to half",
              c);
  }
  const EncodeOptions saturate{.overflow = Overflow::saturate};
  const auto from_float = [&](std::uint32_t bits) {
    const auto x = std::bit_cast<float>(bits);
    w.check(__nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E4M3),
            convert_bits32(bits, formats::float8_e4m3fn, cuda(), saturate), "to e4m3", bits);
    w.check(__nv_cvt_float_to_fp8(x, __NV_NOSAT, __NV_E4M3),
            convert_bits32(bits, formats::float8_e4m3fn, cuda()), "to e4m3, not saturated", bits);
    w.check(__nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E5M2),
            convert_bits32(bits, formats::float8_e5m2, cuda(), saturate), "to e5m2", bits);
    w.check(__nv_cvt_float_to_fp8(x, __NV_NOSAT, __NV_E5M2),
            convert_bits32(bits, formats::float8_e5m2, cuda()), "to e5m2, not saturated", bits);
    w.check(__nv_cvt_float_to_fp6(x, __NV_E2M3, cudaRoundNearest),
            convert_bits32(bits, formats::float6_e2m3fn, cuda(), saturate), "to e2m3", bits);
    w.check(__nv_cvt_float_to_fp6(x, __NV_E3M2, cudaRoundNearest),
            convert_bits32(bits, formats::float6_e3m2fn, cuda(), saturate), "to e3m2", bits);
    w.check(__nv_cvt_float_to_fp4(x, __NV_E2M1, cudaRoundNearest),
            convert_bits32(bits, formats::float4_e2m1fn, cuda(), saturate), "to e2m1", bits);
  };
  // Every middle has six bits or fewer; and beside each, and the ends.
  for (std::uint32_t top = 0; top < 1U << 16; ++top) {
    for (const std::uint32_t low : {0U, 1U, 0x8000U, 0xFFFFU}) from_float(top << 16 | low);
  }
  // From a double beside the middle of two, which a float would be.
  w.check(__nv_cvt_double_to_fp8(0x1.1000000000001p0, __NV_SATFINITE, __NV_E4M3), 0x39, "double to e4m3", 0);
  w.check(__nv_cvt_double_to_fp8(0x1.1p0, __NV_SATFINITE, __NV_E4M3), 0x38, "double to e4m3", 1);
  for (std::uint32_t c = 0; c < codes; ++c) {
    const auto as_float = static_cast<float>(OfHalf::of_code(c));
    w.check(__nv_cvt_halfraw_to_fp8(OfHalf::of_code(c), __NV_NOSAT, __NV_E5M2),
            convert_bits32(std::bit_cast<std::uint32_t>(as_float), formats::float8_e5m2, cuda()),
            "half to e5m2", c);
  }
  // A NaN of a double keeps its sign, that of other types does not.
  const double nan = std::bit_cast<double>(0xFFF8000000000000U);
  w.check(__nv_cvt_double_to_fp8(nan, __NV_SATFINITE, __NV_E4M3), 0xFF, "NaN to e4m3", 0);
  w.check(__nv_cvt_double_to_fp8(nan, __NV_SATFINITE, __NV_E5M2), 0xFE, "NaN to e5m2", 0);
  w.check(__nv_cvt_double_to_fp6(nan, __NV_E2M3, cudaRoundNearest), 0x1F, "NaN to e2m3", 0);
  w.check(__nv_fp8_e5m2(static_cast<float>(nan)).__x, 0x7F, "NaN to e5m2", 1);
  // Scales: the powers of two, and beside them.
  for (int e = -140; e <= 130; ++e) {
    const double power = std::ldexp(1.0, e);
    const auto within = [](int code) { return static_cast<std::uint64_t>(std::clamp(code, 0, 0xFE)); };
    const auto up = [](double x, __nv_saturation_t s) {
      return __nv_cvt_double_to_e8m0(x, s, cudaRoundPosInf);
    };
    const auto zero = [](double x, __nv_saturation_t s) {
      return __nv_cvt_double_to_e8m0(x, s, cudaRoundZero);
    };
    const auto id = static_cast<std::uint64_t>(e + 200);
    w.check(up(-power, __NV_SATFINITE), within(e + 127), "e8m0 up", id);
    w.check(up(std::nextafter(power, 1e300), __NV_SATFINITE), within(e + 128), "e8m0 up, above", id);
    w.check(up(std::nextafter(power, 0.0), __NV_SATFINITE), within(e + 127), "e8m0 up, below", id);
    w.check(zero(-std::nextafter(power, 1e300), __NV_SATFINITE), within(e + 127), "e8m0, above", id);
    w.check(zero(std::nextafter(power, 0.0), __NV_SATFINITE), within(e + 126), "e8m0, below", id);
    w.check(up(power, __NV_NOSAT), e > 127 ? 0xFFU : within(e + 127), "e8m0 not saturated", id);
    if (e >= -127 && e <= 127)
      w.check(std::bit_cast<std::uint32_t>(static_cast<float>(__nv_fp8_e8m0(power))),
              std::bit_cast<std::uint32_t>(static_cast<float>(power)), "e8m0 to float", id);
  }
  w.check(__nv_fp8_e8m0(static_cast<float>(nan)).__x, 0xFF, "NaN to e8m0", 0);
  w.check(__nv_fp8_e8m0(HUGE_VAL).__x, 0xFE, "infinity to e8m0", 0);
  w.check(__nv_cvt_e8m0_to_bf16raw(0xFF).x, 0x7FFF, "e8m0 to bfloat16", 0);
  NOTHING_WRONG(w);
  const __nv_fp8x4_e4m3 four(float4{1, -2, 3, 448});
  const auto back = static_cast<float4>(four);
  BOOST_TEST(four.__x == 0x7E44C038U);
  BOOST_TEST((back.x == 1 && back.y == -2 && back.z == 3 && back.w == 448));
  BOOST_TEST(__nv_fp4x4_e2m1(float4{0.5F, -1, 3, 6}).__x == 0x75A1U);
  BOOST_TEST(static_cast<float>(__nv_fp8_e5m2(1000000LL)) == 57344.0F);
}
