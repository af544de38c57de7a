// The baseline, which has no FMA: see fma_gemm.hpp for why each of these equals one.
#include <bit>
#include <cstdint>

#include "emulation/units/kernels/fma_panels.hpp"
#include "emulation/units/kernels/scoped_mxcsr.hpp"

namespace assay {
namespace {

// Products that are exact, or rounded by themselves.
struct F32x4 {
  static constexpr std::size_t floats = 4;
  __m128 v;

  static F32x4 load(const void* p) { return {_mm_loadu_ps(static_cast<const float*>(p))}; }
  static F32x4 all(const float* p) { return {_mm_set1_ps(*p)}; }
  static F32x4 zero() { return {_mm_setzero_ps()}; }
  void store(void* p) const { _mm_storeu_ps(static_cast<float*>(p), v); }
  // Exact products are finite, so that only acc can be NaN.
  static void fma(F32x4& acc, F32x4 a, F32x4 b) { multiply_add(acc, a, b); }
  static void multiply_add(F32x4& acc, F32x4 a, F32x4 b) { acc.v = _mm_add_ps(acc.v, _mm_mul_ps(a.v, b.v)); }
  // Both may be NaN: assembly pins the first.
  static F32x4 add(F32x4 x, F32x4 y) {
    asm("addps %1, %0" : "+x"(x.v) : "x"(y.v));
    return x;
  }
};

// Products and sums in float64.
struct F32x1 {
  static constexpr std::size_t floats = 1;
  __m128 v;

  static F32x1 load(const void* p) { return {_mm_load_ss(static_cast<const float*>(p))}; }
  static F32x1 all(const float* p) { return {_mm_load_ss(p)}; }
  static F32x1 zero() { return {_mm_setzero_ps()}; }
  void store(void* p) const { _mm_store_ss(static_cast<float*>(p), v); }
  // a, b finite, or NaNs canonical. Conversions flush as MXCSR says: subnormal operands, and what leaves tiny.
  static void fma(F32x1& acc, F32x1 a, F32x1 b) {
    const __m128d zero = _mm_setzero_pd();
    const double product = _mm_cvtsd_f64(_mm_cvtss_sd(zero, a.v)) * _mm_cvtsd_f64(_mm_cvtss_sd(zero, b.v));
    const double addend = _mm_cvtsd_f64(_mm_cvtss_sd(zero, acc.v));
    double sum = product + addend;
    // Knuth's two-sum: what the sum lost. To odd: an inexact sum is the neighbour with an odd last place.
    const double part = sum - product;
    const double lost = (product - (sum - part)) + (addend - part);
    auto bits = std::bit_cast<std::uint64_t>(sum);
    constexpr std::uint64_t infinity = 0x7FF0000000000000;
    const bool finite = (bits & infinity) != infinity;
    if (finite && lost != 0 && (bits & 1) == 0) {
      bits += (lost > 0) == (sum > 0) ? 1 : ~std::uint64_t{0};
      sum = std::bit_cast<double>(bits);
    }
    acc.v = _mm_cvtsd_ss(_mm_setzero_ps(), _mm_set_sd(sum));
  }
  static void multiply_add(F32x1& acc, F32x1 a, F32x1 b) { acc.v = _mm_add_ss(acc.v, _mm_mul_ss(a.v, b.v)); }
  static F32x1 add(F32x1 x, F32x1 y) {
    asm("addss %1, %0" : "+x"(x.v) : "x"(y.v));
    return x;
  }
};

}  // namespace

void kernels::fma_gemm_scalar(const FmaPanels& p) noexcept {
  const ScopedMxcsr control(p.flush ? mxcsr_flush : mxcsr_keep);
  run_panels<F32x4, fma_tile_scalar.rows, fma_tile_scalar.columns / F32x4::floats>(p);
}

void kernels::fma_gemm_scalar_any_range(const FmaPanels& p) noexcept {
  const ScopedMxcsr control(p.flush ? mxcsr_flush : mxcsr_keep);
  run_panels<F32x1, fma_tile_scalar.rows, fma_tile_scalar.columns>(p);
}

}  // namespace assay
