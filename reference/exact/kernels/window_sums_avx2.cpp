#include "reference/exact/kernels/window_sums_of.hpp"
#include "reference/formats/kernels/immintrin.hpp"

namespace assay {
namespace {

struct F64x4 {
  static constexpr int width = 4;
  __m256d v;

  static F64x4 all(double x) { return {_mm256_set1_pd(x)}; }
  static F64x4 load(const double* p) { return {_mm256_loadu_pd(p)}; }
  static F64x4 add_product(F64x4 a, F64x4 b, F64x4 part) { return {_mm256_fmadd_pd(a.v, b.v, part.v)}; }
  static F64x4 product_less(F64x4 a, F64x4 b, F64x4 taken) { return {_mm256_fmsub_pd(a.v, b.v, taken.v)}; }
  void store(double* p) const { _mm256_storeu_pd(p, v); }
  F64x4 magnitude() const { return {_mm256_andnot_pd(_mm256_set1_pd(-0.0), v)}; }
  F64x4 operator+(F64x4 b) const { return {_mm256_add_pd(v, b.v)}; }
  F64x4 operator-(F64x4 b) const { return {_mm256_sub_pd(v, b.v)}; }
};

}  // namespace
}  // namespace assay

void assay::kernels::window_sums_avx2(const WindowTile& tile) noexcept { window_sums_of<F64x4>(tile); }
