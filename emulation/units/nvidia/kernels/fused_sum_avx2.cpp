#include "emulation/units/nvidia/kernels/fused_sum_rows.hpp"

namespace assay::kernels {
namespace {

// Eight lanes, MXCSR at toward-zero, which rounds the conversions.
struct Lanes {
  using Float = __m256;
  using Int = __m256i;
  using Mask = __m256i;
  static constexpr std::size_t width = 8;
  static constexpr int rows = 2;

  static Float load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, Float x) { _mm256_storeu_ps(p, x); }
  static Float all(const float* p) { return _mm256_broadcast_ss(p); }
  static Float zero() { return _mm256_setzero_ps(); }
  static Int load(const std::int16_t* p) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(static_cast<const void*>(p)));
  }
  static Int all(const std::uint32_t* p) {
    return _mm256_castps_si256(_mm256_broadcast_ss(static_cast<const float*>(static_cast<const void*>(p))));
  }
  static Int all16(int x) { return _mm256_set1_epi16(static_cast<short>(x)); }
  static Int all32(int x) { return _mm256_set1_epi32(x); }
  static Int zero_bits() { return _mm256_setzero_si256(); }

  // The compiler must have x in a register here.
  template <class Vector>
  static void keep(Vector& x) {
    asm("" : "+x"(x));
  }

  static Float mul(Float a, Float b) { return _mm256_mul_ps(a, b); }
  static Float add(Float a, Float b) { return _mm256_add_ps(a, b); }
  static Int truncated(Float x) { return _mm256_cvttps_epi32(x); }
  static Float toward_zero(Int x) { return _mm256_cvtepi32_ps(x); }
  static Float bits(Int x) { return _mm256_castsi256_ps(x); }
  static Int bits(Float x) { return _mm256_castps_si256(x); }

  static Int add16(Int a, Int b) { return _mm256_add_epi16(a, b); }
  static Int sub16(Int a, Int b) { return _mm256_sub_epi16(a, b); }
  static Int sub16_or_zero(Int a, Int b) { return _mm256_subs_epu16(a, b); }
  static Int max16(Int a, Int b) { return _mm256_max_epi16(a, b); }
  static Int min16(Int a, Int b) { return _mm256_min_epi16(a, b); }
  static Int add32(Int a, Int b) { return _mm256_add_epi32(a, b); }
  static Int sub32(Int a, Int b) { return _mm256_sub_epi32(a, b); }
  static Int max32(Int a, Int b) { return _mm256_max_epi32(a, b); }
  static Int min32(Int a, Int b) { return _mm256_min_epi32(a, b); }
  static Int and32(Int a, Int b) { return _mm256_and_si256(a, b); }
  static Int or32(Int a, Int b) { return _mm256_or_si256(a, b); }
  static Int xor32(Int a, Int b) { return _mm256_xor_si256(a, b); }
  template <int n>
  static Int left(Int a) {
    return _mm256_slli_epi32(a, n);
  }
  template <int n>
  static Int right(Int a) {
    return _mm256_srli_epi32(a, n);
  }
  template <int n>
  static Int right_signed(Int a) {
    return _mm256_srai_epi32(a, n);
  }

  static Mask less(Int a, Int b) { return _mm256_cmpgt_epi32(b, a); }
  static Mask equal(Int a, Int b) { return _mm256_cmpeq_epi32(a, b); }
  static Mask both(Mask a, Mask b) { return _mm256_and_si256(a, b); }
  static Mask either(Mask a, Mask b) { return _mm256_or_si256(a, b); }
  static Mask invert(Mask a) { return _mm256_xor_si256(a, _mm256_set1_epi32(-1)); }
  static bool any(Mask m) { return _mm256_testz_si256(m, m) == 0; }
  static Int select(Mask m, Int a, Int b) { return _mm256_blendv_epi8(b, a, m); }
  static Float select(Mask m, Float a, Float b) { return _mm256_blendv_ps(b, a, _mm256_castsi256_ps(m)); }

  // x * 2^e, truncated where it is subnormal; infinite from 2^128. In two steps, of which one alone is inexact. Zeros
  // aside, e <= 250; below -220 everything is 0.
  static Float scaled(Float x, Int e) {
    const Int cut = min32(max32(e, all32(-220)), all32(250)), half = right_signed<1>(cut);
    const Int exponent = and32(right<23>(bits(x)), all32(255));
    const Mask overflow = less(all32(254), add32(exponent, cut));
    const Int rest = sub32(cut, half);
    const Float power = bits(left<23>(add32(half, all32(127))));
    const Float other = bits(left<23>(add32(rest, all32(127))));
    const Int infinity = or32(and32(bits(x), all32(static_cast<int>(0x80000000))), all32(0x7F800000));
    return select(overflow, bits(infinity), mul(mul(x, power), other));
  }
  static Float through_f16(Float x) {
    return _mm256_cvtph_ps(_mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
  static Float nearest_sum(Float a, Float b) {
    _mm_setcsr(0x1F80);
    // Not to be moved out of the two settings, which the compiler takes for unrelated.
    asm volatile("" : "+x"(a), "+x"(b));
    Float sum = _mm256_add_ps(a, b);
    asm volatile("" : "+x"(sum));
    _mm_setcsr(0x7F80);
    return sum;
  }
};

}  // namespace

void fused_sum_avx2(const FusedSumTask& task) noexcept {
  static_assert(2 * Lanes::width == fused_sum_columns_avx2);
  const unsigned saved = _mm_getcsr();
  _mm_setcsr(0x7F80);
  fused_sum<Lanes>(task);
  _mm_setcsr(saved);
}

}  // namespace assay::kernels
