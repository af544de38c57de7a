// CUDA's functions of float and double: arithmetic in every direction of rounding, conversions, minima and maxima, and
// the functions that C++ has not.
//
// Numerics
//   arithmetic   one rounding, the hardware's bits. A NaN that the float intrinsics return is 0x7FFFFFFF, as on the
//                hardware; the operators + - * / of a program leave it to the CPU (0xFFC00000).
//   conversions  saturate. NaN gives 0, and from double or to 64 bits the highest bit: PTX ISA, cvt.
//   functions    of float, what CUDA documents by an error bound is correctly rounded (interposed/math.cpp, and the
//                last section of this file): a GPU's may differ by its bound. Of double they are the host library's.
// Not here: flushing of subnormals (-ftz), approximate division and square root (-prec-div, -prec-sqrt).
#pragma once

#include <math.h>
#include <stdlib.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "emulation/simt/include/assay_narrow.h"
#include "reference/exact/functions.hpp"

// --- arithmetic in a direction of rounding ---------------------------------------------------------------------------

namespace assay_simt {

inline float canonical(float x) { return x != x ? std::bit_cast<float>(0x7FFFFFFFU) : x; }
inline double canonical(double x) { return x; }
// A term or a product of an operation that is rounded by itself, as CUDA has the intrinsics: where the compiler may
// contract (--fmad on), it must not make one rounding of this and what stands before or behind it.
template <class T>
T apart(T x) {
#ifdef ASSAY_SIMT_CONTRACTS
  asm("" : "+x"(x));
#endif
  return x;
}

// x was rounded to nearest, and what it was rounded from lies above it, below it, or is it: the sign of `rest`. The
// same rounded in a direction. A zero has the sign of what it was rounded from.
template <class T>
T redirected(T x, double rest, Round round) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  const auto bits = std::bit_cast<Bits>(x);
  const bool negative = std::signbit(x);
  const bool up = rest > 0 && (round == Round::up || (round == Round::zero && negative));
  const bool down = rest < 0 && (round == Round::down || (round == Round::zero && !negative));
  if (up) return std::bit_cast<T>(negative ? bits - 1 : bits + 1);
  if (down) return std::bit_cast<T>(negative ? bits + 1 : bits - 1);
  return x;
}
// x, exact or with an odd last bit for what was cut off.
inline float directed_narrow(double x, Round round) {
  const auto nearest = static_cast<float>(x);
  const auto wide = static_cast<double>(nearest);
  return canonical(redirected(nearest, x > wide ? 1.0 : x < wide ? -1.0 : 0.0, round));
}
// Sums that are exactly zero are -0 downward, but for +0 and +0.
template <class T>
T directed_zero(T a, T b, Round round) {
  return round == Round::down ? -(-a + -b) : a + b;
}

inline float directed_add(float a, float b, Round round) {
  const auto x = static_cast<double>(a), y = static_cast<double>(b);
  const double sum = x + y;
  if (sum == 0) return directed_zero(a, b, round);
  return std::isfinite(sum) ? directed_narrow(sum_to_odd(x, y), round) : canonical(static_cast<float>(sum));
}
inline float directed_multiply(float a, float b, Round round) {
  return directed_narrow(static_cast<double>(a) * static_cast<double>(b), round);
}
inline float directed_divide(float a, float b, Round round) {
  // The quotient is rounded from above where the rest of its sign is against it.
  const float quotient = a / b;
  const double rest = static_cast<double>(a) - static_cast<double>(quotient) * static_cast<double>(b);
  return canonical(b != 0 ? redirected(quotient, std::signbit(b) ? -rest : rest, round) : quotient);
}
inline float directed_root(float a, Round round) {
  const float root = std::sqrt(a);
  return canonical(redirected(
      root, static_cast<double>(a) - static_cast<double>(root) * static_cast<double>(root), round));
}
// The product of two floats is exact in a double.
inline float directed_fma(float a, float b, float c, Round round) {
  const double product = static_cast<double>(a) * static_cast<double>(b), addend = static_cast<double>(c);
  const double sum = product + addend;
  if (sum == 0) return static_cast<float>(directed_zero(product, addend, round));
  return std::isfinite(sum) ? directed_narrow(sum_to_odd(product, addend), round)
                            : canonical(static_cast<float>(sum));
}

