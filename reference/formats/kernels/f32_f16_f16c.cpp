#include "reference/formats/kernels/blocks.hpp"
#include "reference/formats/kernels/default_mxcsr.hpp"

namespace assay {
namespace {

// VCVTPS2PH with its rounding in the immediate. It quiets a NaN and keeps sign and upper payload; where the policy
// says otherwise the code is corrected, eight 16-bit lanes at a time.
template <int rounding>
void convert_blocks(const void* src, void* dst, std::size_t n, const ConvertParams& p) {
  const DefaultMxcsr guard;  // the instruction honours DAZ
  const auto lanes = [](std::uint32_t code) { return _mm_set1_epi16(static_cast<short>(code)); };
  const __m128i keep = lanes(p.nan_keep), set = lanes(p.nan_set), magnitude = lanes(0x7FFF),
                infinity = lanes(0x7C00);
  const auto block = [=](const unsigned char* in, unsigned char* out, std::uint64_t, bool non_temporal) {
    for (int i = 0; i < 4; ++i) {
      const void* floats = in + 32 * i;
      void* codes = out + 16 * i;
      __m128i x = _mm256_cvtps_ph(_mm256_loadu_ps(static_cast<const float*>(floats)), rounding);
      const __m128i nan = _mm_cmpgt_epi16(_mm_and_si128(x, magnitude), infinity);
      x = _mm_blendv_epi8(x, _mm_or_si128(_mm_and_si128(x, keep), set), nan);
      if (non_temporal) {
        _mm_stream_si128(static_cast<__m128i*>(codes), x);
      } else {
        _mm_storeu_si128(static_cast<__m128i_u*>(codes), x);
      }
    }
  };
  in_blocks<4, 2>(src, dst, n, p, block);
}

}  // namespace
}  // namespace assay

void assay::kernels::f32_f16_f16c(const void* src, void* dst, std::size_t n,
                                  const ConvertParams& p) noexcept {
  switch (p.rounding) {
    case Rounding::toward_zero: return convert_blocks<_MM_FROUND_TO_ZERO>(src, dst, n, p);
    case Rounding::toward_positive: return convert_blocks<_MM_FROUND_TO_POS_INF>(src, dst, n, p);
    case Rounding::toward_negative: return convert_blocks<_MM_FROUND_TO_NEG_INF>(src, dst, n, p);
    default: return convert_blocks<_MM_FROUND_TO_NEAREST_INT>(src, dst, n, p);
  }
}
