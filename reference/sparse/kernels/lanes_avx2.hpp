// 8 floats in a register, for kernels of float32.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace assay::sparse {
namespace {

struct Lanes256 {
  static constexpr std::uint32_t width = 8;
  __m256 v;

  static Lanes256 all(float x) { return {_mm256_set1_ps(x)}; }
  static Lanes256 load(const float* p) { return {_mm256_load_ps(p)}; }
  static Lanes256 load_any(const float* p) { return {_mm256_loadu_ps(p)}; }
  static Lanes256 load_first(const float* p, std::uint32_t n) { return {_mm256_maskload_ps(p, first(n))}; }
  void store(float* p) const { _mm256_store_ps(p, v); }
  void store_any(float* p) const { _mm256_storeu_ps(p, v); }
  void store_first(float* p, std::uint32_t n) const { _mm256_maskstore_ps(p, first(n), v); }
  static Lanes256 fma(Lanes256 a, Lanes256 b, Lanes256 c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
  friend Lanes256 operator*(Lanes256 a, Lanes256 b) { return {_mm256_mul_ps(a.v, b.v)}; }
  friend Lanes256 operator+(Lanes256 a, Lanes256 b) { return {_mm256_add_ps(a.v, b.v)}; }
  Lanes256 positive_or_nan() const {
    return {_mm256_and_ps(v, _mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_NLE_UQ))};
  }
  Lanes256 positive() const { return {_mm256_and_ps(v, _mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_GT_OQ))}; }
  Lanes256 clipped(float low, float high) const {
    const __m256 lower = _mm256_set1_ps(low), upper = _mm256_set1_ps(high);
    const __m256 raised = _mm256_blendv_ps(v, lower, _mm256_cmp_ps(v, lower, _CMP_LT_OQ));
    return {_mm256_blendv_ps(raised, upper, _mm256_cmp_ps(raised, upper, _CMP_GT_OQ))};
  }
  Lanes256 with_one_nan() const {
    return {_mm256_blendv_ps(v, _mm256_castsi256_ps(_mm256_set1_epi32(0x7FC00000)),
                             _mm256_cmp_ps(v, v, _CMP_UNORD_Q))};
  }
  // Elements index[0], index[1], ... of x.
  static Lanes256 gather(const float* x, const std::int32_t* index) {
    return {_mm256_i32gather_ps(x, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(index)), 4)};
  }
  static Lanes256 gather(const float* x, const std::uint16_t* index) {
    const __m128i narrow = _mm_loadu_si128(reinterpret_cast<const __m128i*>(index));
    return {_mm256_i32gather_ps(x, _mm256_cvtepu16_epi32(narrow), 4)};
  }
  static float fma(float a, float b, float c) {
    return _mm_cvtss_f32(_mm_fmadd_ss(_mm_set_ss(a), _mm_set_ss(b), _mm_set_ss(c)));
  }
  // Lane i of tile[j] is rows[i][from + j]. Quarters of rows are read to where a transposition of each half ends it.
  static void read_tile(const float* const* rows, std::int64_t from, Lanes256 (&tile)[width]) {
#pragma GCC unroll 2
    for (int quarter = 0; quarter < 2; ++quarter) {
      const auto pair = [&](int i) {
        const std::int64_t at = from + 4 * quarter;
        return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(rows[i] + at)),
                                    _mm_loadu_ps(rows[4 + i] + at), 1);
      };
      const __m256 a = pair(0), b = pair(1), c = pair(2), d = pair(3);
      const __m256d low = _mm256_castps_pd(_mm256_unpacklo_ps(a, b)),
                    low2 = _mm256_castps_pd(_mm256_unpacklo_ps(c, d)),
                    high = _mm256_castps_pd(_mm256_unpackhi_ps(a, b)),
                    high2 = _mm256_castps_pd(_mm256_unpackhi_ps(c, d));
      tile[4 * quarter].v = _mm256_castpd_ps(_mm256_unpacklo_pd(low, low2));
      tile[4 * quarter + 1].v = _mm256_castpd_ps(_mm256_unpackhi_pd(low, low2));
      tile[4 * quarter + 2].v = _mm256_castpd_ps(_mm256_unpacklo_pd(high, high2));
      tile[4 * quarter + 3].v = _mm256_castpd_ps(_mm256_unpackhi_pd(high, high2));
    }
  }

 private:
  static __m256i first(std::uint32_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};

}  // namespace
}  // namespace assay::sparse
