#include "reference/formats/kernels/blocks.hpp"
#include "reference/formats/kernels/lanes_avx512.hpp"

void assay::kernels::bf16_f32_avx512(const void* src, void* dst, std::size_t n,
                                     const ConvertParams& p) noexcept {
  const auto block = [](const unsigned char* in, unsigned char* out, std::uint64_t, bool non_temporal) {
    for (int i = 0; i < 2; ++i) {
      const void* codes = in + 32 * i;
      const U32x16 x{_mm512_cvtepu16_epi32(_mm256_loadu_si256(static_cast<const __m256i_u*>(codes)))};
      store512(out + 64 * i, left<16>(x).v, non_temporal);
    }
  };
  in_blocks<2, 4>(src, dst, n, p, block);
}
