// float32 inputs that a conversion can go wrong on, by index: the i-th depends on (seed, i) alone.
#pragma once

#include <array>
#include <cstdint>

#include "reference/core/random.hpp"

namespace assay {

// Bits of a float32. Every sign and exponent in turn; the fraction random, but in seven of eight inputs its low `cut`
// bits (16 for bfloat16, 13 for float16, 20 or 21 for the 8-bit formats, 1 to 23 over the indices) are a pattern at
// the edge of a rounding decision: nothing, one, just below half, half, just above half, all. Exponents 0 and 255
// come as often as any other, so subnormals, infinities and NaNs with every kind of payload are among them.
constexpr std::uint32_t hard_float32(std::uint64_t seed, std::uint64_t i) {
  const PhiloxBlock r = CounterRandom(seed, 0x666C7433).block(i);
  const std::uint32_t sign_and_exponent = static_cast<std::uint32_t>(i & 511) << 23;
  const std::uint32_t fraction = r[0] & 0x7FFFFF;
  constexpr std::array<std::uint32_t, 8> common_cuts{16, 13, 20, 21, 16, 13, 22, 19};
  const std::uint32_t cut = (r[1] & 8) != 0 ? common_cuts[r[1] & 7] : 1 + r[2] % 23;
  const std::uint32_t mask = (1U << cut) - 1, half = 1U << (cut - 1);
  const std::array<std::uint32_t, 8> edges{0, 1, half - 1, half, half + 1, mask, half, fraction & mask};
  return sign_and_exponent | (((fraction & ~mask) | (edges[r[3] & 7] & mask)) & 0x7FFFFF);
}

}  // namespace assay
