#include "reference/formats/kernels/blocks.hpp"

namespace assay {
namespace {

// Integers only. A NaN keeps its payload and is quieted, as VCVTPH2PS does.
std::uint32_t widen(std::uint32_t code) {
  const std::uint32_t sign = (code & 0x8000) << 16, magnitude = code & 0x7FFF;
  if (magnitude > 0x7C00) return sign | 0x7FC00000 | magnitude << 13;
  if (magnitude == 0x7C00) return sign | 0x7F800000;
  if (magnitude >= 0x0400) return sign | ((magnitude << 13) + ((127 - 15) << 23));
  if (magnitude == 0) return sign;
  // Subnormal, magnitude * 2^-24: its top bit becomes the hidden one, which adds the last one to the exponent.
  const auto zeros = static_cast<std::uint32_t>(__builtin_clz(magnitude));
  return sign | ((magnitude << (zeros - 8)) + ((127 - 24 + 30 - zeros) << 23));
}

}  // namespace
}  // namespace assay

void assay::kernels::f16_f32_scalar(const void* src, void* dst, std::size_t n,
                                    const ConvertParams& p) noexcept {
  const auto block = [](const unsigned char* in, unsigned char* out, std::uint64_t, bool) {
    std::uint16_t codes[block_size];
    std::uint32_t floats[block_size];
    std::memcpy(codes, in, sizeof codes);
    for (std::size_t i = 0; i < block_size; ++i) floats[i] = widen(codes[i]);
    std::memcpy(out, floats, sizeof floats);
  };
  in_blocks<2, 4>(src, dst, n, p, block);
}
