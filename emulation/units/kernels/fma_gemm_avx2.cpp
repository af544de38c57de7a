#include "emulation/units/kernels/fma_panels.hpp"
#include "emulation/units/kernels/scoped_mxcsr.hpp"

namespace assay {
namespace {

// Assembly pins the places of the operands: intrinsics may be commuted, and VFMADD213PS takes NaNs in another order.
struct F32x8 {
  static constexpr std::size_t floats = 8;
  __m256 v;

  static F32x8 load(const void* p) { return {_mm256_loadu_ps(static_cast<const float*>(p))}; }
  static F32x8 all(const float* p) { return {_mm256_broadcast_ss(p)}; }
  static F32x8 zero() { return {_mm256_setzero_ps()}; }
  void store(void* p) const { _mm256_storeu_ps(static_cast<float*>(p), v); }
  static void fma(F32x8& acc, F32x8 a, F32x8 b) {
    asm("vfmadd231ps %2, %1, %0" : "+x"(acc.v) : "x"(a.v), "x"(b.v));
  }
  static void multiply_add(F32x8& acc, F32x8 a, F32x8 b) {
    acc.v = _mm256_add_ps(acc.v, _mm256_mul_ps(a.v, b.v));  // NaNs are canonical where this is used
  }
  static F32x8 add(F32x8 x, F32x8 y) {
    F32x8 sum;
    asm("vaddps %2, %1, %0" : "=x"(sum.v) : "x"(x.v), "x"(y.v));
    return sum;
  }
};

}  // namespace

void kernels::fma_gemm_avx2(const FmaPanels& p) noexcept {
  const ScopedMxcsr control(p.flush ? mxcsr_flush : mxcsr_keep);
  run_panels<F32x8, fma_tile_avx2.rows, fma_tile_avx2.columns / F32x8::floats>(p);
}

}  // namespace assay
