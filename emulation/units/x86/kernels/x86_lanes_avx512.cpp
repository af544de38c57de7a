#include "emulation/units/kernels/scoped_mxcsr.hpp"
#include "emulation/units/x86/kernels/x86_operands.hpp"

namespace assay {
namespace {

// A bfloat16 in the upper half of a word is its float32. Assembly pins the operands' places: see fma_gemm.hpp.
__m512 step(__m512 acc, __m512i a, __m512i b) {
  asm("vfmadd231ps %2, %1, %0" : "+v"(acc) : "v"(_mm512_castsi512_ps(a)), "v"(_mm512_castsi512_ps(b)));
  return acc;
}
__m512i odd(__m512i x) { return _mm512_and_si512(x, _mm512_set1_epi32(-65536)); }
__m512i even(__m512i x) { return _mm512_slli_epi32(x, 16); }

[[gnu::noinline]] void run(const std::uint32_t* c, const std::uint32_t* a, const std::uint32_t* b,
                           std::uint32_t* d, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 16) {
    const auto mask = static_cast<__mmask16>(n - i < 16 ? (1U << (n - i)) - 1 : 0xFFFFU);
    const __m512i x = _mm512_maskz_loadu_epi32(mask, a + i), y = _mm512_maskz_loadu_epi32(mask, b + i);
    const __m512 sum = step(step(_mm512_maskz_loadu_ps(mask, c + i), odd(x), odd(y)), even(x), even(y));
    _mm512_mask_storeu_ps(d + i, mask, sum);
  }
}

}  // namespace

void kernels::x86_operands_avx512(X86Class kind, std::uint64_t seed, std::uint64_t first, std::size_t n,
                                  std::uint32_t* c, std::uint32_t* a, std::uint32_t* b) noexcept {
  fill_class(kind, seed, first, n, c, a, b);
}

void kernels::vdpbf16ps_lanes_avx512(const std::uint32_t* c, const std::uint32_t* a, const std::uint32_t* b,
                                     std::uint32_t* d, std::size_t n) noexcept {
  const ScopedMxcsr control(mxcsr_flush);
  run(c, a, b, d, n);
}

}  // namespace assay
