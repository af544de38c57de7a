#include "reference/formats/kernels/blocks.hpp"
#include "reference/formats/kernels/default_mxcsr.hpp"
#include "reference/formats/kernels/lanes_avx512.hpp"

// VCVTPH2PS; see f16_f32_f16c.cpp.
void assay::kernels::f16_f32_avx512(const void* src, void* dst, std::size_t n,
                                    const ConvertParams& p) noexcept {
  const DefaultMxcsr guard;
  const auto block = [](const unsigned char* in, unsigned char* out, std::uint64_t, bool non_temporal) {
    for (int i = 0; i < 2; ++i) {
      const void* codes = in + 32 * i;
      const __m512 x = _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i_u*>(codes)));
      store512(out + 64 * i, _mm512_castps_si512(x), non_temporal);
    }
  };
  in_blocks<2, 4>(src, dst, n, p, block);
}
