#include <immintrin.h>

#include "reference/sparse/kernels/spmm_rows_of.hpp"
#include "reference/sparse/spmm.hpp"

namespace assay::sparse {
namespace {

// 8 columns.
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

 private:
  static __m256i first(std::uint32_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};

}  // namespace

namespace kernels {

void spmm_f32_64_near_avx2(const SpmmTask& task) noexcept { add_slice<Lanes256, std::uint16_t, 1, 8>(task); }
void spmm_f32_64_far_avx2(const SpmmTask& task) noexcept { add_slice<Lanes256, std::uint32_t, 1, 8>(task); }
void spmm_f32_32_near_avx2(const SpmmTask& task) noexcept { add_slice<Lanes256, std::uint16_t, 3, 4>(task); }
void spmm_f32_32_far_avx2(const SpmmTask& task) noexcept { add_slice<Lanes256, std::uint32_t, 3, 4>(task); }
void spmm_f32_16_near_avx2(const SpmmTask& task) noexcept { add_slice<Lanes256, std::uint16_t, 4, 2>(task); }
void spmm_f32_16_far_avx2(const SpmmTask& task) noexcept { add_slice<Lanes256, std::uint32_t, 4, 2>(task); }
void spmm_f32_8_near_avx2(const SpmmTask& task) noexcept { add_slice<Lanes256, std::uint16_t, 8, 1>(task); }
void spmm_f32_8_far_avx2(const SpmmTask& task) noexcept { add_slice<Lanes256, std::uint32_t, 8, 1>(task); }

}  // namespace kernels
}  // namespace assay::sparse
