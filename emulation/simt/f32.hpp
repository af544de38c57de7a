// A float whose operations are each rounded once, whatever the compiler may contract.
//
// nvcc makes one rounding of a * b + c unless -fmad=false, GCC where the CPU has FMA, Clang within an expression, and
// which of several sums they choose is theirs. A kernel in this type has the same bits from all of them under all their
// flags: operators are never merged, and fma() is written where one rounding is meant.
//
// For nvcc, `assay simt` and C++ alike. Numerics: to nearest, ties to even. A NaN is the machine's own. A program that
// flushes subnormal numbers (-ftz=true, MXCSR) flushes these too; division and square root are exact under
// -prec-div=false and -prec-sqrt=false as well.
#pragma once

#include <cmath>

#ifdef __CUDACC__
#define ASSAY_F32 __host__ __device__ __forceinline__
#else
#define ASSAY_F32 inline
#endif

namespace assay::simt {

struct f32 {
  float value;

  f32() = default;
  ASSAY_F32 constexpr f32(float x) : value(x) {}  // a float is one as it stands
  ASSAY_F32 explicit constexpr operator float() const { return value; }
};

#ifdef __CUDA_ARCH__  // whose intrinsics are never merged
ASSAY_F32 f32 operator+(f32 a, f32 b) { return __fadd_rn(a.value, b.value); }
ASSAY_F32 f32 operator-(f32 a, f32 b) { return __fsub_rn(a.value, b.value); }
ASSAY_F32 f32 operator*(f32 a, f32 b) { return __fmul_rn(a.value, b.value); }
ASSAY_F32 f32 operator/(f32 a, f32 b) { return __fdiv_rn(a.value, b.value); }
ASSAY_F32 f32 sqrt(f32 a) { return __fsqrt_rn(a.value); }
ASSAY_F32 f32 fma(f32 a, f32 b, f32 c) { return __fmaf_rn(a.value, b.value, c.value); }
#else
namespace f32_detail {
// On the host: what the compiler does not see through, so that it merges nothing before it with anything behind it.
ASSAY_F32 float apart(float x) {
#if defined(__x86_64__)
  asm("" : "+x"(x));
  return x;
#else
  volatile float kept = x;
  return kept;
#endif
}
}  // namespace f32_detail
ASSAY_F32 f32 operator+(f32 a, f32 b) { return f32_detail::apart(a.value) + f32_detail::apart(b.value); }
ASSAY_F32 f32 operator-(f32 a, f32 b) { return f32_detail::apart(a.value) - f32_detail::apart(b.value); }
ASSAY_F32 f32 operator*(f32 a, f32 b) {
  return f32_detail::apart(f32_detail::apart(a.value) * f32_detail::apart(b.value));
}
ASSAY_F32 f32 operator/(f32 a, f32 b) { return a.value / b.value; }
ASSAY_F32 f32 sqrt(f32 a) { return std::sqrt(a.value); }
ASSAY_F32 f32 fma(f32 a, f32 b, f32 c) { return std::fma(a.value, b.value, c.value); }
#endif

ASSAY_F32 f32 operator+(f32 a) { return a; }
ASSAY_F32 f32 operator-(f32 a) { return -a.value; }
ASSAY_F32 f32 abs(f32 a) { return std::fabs(a.value); }
ASSAY_F32 f32& operator+=(f32& a, f32 b) { return a = a + b; }
ASSAY_F32 f32& operator-=(f32& a, f32 b) { return a = a - b; }
ASSAY_F32 f32& operator*=(f32& a, f32 b) { return a = a * b; }
ASSAY_F32 f32& operator/=(f32& a, f32 b) { return a = a / b; }
ASSAY_F32 bool operator==(f32 a, f32 b) { return a.value == b.value; }
ASSAY_F32 bool operator!=(f32 a, f32 b) { return a.value != b.value; }
ASSAY_F32 bool operator<(f32 a, f32 b) { return a.value < b.value; }
ASSAY_F32 bool operator>(f32 a, f32 b) { return a.value > b.value; }
ASSAY_F32 bool operator<=(f32 a, f32 b) { return a.value <= b.value; }
ASSAY_F32 bool operator>=(f32 a, f32 b) { return a.value >= b.value; }

}  // namespace assay::simt

#undef ASSAY_F32
