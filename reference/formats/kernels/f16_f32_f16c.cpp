#include "reference/formats/kernels/blocks.hpp"
#include "reference/formats/kernels/default_mxcsr.hpp"

// VCVTPH2PS normalises subnormals whatever MXCSR says; the guard masks the exception that a signalling NaN raises.
void assay::kernels::f16_f32_f16c(const void* src, void* dst, std::size_t n,
                                  const ConvertParams& p) noexcept {
  const DefaultMxcsr guard;
  const auto block = [](const unsigned char* in, unsigned char* out, std::uint64_t, bool non_temporal) {
    for (int i = 0; i < 4; ++i) {
      const void* codes = in + 16 * i;
      auto* floats = static_cast<float*>(static_cast<void*>(out + 32 * i));
      const __m256 x = _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i_u*>(codes)));
      if (non_temporal) {
        _mm256_stream_ps(floats, x);
      } else {
        _mm256_storeu_ps(floats, x);
      }
    }
  };
  in_blocks<2, 4>(src, dst, n, p, block);
}
