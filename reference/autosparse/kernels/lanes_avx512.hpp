// 16 floats in a register, for kernels of AutoSparse's gradient path.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace assay::autosparse {
namespace {

struct Lanes512 {
  using Mask = __mmask16;
  __m512 v;

  static Lanes512 all(float x) { return {_mm512_set1_ps(x)}; }
  static Lanes512 load(const float* p) { return {_mm512_loadu_ps(p)}; }
  void store(float* p) const { _mm512_storeu_ps(p, v); }
  // By quarters: memory for arrays lies at multiples of 16 bytes, and seldom of 64.
  void stream(float* p) const {
    _mm_stream_ps(p, _mm512_castps512_ps128(v));
    _mm_stream_ps(p + 4, _mm512_extractf32x4_ps(v, 1));
    _mm_stream_ps(p + 8, _mm512_extractf32x4_ps(v, 2));
    _mm_stream_ps(p + 12, _mm512_extractf32x4_ps(v, 3));
  }
  static void store_mask(Mask mask, std::uint8_t* p) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_maskz_set1_epi8(mask, 1));
  }
  // Rounded to nearest even. No lane is NaN.
  template <bool stream>
  void store_bf16(std::uint16_t* p) const {
    const __m512i bits = _mm512_castps_si512(v), odd = _mm512_srli_epi32(_mm512_slli_epi32(bits, 15), 31);
    const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
    const __m256i codes = _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
    if constexpr (stream) {
      auto* const quarters = reinterpret_cast<__m128i*>(p);
      _mm_stream_si128(quarters, _mm256_castsi256_si128(codes));
      _mm_stream_si128(quarters + 1, _mm256_extracti128_si256(codes, 1));
    } else {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), codes);
    }
  }
  friend Lanes512 operator*(Lanes512 a, Lanes512 b) { return {_mm512_mul_ps(a.v, b.v)}; }
  static Lanes512 fma(Lanes512 a, Lanes512 b, Lanes512 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
  Mask magnitude_above(Lanes512 threshold) const {
    return _mm512_cmp_ps_mask(_mm512_abs_ps(v), threshold.v, _CMP_GT_OQ);
  }
  // Magnitudes less the threshold with their signs where the mask is set, +0 elsewhere.
  Lanes512 shrunk(Lanes512 threshold, Mask kept) const {
    const __m512 size = _mm512_sub_ps(_mm512_abs_ps(v), threshold.v);
    return {_mm512_maskz_or_ps(kept, size, _mm512_and_ps(sign_bit(), v))};
  }
  Lanes512 where(Mask mask, Lanes512 elsewhere) const { return {_mm512_mask_mov_ps(elsewhere.v, mask, v)}; }
  // Times the sign of w; +0 where w is 0 or NaN.
  Lanes512 with_sign_by(Lanes512 w) const {
    const Mask is_signed = _mm512_cmp_ps_mask(w.v, _mm512_setzero_ps(), _CMP_NEQ_OQ);
    return {_mm512_maskz_xor_ps(is_signed, v, _mm512_and_ps(sign_bit(), w.v))};
  }
  Lanes512 with_one_nan() const {
    return {_mm512_mask_mov_ps(v, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q),
                               _mm512_castsi512_ps(_mm512_set1_epi32(0x7FC00000)))};
  }

  // 16 sums of exact products of two floats.
  struct Sums {
    __m512d low = _mm512_setzero_pd(), high = _mm512_setzero_pd();
    void add(Lanes512 a, Lanes512 b) {
      low = _mm512_fmadd_pd(wide(a.v, 0), wide(b.v, 0), low);
      high = _mm512_fmadd_pd(wide(a.v, 1), wide(b.v, 1), high);
    }
    void store(double* p) const {
      _mm512_storeu_pd(p, low);
      _mm512_storeu_pd(p + 8, high);
    }

   private:
    static __m512d wide(__m512 x, int half) {
      return _mm512_cvtps_pd(half == 0 ? _mm512_castps512_ps256(x) : _mm512_extractf32x8_ps(x, 1));
    }
  };

 private:
  static __m512 sign_bit() { return _mm512_set1_ps(-0.0F); }
};

}  // namespace
}  // namespace assay::autosparse