// Of doubles, whose rests may not be doubles: one instruction under MXCSR of the direction, in one piece so that no
// compiler moves it away.
#define ASSAY_DIRECTED(name, instruction, From, constraint)                                       \
  inline double name(double a, From b, Round round) {                                             \
    unsigned before;                                                                              \
    const unsigned mode = 0x1F80U | (round == Round::down   ? 0x2000U                             \
                                     : round == Round::up   ? 0x4000U                             \
                                     : round == Round::zero ? 0x6000U                             \
                                                            : 0U);                                \
    asm("stmxcsr %[before]\n\tldmxcsr %[mode]\n\t" instruction " %[b], %[a]\n\tldmxcsr %[before]" \
        : [a] "+x"(a), [before] "=&m"(before)                                                     \
        : [b] constraint(b), [mode] "m"(mode));                                                   \
    return a;                                                                                     \
  }
ASSAY_DIRECTED(directed_multiply, "mulsd", double, "x")
ASSAY_DIRECTED(directed_divide, "divsd", double, "x")
ASSAY_DIRECTED(directed_root_to, "sqrtsd", double, "x")
ASSAY_DIRECTED(directed_convert_to, "cvtsi2sdq", long long, "r")
#undef ASSAY_DIRECTED
inline double directed_root(double a, Round round) { return directed_root_to(0.0, a, round); }
inline double directed_add(double a, double b, Round round) {
  const double sum = a + b;
  if (sum == 0) return directed_zero(a, b, round);
  if (!std::isfinite(a) || !std::isfinite(b)) return sum;
  if (!std::isfinite(sum)) return redirected(sum, sum > 0 ? -1.0 : 1.0, round);
  const double b_part = sum - a;
  return redirected(sum, (a - (sum - b_part)) + (b - b_part), round);
}
double directed_fma(double a, double b, double c, Round round);

template <class To, class Integer>
To directed_convert(Integer x, Round round) {
  if constexpr (sizeof(To) == 4) {
    return directed_narrow(to_odd(x), round);
  } else {
    if (round == Round::nearest) return static_cast<To>(x);
    if (std::is_signed_v<Integer> || x >> 63 == 0)
      return directed_convert_to(0.0, static_cast<long long>(x), round);
    // Half of it, of which the last bit stands for what was cut off.
    return 2 * directed_convert_to(0.0, static_cast<long long>(x >> 1 | (x & 1U)), round);
  }
}
// 1 / sqrt(x), rounded to nearest.
float reciprocal_root(float x);

}  // namespace assay_simt

// To nearest, the CPU's own.
#define ASSAY_NEAREST(f, T, fused)                                                                \
  inline T __##f##add_rn(T a, T b) {                                                              \
    return assay_simt::canonical(assay_simt::apart(a) + assay_simt::apart(b));                    \
  }                                                                                               \
  inline T __##f##sub_rn(T a, T b) {                                                              \
    return assay_simt::canonical(assay_simt::apart(a) - assay_simt::apart(b));                    \
  }                                                                                               \
  inline T __##f##mul_rn(T a, T b) {                                                              \
    return assay_simt::canonical(assay_simt::apart(assay_simt::apart(a) * assay_simt::apart(b))); \
  }                                                                                               \
  inline T __##f##div_rn(T a, T b) { return assay_simt::canonical(a / b); }                       \
  inline T __##f##rcp_rn(T a) { return assay_simt::canonical(T{1} / a); }                         \
  inline T __##f##sqrt_rn(T a) { return assay_simt::canonical(std::sqrt(a)); }                    \
  inline T __##fused##_rn(T a, T b, T c) { return assay_simt::canonical(std::fma(a, b, c)); }
ASSAY_NEAREST(f, float, fmaf)
ASSAY_NEAREST(d, double, fma)
#undef ASSAY_NEAREST
#define ASSAY_DIRECTED(suffix, direction, f, T, fused)                                                       \
  inline T __##f##add_##suffix(T a, T b) {                                                                   \
    return assay_simt::canonical(                                                                            \
        assay_simt::directed_add(assay_simt::apart(a), assay_simt::apart(b), assay_simt::Round::direction)); \
  }                                                                                                          \
  inline T __##f##sub_##suffix(T a, T b) {                                                                   \
    return assay_simt::canonical(assay_simt::directed_add(assay_simt::apart(a), -assay_simt::apart(b),       \
                                                          assay_simt::Round::direction));                    \
  }                                                                                                          \
  inline T __##f##mul_##suffix(T a, T b) {                                                                   \
    return assay_simt::canonical(assay_simt::directed_multiply(a, b, assay_simt::Round::direction));         \
  }                                                                                                          \
  inline T __##f##div_##suffix(T a, T b) {                                                                   \
    return assay_simt::canonical(assay_simt::directed_divide(a, b, assay_simt::Round::direction));           \
  }                                                                                                          \
  inline T __##f##rcp_##suffix(T a) { return __##f##div_##suffix(T{1}, a); }                                 \
  inline T __##f##sqrt_##suffix(T a) {                                                                       \
    return assay_simt::canonical(assay_simt::directed_root(a, assay_simt::Round::direction));                \
  }                                                                                                          \
  inline T __##fused##_##suffix(T a, T b, T c) {                                                             \
    return assay_simt::directed_fma(a, b, c, assay_simt::Round::direction);                                  \
  }
