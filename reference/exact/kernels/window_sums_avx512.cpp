#include "reference/exact/kernels/window_sums_of.hpp"
#include "reference/formats/kernels/immintrin.hpp"

namespace assay {
namespace {

struct F64x8 {
  static constexpr int width = 8;
  __m512d v;

  static F64x8 all(double x) { return {_mm512_set1_pd(x)}; }
  static F64x8 load(const double* p) { return {_mm512_loadu_pd(p)}; }
  static F64x8 add_product(F64x8 a, F64x8 b, F64x8 part) { return {_mm512_fmadd_pd(a.v, b.v, part.v)}; }
  static F64x8 product_less(F64x8 a, F64x8 b, F64x8 taken) { return {_mm512_fmsub_pd(a.v, b.v, taken.v)}; }
  void store(double* p) const { _mm512_storeu_pd(p, v); }
  F64x8 magnitude() const { return {_mm512_andnot_pd(_mm512_set1_pd(-0.0), v)}; }
  F64x8 operator+(F64x8 b) const { return {_mm512_add_pd(v, b.v)}; }
  F64x8 operator-(F64x8 b) const { return {_mm512_sub_pd(v, b.v)}; }
};

}  // namespace
}  // namespace assay

void assay::kernels::window_sums_avx512(const WindowTile& tile) noexcept { window_sums_of<F64x8>(tile); }
