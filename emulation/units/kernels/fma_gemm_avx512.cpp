#include "emulation/units/kernels/fma_panels.hpp"
#include "emulation/units/kernels/scoped_mxcsr.hpp"

namespace assay {
namespace {

// Assembly pins the places of the operands: intrinsics may be commuted, and VFMADD213PS takes NaNs in another order.
struct F32x16 {
  static constexpr std::size_t floats = 16;
  __m512 v;

  static F32x16 load(const void* p) { return {_mm512_loadu_ps(p)}; }
  static F32x16 all(const float* p) { return {_mm512_set1_ps(*p)}; }
  static F32x16 zero() { return {_mm512_setzero_ps()}; }
  void store(void* p) const { _mm512_storeu_ps(p, v); }
  static void fma(F32x16& acc, F32x16 a, F32x16 b) {
    asm("vfmadd231ps %2, %1, %0" : "+v"(acc.v) : "v"(a.v), "v"(b.v));
  }
  static void multiply_add(F32x16& acc, F32x16 a, F32x16 b) {
    acc.v = _mm512_add_ps(acc.v, _mm512_mul_ps(a.v, b.v));  // NaNs are canonical where this is used
  }
  static F32x16 add(F32x16 x, F32x16 y) {
    F32x16 sum;
    asm("vaddps %2, %1, %0" : "=v"(sum.v) : "v"(x.v), "v"(y.v));
    return sum;
  }
};

}  // namespace

void kernels::fma_gemm_avx512(const FmaPanels& p) noexcept {
  const ScopedMxcsr control(p.flush ? mxcsr_flush : mxcsr_keep);
  run_panels<F32x16, fma_tile_avx512.rows, fma_tile_avx512.columns / F32x16::floats>(p);
}

}  // namespace assay
