#include "emulation/units/nvidia/kernels/fused_sum_rows.hpp"

namespace assay::kernels {
namespace {

// Sixteen lanes; every conversion states its rounding.
struct Lanes {
  using Float = __m512;
  using Int = __m512i;
  using Mask = __mmask16;
  static constexpr std::size_t width = 16;
  static constexpr int rows = 4;
  static constexpr int zero_mode = _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC;
  static constexpr int nearest_mode = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

  static Float load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, Float x) { _mm512_storeu_ps(p, x); }
  static Float all(const float* p) { return _mm512_set1_ps(*p); }
  static Float zero() { return _mm512_setzero_ps(); }
  static Int load(const std::int16_t* p) { return _mm512_loadu_si512(p); }
  static Int all(const std::uint32_t* p) { return _mm512_set1_epi32(static_cast<int>(*p)); }
  static Int all16(int x) { return _mm512_set1_epi16(static_cast<short>(x)); }
  static Int all32(int x) { return _mm512_set1_epi32(x); }
  static Int zero_bits() { return _mm512_setzero_si512(); }

  // The compiler must have x in a register here.
  template <class Vector>
  static void keep(Vector& x) {
    asm("" : "+v"(x));
  }

  static Float mul(Float a, Float b) { return _mm512_mul_ps(a, b); }
  static Float add(Float a, Float b) { return _mm512_add_ps(a, b); }
  static Int truncated(Float x) { return _mm512_cvttps_epi32(x); }
  static Float toward_zero(Int x) { return _mm512_cvt_roundepi32_ps(x, zero_mode); }
  static Float bits(Int x) { return _mm512_castsi512_ps(x); }
  static Int bits(Float x) { return _mm512_castps_si512(x); }

  static Int add16(Int a, Int b) { return _mm512_add_epi16(a, b); }
  static Int sub16(Int a, Int b) { return _mm512_sub_epi16(a, b); }
  static Int sub16_or_zero(Int a, Int b) { return _mm512_subs_epu16(a, b); }
  static Int max16(Int a, Int b) { return _mm512_max_epi16(a, b); }
  static Int min16(Int a, Int b) { return _mm512_min_epi16(a, b); }
  static Int add32(Int a, Int b) { return _mm512_add_epi32(a, b); }
  static Int sub32(Int a, Int b) { return _mm512_sub_epi32(a, b); }
  static Int max32(Int a, Int b) { return _mm512_max_epi32(a, b); }
  static Int and32(Int a, Int b) { return _mm512_and_si512(a, b); }
  static Int or32(Int a, Int b) { return _mm512_or_si512(a, b); }
  static Int xor32(Int a, Int b) { return _mm512_xor_si512(a, b); }
  template <int n>
  static Int left(Int a) {
    return _mm512_slli_epi32(a, n);
  }
  template <int n>
  static Int right(Int a) {
    return _mm512_srli_epi32(a, n);
  }
  template <int n>
  static Int right_signed(Int a) {
    return _mm512_srai_epi32(a, n);
  }

  static Mask less(Int a, Int b) { return _mm512_cmplt_epi32_mask(a, b); }
  static Mask equal(Int a, Int b) { return _mm512_cmpeq_epi32_mask(a, b); }
  static Mask both(Mask a, Mask b) { return _kand_mask16(a, b); }
  static Mask either(Mask a, Mask b) { return _kor_mask16(a, b); }
  static Mask invert(Mask a) { return _knot_mask16(a); }
  static bool any(Mask m) { return _kortestz_mask16_u8(m, m) == 0; }
  static Int select(Mask m, Int a, Int b) { return _mm512_mask_mov_epi32(b, m, a); }
  static Float select(Mask m, Float a, Float b) { return _mm512_mask_mov_ps(b, m, a); }

  // x * 2^e, truncated where it is subnormal; infinite from 2^128, where toward-zero would stop short of it. x has 24
  // bits: to nearest it overflows there and not before.
  static Float scaled(Float x, Int e) {
    const Float power = _mm512_cvt_roundepi32_ps(e, nearest_mode);
    const Float cut = _mm512_scalef_round_ps(x, power, zero_mode);
    const Float nearest = _mm512_scalef_round_ps(x, power, nearest_mode);
    return _mm512_mask_mov_ps(cut, _mm512_fpclass_ps_mask(nearest, 0x18), nearest);
  }
  static Float through_f16(Float x) { return _mm512_cvtph_ps(_mm512_cvtps_ph(x, nearest_mode)); }
  static Float nearest_sum(Float a, Float b) { return _mm512_add_round_ps(a, b, nearest_mode); }
};

}  // namespace

void fused_sum_avx512(const FusedSumTask& task) noexcept {
  static_assert(2 * Lanes::width == fused_sum_columns_avx512);
  const unsigned saved = _mm_getcsr();
  _mm_setcsr(0x1F80);
  fused_sum<Lanes>(task);
  _mm_setcsr(saved);
}

}  // namespace assay::kernels
