#include <immintrin.h>

#include "reference/sparse/kernels/spmm_rows_of.hpp"
#include "reference/sparse/spmm.hpp"

namespace assay::sparse {
namespace {

// 16 columns.
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

 private:
  static __mmask16 first(std::uint32_t n) { return static_cast<__mmask16>((1U << n) - 1); }
};

}  // namespace

namespace kernels {

void spmm_f32_256_near_avx512(const SpmmTask& task) noexcept {
  add_slice<Lanes512, std::uint16_t, 1, 16>(task);
}
void spmm_f32_256_far_avx512(const SpmmTask& task) noexcept {
  add_slice<Lanes512, std::uint32_t, 1, 16>(task);
}
void spmm_f32_128_near_avx512(const SpmmTask& task) noexcept {
  add_slice<Lanes512, std::uint16_t, 2, 8>(task);
}
void spmm_f32_128_far_avx512(const SpmmTask& task) noexcept {
  add_slice<Lanes512, std::uint32_t, 2, 8>(task);
}
void spmm_f32_64_near_avx512(const SpmmTask& task) noexcept {
  add_slice<Lanes512, std::uint16_t, 4, 4>(task);
}
void spmm_f32_64_far_avx512(const SpmmTask& task) noexcept { add_slice<Lanes512, std::uint32_t, 4, 4>(task); }
void spmm_f32_32_near_avx512(const SpmmTask& task) noexcept {
  add_slice<Lanes512, std::uint16_t, 8, 2>(task);
}
void spmm_f32_32_far_avx512(const SpmmTask& task) noexcept { add_slice<Lanes512, std::uint32_t, 8, 2>(task); }
void spmm_f32_16_near_avx512(const SpmmTask& task) noexcept {
  add_slice<Lanes512, std::uint16_t, 8, 1>(task);
}
void spmm_f32_16_far_avx512(const SpmmTask& task) noexcept { add_slice<Lanes512, std::uint32_t, 8, 1>(task); }

}  // namespace kernels
}  // namespace assay::sparse