ASSAY_DIRECTED(rz, zero, f, float, fmaf)
ASSAY_DIRECTED(rd, down, f, float, fmaf)
ASSAY_DIRECTED(ru, up, f, float, fmaf)
ASSAY_DIRECTED(rz, zero, d, double, fma)
ASSAY_DIRECTED(rd, down, d, double, fma)
ASSAY_DIRECTED(ru, up, d, double, fma)
#undef ASSAY_DIRECTED
// The same whether or not the program flushes subnormals.
inline float __fmaf_ieee_rn(float a, float b, float c) { return __fmaf_rn(a, b, c); }
inline float __fmaf_ieee_rz(float a, float b, float c) { return __fmaf_rz(a, b, c); }
inline float __fmaf_ieee_rd(float a, float b, float c) { return __fmaf_rd(a, b, c); }
inline float __fmaf_ieee_ru(float a, float b, float c) { return __fmaf_ru(a, b, c); }
inline float __frsqrt_rn(float a) { return assay_simt::reciprocal_root(a); }

// To [0, 1]; NaN and -0 give +0.
inline float __saturatef(float x) { return x > 0 ? (x > 1 ? 1.0F : x) : 0.0F; }

// --- conversions -----------------------------------------------------------------------------------------------------

#define ASSAY_TO_INTEGER(suffix, direction, type, name)                                        \
  inline type __float2##name##_##suffix(float x) {                                             \
    return assay_simt::to_integer<type>(static_cast<double>(x), assay_simt::Round::direction); \
  }                                                                                            \
  inline type __double2##name##_##suffix(double x) {                                           \
    if (x != x) return static_cast<type>(std::uint64_t{1} << (8 * sizeof(type) - 1));          \
    return assay_simt::to_integer<type>(x, assay_simt::Round::direction);                      \
  }
#define ASSAY_CONVERSIONS(suffix, direction)                                      \
  ASSAY_TO_INTEGER(suffix, direction, int, int)                                   \
  ASSAY_TO_INTEGER(suffix, direction, unsigned, uint)                             \
  ASSAY_TO_INTEGER(suffix, direction, long long, ll)                              \
  ASSAY_TO_INTEGER(suffix, direction, unsigned long long, ull)                    \
  inline float __int2float_##suffix(int x) {                                      \
    return assay_simt::directed_convert<float>(x, assay_simt::Round::direction);  \
  }                                                                               \
  inline float __uint2float_##suffix(unsigned x) {                                \
    return assay_simt::directed_convert<float>(x, assay_simt::Round::direction);  \
  }                                                                               \
  inline float __ll2float_##suffix(long long x) {                                 \
    return assay_simt::directed_convert<float>(x, assay_simt::Round::direction);  \
  }                                                                               \
  inline float __ull2float_##suffix(unsigned long long x) {                       \
    return assay_simt::directed_convert<float>(x, assay_simt::Round::direction);  \
  }                                                                               \
  inline double __ll2double_##suffix(long long x) {                               \
    return assay_simt::directed_convert<double>(x, assay_simt::Round::direction); \
  }                                                                               \
  inline double __ull2double_##suffix(unsigned long long x) {                     \
    return assay_simt::directed_convert<double>(x, assay_simt::Round::direction); \
  }                                                                               \
  inline float __double2float_##suffix(double x) {                                \
    return assay_simt::directed_narrow(x, assay_simt::Round::direction);          \
  }
ASSAY_CONVERSIONS(rn, nearest)
ASSAY_CONVERSIONS(rz, zero)
ASSAY_CONVERSIONS(rd, down)
ASSAY_CONVERSIONS(ru, up)
#undef ASSAY_CONVERSIONS
#undef ASSAY_TO_INTEGER
inline double __int2double_rn(int x) { return x; }
inline double __uint2double_rn(unsigned x) { return x; }

inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline double __longlong_as_double(long long x) { return std::bit_cast<double>(x); }
inline long long __double_as_longlong(double x) { return std::bit_cast<long long>(x); }
inline int __double2hiint(double x) { return static_cast<int>(std::bit_cast<std::uint64_t>(x) >> 32); }
inline int __double2loint(double x) { return static_cast<int>(std::bit_cast<std::uint64_t>(x)); }
inline double __hiloint2double(int high, int low) {
  return std::bit_cast<double>(std::uint64_t{static_cast<unsigned>(high)} << 32 | static_cast<unsigned>(low));
}

// --- minima and maxima -----------------------------------------------------------------------------------------------

// Of mixed types, the type that CUDA gives.
#define ASSAY_MIN_MAX(A, B, R)                                                            \
  constexpr R min(A a, B b) {                                                             \
    return static_cast<R>(b) < static_cast<R>(a) ? static_cast<R>(b) : static_cast<R>(a); \
  }                                                                                       \
  constexpr R max(A a, B b) {                                                             \
    return static_cast<R>(a) < static_cast<R>(b) ? static_cast<R>(b) : static_cast<R>(a); \
  }
#define ASSAY_MIN_MAX_OF(S, U) \
  ASSAY_MIN_MAX(S, S, S)       \
  ASSAY_MIN_MAX(U, U, U)       \
  ASSAY_MIN_MAX(S, U, U)       \
  ASSAY_MIN_MAX(U, S, U)
ASSAY_MIN_MAX_OF(int, unsigned)
ASSAY_MIN_MAX_OF(long, unsigned long)
ASSAY_MIN_MAX_OF(long long, unsigned long long)
#undef ASSAY_MIN_MAX_OF
#undef ASSAY_MIN_MAX
// fminf and kin of a program (interposed/math.cpp) put -0 below +0, as the hardware does.
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }
inline double min(float a, double b) { return fmin(static_cast<double>(a), b); }
inline double max(float a, double b) { return fmax(static_cast<double>(a), b); }
inline double min(double a, float b) { return fmin(a, static_cast<double>(b)); }
inline double max(double a, float b) { return fmax(a, static_cast<double>(b)); }
inline unsigned umin(unsigned a, unsigned b) { return a < b ? a : b; }
inline unsigned umax(unsigned a, unsigned b) { return a > b ? a : b; }
inline long long llmin(long long a, long long b) { return a < b ? a : b; }
inline long long llmax(long long a, long long b) { return a > b ? a : b; }
inline unsigned long long ullmin(unsigned long long a, unsigned long long b) { return a < b ? a : b; }
inline unsigned long long ullmax(unsigned long long a, unsigned long long b) { return a > b ? a : b; }

// --- functions whose bits CUDA leaves to an error bound --------------------------------------------------------------
//
// All that is left to the host is below this line, and in math_functions.cpp.

namespace assay_simt {
double erfinv(double x);
double erfcinv(double x);
double erfcx(double x);
double normcdf(double x);
double normcdfinv(double x);
double cyl_bessel_i(int order, double x);
double norm_of(int n, const double* x);
double norm_of(int n, const float* x);
}  // namespace assay_simt

// Fast ones: of the exponents that CUDA documents, and of the special values.
inline float __expf(float x) { return std::exp(x); }
inline float __exp10f(float x) { return static_cast<float>(assay_simt::host_exp10(static_cast<double>(x))); }
inline float __logf(float x) { return std::log(x); }
inline float __log2f(float x) { return std::log2(x); }
inline float __log10f(float x) { return std::log10(x); }
inline float __powf(float x, float y) { return std::pow(x, y); }
inline float __sinf(float x) { return std::sin(x); }
inline float __cosf(float x) { return std::cos(x); }
inline float __tanf(float x) { return std::tan(x); }
inline float __tanhf(float x) { return std::tanh(x); }
inline void __sincosf(float x, float* sine, float* cosine) {
  *sine = std::sin(x);
  *cosine = std::cos(x);
}
// Where 2^126 < |y| < 2^128, the reciprocal of y is taken as 0.
inline float __fdividef(float x, float y) {
  const float magnitude = std::fabs(y);
  if (magnitude > 0x1p126F && magnitude < std::numeric_limits<float>::infinity())
    return assay_simt::canonical(x * std::copysign(0.0F, y));
  return x / y;
}
inline float fdividef(float x, float y) { return x / y; }

