#include "tests/bench/plain_loop.hpp"

#include <cstdint>

void assay::bench::plain_loop(const void* src, void* dst, std::size_t n) {
  const auto* in = static_cast<const std::uint32_t*>(src);
  auto* out = static_cast<std::uint16_t*>(dst);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t x = in[i];
    const std::uint32_t rounded = (x + 0x7FFF + (x >> 16 & 1)) >> 16;
    out[i] = static_cast<std::uint16_t>((x & 0x7FFFFFFF) > 0x7F800000 ? 0x7FC0 : rounded);
  }
}
