// 16 floats in a register, for kernels of float32.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace assay::sparse {
namespace {

struct Lanes512 {
  static constexpr std::uint32_t width = 16;
  __m512 v;

  static Lanes512 all(float x) { return {_mm512_set1_ps(x)}; }
  static Lanes512 load(const float* p) { return {_mm512_load_ps(p)}; }
  static Lanes512 load_any(const float* p) { return {_mm512_loadu_ps(p)}; }
  static Lanes512 load_first(const float* p, std::uint32_t n) { return {_mm512_maskz_loadu_ps(first(n), p)}; }
  void store(float* p) const { _mm512_store_ps(p, v); }
  void store_any(float* p) const { _mm512_storeu_ps(p, v); }
  void store_first(float* p, std::uint32_t n) const { _mm512_mask_storeu_ps(p, first(n), v); }
  static Lanes512 fma(Lanes512 a, Lanes512 b, Lanes512 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
  friend Lanes512 operator*(Lanes512 a, Lanes512 b) { return {_mm512_mul_ps(a.v, b.v)}; }
  friend Lanes512 operator+(Lanes512 a, Lanes512 b) { return {_mm512_add_ps(a.v, b.v)}; }
  Lanes512 positive_or_nan() const {
    return {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NLE_UQ), v)};
  }
  Lanes512 positive() const {
    return {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_GT_OQ), v)};
  }
  Lanes512 clipped(float low, float high) const {
    const __m512 lower = _mm512_set1_ps(low), upper = _mm512_set1_ps(high);
    const __m512 raised = _mm512_mask_mov_ps(v, _mm512_cmp_ps_mask(v, lower, _CMP_LT_OQ), lower);
    return {_mm512_mask_mov_ps(raised, _mm512_cmp_ps_mask(raised, upper, _CMP_GT_OQ), upper)};
  }
  Lanes512 with_one_nan() const {
    return {_mm512_mask_mov_ps(v, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q),
                               _mm512_castsi512_ps(_mm512_set1_epi32(0x7FC00000)))};
  }
  // Elements index[0], index[1], ... of x.
  static Lanes512 gather(const float* x, const std::int32_t* index) {
    return {_mm512_i32gather_ps(_mm512_loadu_si512(index), x, 4)};
  }
  static Lanes512 gather(const float* x, const std::uint16_t* index) {
    const __m256i narrow = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(index));
    return {_mm512_i32gather_ps(_mm512_cvtepu16_epi32(narrow), x, 4)};
  }
  static float fma(float a, float b, float c) {
    return _mm_cvtss_f32(_mm_fmadd_ss(_mm_set_ss(a), _mm_set_ss(b), _mm_set_ss(c)));
  }
  // Lane i of tile[j] is rows[i][from + j]. Halves of rows are read to where they end up after transpositions of 4 x 4
  // and an exchange of quarters.
  static void read_tile(const float* const* rows, std::int64_t from, Lanes512 (&tile)[width]) {
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      const auto pair = [&](int i) {
        const __m256 low = _mm256_loadu_ps(rows[i] + from + 8 * half);
        const __m256d high = _mm256_castps_pd(_mm256_loadu_ps(rows[4 + i] + from + 8 * half));
        return _mm512_castpd_ps(_mm512_insertf64x4(_mm512_castps_pd(_mm512_castps256_ps512(low)), high, 1));
      };
      __m512 upper[4], lower[4];  // of the first 8 rows, and of the others
      transpose_quarters(pair(0), pair(1), pair(2), pair(3), upper);
      transpose_quarters(pair(8), pair(9), pair(10), pair(11), lower);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        tile[8 * half + j].v = _mm512_shuffle_f32x4(upper[j], lower[j], 0x88);
        tile[8 * half + 4 + j].v = _mm512_shuffle_f32x4(upper[j], lower[j], 0xDD);
      }
    }
  }

 private:
  // The 4 x 4 transposes of each 128 bits.
  static void transpose_quarters(__m512 a, __m512 b, __m512 c, __m512 d, __m512 (&out)[4]) {
    const __m512d low = _mm512_castps_pd(_mm512_unpacklo_ps(a, b)),
                  low2 = _mm512_castps_pd(_mm512_unpacklo_ps(c, d)),
                  high = _mm512_castps_pd(_mm512_unpackhi_ps(a, b)),
                  high2 = _mm512_castps_pd(_mm512_unpackhi_ps(c, d));
    out[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, low2));
    out[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, low2));
    out[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high, high2));
    out[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high, high2));
  }
  static __mmask16 first(std::uint32_t n) { return static_cast<__mmask16>((1U << n) - 1); }
};

}  // namespace
}  // namespace assay::sparse
