// Formats of eight bits and less, as OCP defines and CUDA converts them.
//
// Numerics
//   rounding  one, from a double: floats, halves and bfloat16 are exact in it.
//   NaN       its sign is dropped. Formats without NaN give their largest number.
//   range     numbers above it saturate, or become the format's infinity or NaN, with their sign.
#pragma once

#include "emulation/simt/include/assay_narrow.h"

namespace assay_simt {

template <int bits_, int fraction_bits, int min_exponent, std::uint8_t largest, std::uint8_t above,
          std::uint8_t nan>
struct SmallFormat {
  static constexpr int bits = bits_;

  static constexpr std::uint8_t encode(double x, bool saturate, Round round = Round::nearest) {
    const auto all = std::bit_cast<std::uint64_t>(x);
    const std::uint64_t magnitude = all & 0x7FFFFFFFFFFFFFFFU, infinity = 0x7FF0000000000000U;
    if (magnitude > infinity) return nan;
    const bool negative = (all >> 63) != 0;
    std::uint64_t code = round_magnitude<fraction_bits, min_exponent>(all, round);
    if (magnitude == infinity || code > largest) code = saturate ? largest : above;
    return static_cast<std::uint8_t>(code | (negative ? 1U << (bits - 1) : 0U));
  }
  // Exact. A NaN is the one of float.
  static constexpr float to_float(std::uint8_t code) {
    const unsigned magnitude = code & ((1U << (bits - 1)) - 1), exponent = magnitude >> fraction_bits;
    if (nan > largest && magnitude > largest && (above == nan || magnitude > above))
      return std::bit_cast<float>(0x7FFFFFFFU);
    const float sign = (code >> (bits - 1) & 1U) != 0 ? -1.0F : 1.0F;
    if (nan > largest && magnitude > largest) return sign * std::numeric_limits<float>::infinity();
    const unsigned fraction = magnitude & ((1U << fraction_bits) - 1);
    const unsigned significand = exponent == 0 ? fraction : fraction | 1U << fraction_bits;
    const int scale = static_cast<int>(exponent == 0 ? 0 : exponent - 1) + min_exponent - fraction_bits;
    return sign * static_cast<float>(static_cast<int>(significand)) *
           std::bit_cast<float>(static_cast<std::uint32_t>(127 + scale) << 23);
  }
};
using E4M3 = SmallFormat<8, 3, -6, 0x7E, 0x7F, 0x7F>;
using E5M2 = SmallFormat<8, 2, -14, 0x7B, 0x7C, 0x7F>;
using E2M3 = SmallFormat<6, 3, 0, 0x1F, 0x1F, 0x1F>;
using E3M2 = SmallFormat<6, 2, -2, 0x1F, 0x1F, 0x1F>;
using E2M1 = SmallFormat<4, 1, 0, 0x07, 0x07, 0x07>;

}  // namespace assay_simt