// Each for float, by its name with f and by its name, and for double.
#define ASSAY_HOST(name, ...)                                   \
  inline double name(double x) noexcept { return __VA_ARGS__; } \
  inline float name##f(float y) noexcept {                      \
    const auto x = static_cast<double>(y);                      \
    return static_cast<float>(__VA_ARGS__);                     \
  }                                                             \
  inline float name(float x) { return name##f(x); }
#define ASSAY_ROUNDED(name)                                                    \
  inline double name(double x) noexcept { return assay::functions::name(x); }  \
  inline float name##f(float x) noexcept { return assay::functions::name(x); } \
  inline float name(float x) { return name##f(x); }
ASSAY_ROUNDED(rsqrt)
ASSAY_ROUNDED(rcbrt)
ASSAY_ROUNDED(sinpi)
ASSAY_ROUNDED(cospi)
#undef ASSAY_ROUNDED
ASSAY_HOST(erfinv, assay_simt::erfinv(x))
ASSAY_HOST(erfcinv, assay_simt::erfcinv(x))
ASSAY_HOST(erfcx, assay_simt::erfcx(x))
ASSAY_HOST(normcdf, assay_simt::normcdf(x))
ASSAY_HOST(normcdfinv, assay_simt::normcdfinv(x))
ASSAY_HOST(cyl_bessel_i0, assay_simt::cyl_bessel_i(0, x))
ASSAY_HOST(cyl_bessel_i1, assay_simt::cyl_bessel_i(1, x))
#undef ASSAY_HOST

inline void sincospi(double x, double* sine, double* cosine) {
  *sine = sinpi(x);
  *cosine = cospi(x);
}
inline void sincospif(float x, float* sine, float* cosine) {
  *sine = sinpif(x);
  *cosine = cospif(x);
}
inline void sincospi(float x, float* sine, float* cosine) { sincospif(x, sine, cosine); }
inline void sincos(float x, float* sine, float* cosine) { sincosf(x, sine, cosine); }
inline float exp10(float x) { return exp10f(x); }
inline float j0(float x) { return j0f(x); }
inline float j1(float x) { return j1f(x); }
inline float jn(int n, float x) { return jnf(n, x); }
inline float y0(float x) { return y0f(x); }
inline float y1(float x) { return y1f(x); }
inline float yn(int n, float x) { return ynf(n, x); }

// Lengths and their reciprocals, without overflow in between.
inline double norm(int n, const double* x) { return assay_simt::norm_of(n, x); }
inline double rnorm(int n, const double* x) { return 1.0 / assay_simt::norm_of(n, x); }
inline float normf(int n, const float* x) { return static_cast<float>(assay_simt::norm_of(n, x)); }
inline float rnormf(int n, const float* x) { return static_cast<float>(1.0 / assay_simt::norm_of(n, x)); }
#define ASSAY_NORM(suffix, T)                               \
  inline T norm3d##suffix(T a, T b, T c) {                  \
    const T x[] = {a, b, c};                                \
    return static_cast<T>(assay_simt::norm_of(3, x));       \
  }                                                         \
  inline T norm4d##suffix(T a, T b, T c, T d) {             \
    const T x[] = {a, b, c, d};                             \
    return static_cast<T>(assay_simt::norm_of(4, x));       \
  }                                                         \
  inline T rnorm3d##suffix(T a, T b, T c) {                 \
    const T x[] = {a, b, c};                                \
    return static_cast<T>(1.0 / assay_simt::norm_of(3, x)); \
  }                                                         \
  inline T rnorm4d##suffix(T a, T b, T c, T d) {            \
    const T x[] = {a, b, c, d};                             \
    return static_cast<T>(1.0 / assay_simt::norm_of(4, x)); \
  }                                                         \
  inline T rhypot##suffix(T a, T b) {                       \
    const T x[] = {a, b};                                   \
    return static_cast<T>(1.0 / assay_simt::norm_of(2, x)); \
  }
ASSAY_NORM(, double)
ASSAY_NORM(f, float)
#undef ASSAY_NORM
inline float rhypot(float a, float b) { return rhypotf(a, b); }
inline float norm3d(float a, float b, float c) { return norm3df(a, b, c); }
inline float norm4d(float a, float b, float c, float d) { return norm4df(a, b, c, d); }
inline float rnorm3d(float a, float b, float c) { return rnorm3df(a, b, c); }
inline float rnorm4d(float a, float b, float c, float d) { return rnorm4df(a, b, c, d); }
