#include "reference/formats/kernels/blocks.hpp"
#include "reference/formats/kernels/lanes_avx512.hpp"

// VCVTNE2PS2BF16 rounds nearest-even, flushes subnormal inputs and quiets NaN, whatever MXCSR says.
void assay::kernels::f32_bf16_avx512bf16(const void* src, void* dst, std::size_t n,
                                         const ConvertParams& p) noexcept {
  const auto block = [](const unsigned char* in, unsigned char* out, std::uint64_t, bool non_temporal) {
    const __m512bh codes = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(in + 64), _mm512_loadu_ps(in));
    __m512i bits;
    std::memcpy(&bits, &codes, sizeof bits);
    store512(out, bits, non_temporal);
  };
  in_blocks<4, 2>(src, dst, n, p, block);
}
