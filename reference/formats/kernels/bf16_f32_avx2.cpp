#include "reference/formats/kernels/blocks.hpp"
#include "reference/formats/kernels/lanes_avx2.hpp"

void assay::kernels::bf16_f32_avx2(const void* src, void* dst, std::size_t n,
                                   const ConvertParams& p) noexcept {
  const auto block = [](const unsigned char* in, unsigned char* out, std::uint64_t, bool non_temporal) {
    for (int i = 0; i < 4; ++i) {
      const void* codes = in + 16 * i;
      const U32x8 x{_mm256_cvtepu16_epi32(_mm_loadu_si128(static_cast<const __m128i_u*>(codes)))};
      store256(out + 32 * i, left<16>(x).v, non_temporal);
    }
  };
  in_blocks<2, 4>(src, dst, n, p, block);
}
