// 16 floats in two registers, for kernels of AutoSparse's gradient path.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace assay::autosparse {
namespace {

struct Lanes256x2 {
  struct Mask {
    __m256 low, high;
  };
  __m256 low, high;

  static Lanes256x2 all(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
  static Lanes256x2 load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  void store(float* p) const {
    _mm256_storeu_ps(p, low);
    _mm256_storeu_ps(p + 8, high);
  }
  // By quarters: memory for arrays lies at multiples of 16 bytes, and seldom of 32.
  void stream(float* p) const {
    _mm_stream_ps(p, _mm256_castps256_ps128(low));
    _mm_stream_ps(p + 4, _mm256_extractf128_ps(low, 1));
    _mm_stream_ps(p + 8, _mm256_castps256_ps128(high));
    _mm_stream_ps(p + 12, _mm256_extractf128_ps(high, 1));
  }
  static void store_mask(Mask mask, std::uint8_t* p) {
    const __m256i words = in_order(
        _mm256_packs_epi32(_mm256_castps_si256(mask.low), _mm256_castps_si256(mask.high)));  // 0 or -1
    const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_and_si128(bytes, _mm_set1_epi8(1)));
  }
  // Rounded to nearest even. No lane is NaN.
  template <bool stream>
  void store_bf16(std::uint16_t* p) const {
    const __m256i codes = in_order(_mm256_packus_epi32(bf16(low), bf16(high)));
    if constexpr (stream) {
      auto* const quarters = reinterpret_cast<__m128i*>(p);
      _mm_stream_si128(quarters, _mm256_castsi256_si128(codes));
      _mm_stream_si128(quarters + 1, _mm256_extracti128_si256(codes, 1));
    } else {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), codes);
    }
  }
  friend Lanes256x2 operator*(Lanes256x2 a, Lanes256x2 b) {
    return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
  }
  static Lanes256x2 fma(Lanes256x2 a, Lanes256x2 b, Lanes256x2 c) {
    return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
  }
  Mask magnitude_above(Lanes256x2 threshold) const {
    return {_mm256_cmp_ps(magnitude(low), threshold.low, _CMP_GT_OQ),
            _mm256_cmp_ps(magnitude(high), threshold.high, _CMP_GT_OQ)};
  }
  // Magnitudes less the threshold with their signs where the mask is set, +0 elsewhere.
  Lanes256x2 shrunk(Lanes256x2 threshold, Mask kept) const {
    return {shrunk(low, threshold.low, kept.low), shrunk(high, threshold.high, kept.high)};
  }
  Lanes256x2 where(Mask mask, Lanes256x2 elsewhere) const {
    return {_mm256_blendv_ps(elsewhere.low, low, mask.low),
            _mm256_blendv_ps(elsewhere.high, high, mask.high)};
  }
  // Times the sign of w; +0 where w is 0 or NaN.
  Lanes256x2 with_sign_by(Lanes256x2 w) const {
    return {with_sign_by(low, w.low), with_sign_by(high, w.high)};
  }
  Lanes256x2 with_one_nan() const { return {with_one_nan(low), with_one_nan(high)}; }

  // 16 sums of exact products of two floats.
  struct Sums {
    __m256d v[4] = {_mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd()};
    void add(Lanes256x2 a, Lanes256x2 b) {
      v[0] = _mm256_fmadd_pd(wide(a.low, 0), wide(b.low, 0), v[0]);
      v[1] = _mm256_fmadd_pd(wide(a.low, 1), wide(b.low, 1), v[1]);
      v[2] = _mm256_fmadd_pd(wide(a.high, 0), wide(b.high, 0), v[2]);
      v[3] = _mm256_fmadd_pd(wide(a.high, 1), wide(b.high, 1), v[3]);
    }
    void store(double* p) const {
      for (int i = 0; i < 4; ++i) _mm256_storeu_pd(p + 4 * i, v[i]);
    }

   private:
    static __m256d wide(__m256 x, int half) {
      return _mm256_cvtps_pd(half == 0 ? _mm256_castps256_ps128(x) : _mm256_extractf128_ps(x, 1));
    }
  };

 private:
  static __m256 sign_bit() { return _mm256_set1_ps(-0.0F); }
  static __m256 magnitude(__m256 x) { return _mm256_andnot_ps(sign_bit(), x); }
  static __m256 shrunk(__m256 x, __m256 threshold, __m256 kept) {
    const __m256 size = _mm256_sub_ps(magnitude(x), threshold);
    return _mm256_and_ps(kept, _mm256_or_ps(size, _mm256_and_ps(sign_bit(), x)));
  }
  static __m256 with_sign_by(__m256 x, __m256 w) {
    const __m256 is_signed = _mm256_cmp_ps(w, _mm256_setzero_ps(), _CMP_NEQ_OQ);
    return _mm256_and_ps(is_signed, _mm256_xor_ps(x, _mm256_and_ps(sign_bit(), w)));
  }
  static __m256 with_one_nan(__m256 x) {
    return _mm256_blendv_ps(x, _mm256_castsi256_ps(_mm256_set1_epi32(0x7FC00000)),
                            _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  }
  static __m256i bf16(__m256 x) {
    const __m256i bits = _mm256_castps_si256(x), odd = _mm256_srli_epi32(_mm256_slli_epi32(bits, 15), 31);
    return _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF))), 16);
  }
  // What packing of two registers leaves as quarters 0, 2, 1, 3.
  static __m256i in_order(__m256i packed) { return _mm256_permute4x64_epi64(packed, 0xD8); }
};

}  // namespace
}  // namespace assay::autosparse
