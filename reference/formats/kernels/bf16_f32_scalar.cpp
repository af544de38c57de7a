#include "reference/formats/kernels/blocks.hpp"

// A code is the upper half of its float32.
void assay::kernels::bf16_f32_scalar(const void* src, void* dst, std::size_t n,
                                     const ConvertParams& p) noexcept {
  const auto block = [](const unsigned char* in, unsigned char* out, std::uint64_t, bool) {
    std::uint16_t codes[block_size];
    std::uint32_t floats[block_size];
    std::memcpy(codes, in, sizeof codes);
    for (std::size_t i = 0; i < block_size; ++i) floats[i] = static_cast<std::uint32_t>(codes[i]) << 16;
    std::memcpy(out, floats, sizeof floats);
  };
  in_blocks<2, 4>(src, dst, n, p, block);
}
