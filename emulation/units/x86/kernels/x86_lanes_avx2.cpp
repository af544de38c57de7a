#include "emulation/units/kernels/scoped_mxcsr.hpp"
#include "emulation/units/x86/kernels/x86_operands.hpp"

namespace assay {
namespace {

// A bfloat16 in the upper half of a word is its float32. Assembly pins the operands' places: see fma_gemm.hpp.
__m256 step(__m256 acc, __m256i a, __m256i b) {
  asm("vfmadd231ps %2, %1, %0" : "+x"(acc) : "x"(_mm256_castsi256_ps(a)), "x"(_mm256_castsi256_ps(b)));
  return acc;
}
__m256i odd(__m256i x) { return _mm256_and_si256(x, _mm256_set1_epi32(-65536)); }
__m256i even(__m256i x) { return _mm256_slli_epi32(x, 16); }

[[gnu::noinline]] void run(const std::uint32_t* c, const std::uint32_t* a, const std::uint32_t* b,
                           std::uint32_t* d, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 8) {
    const std::size_t left = n - i < 8 ? n - i : 8;
    const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(left)),
                                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    const auto load = [&](const std::uint32_t* p) {
      return _mm256_maskload_epi32(static_cast<const int*>(static_cast<const void*>(p + i)), mask);
    };
    const __m256i x = load(a), y = load(b);
    const __m256 sum = step(step(_mm256_castsi256_ps(load(c)), odd(x), odd(y)), even(x), even(y));
    _mm256_maskstore_epi32(static_cast<int*>(static_cast<void*>(d + i)), mask, _mm256_castps_si256(sum));
  }
}

}  // namespace

void kernels::x86_operands_avx2(X86Class kind, std::uint64_t seed, std::uint64_t first, std::size_t n,
                                std::uint32_t* c, std::uint32_t* a, std::uint32_t* b) noexcept {
  fill_class(kind, seed, first, n, c, a, b);
}

void kernels::vdpbf16ps_lanes_avx2(const std::uint32_t* c, const std::uint32_t* a, const std::uint32_t* b,
                                   std::uint32_t* d, std::size_t n) noexcept {
  const ScopedMxcsr control(mxcsr_flush);
  run(c, a, b, d, n);
}

}  // namespace assay
