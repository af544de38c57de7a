// Formats of eight bits and less, as OCP defines and CUDA converts them.
//
// Numerics
//   rounding  one, from a double: floats, halves and bfloat16 are exact in it.
//   NaN       of a double keeps its sign, and its highest bits in E5M2. All other types give CUDA's one NaN of float,
//             so the code is 0x7F. Formats without NaN give their largest positive number.
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
    const bool negative = (all >> 63) != 0;
    if (magnitude > infinity) {
      const auto code = fraction_bits == 2 ? 0x7EU | (all >> 50 & 1U) : std::uint64_t{nan};
      return static_cast<std::uint8_t>(nan == largest ? nan : code | (negative ? 0x80U : 0U));
    }
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

// Powers of two from 2^-127 on, without sign; 0xFF is NaN.
struct E8M0 {
  static constexpr std::uint8_t encode(double x, bool saturate, bool up) {
    const std::uint64_t magnitude = std::bit_cast<std::uint64_t>(x) & 0x7FFFFFFFFFFFFFFFU,
                        infinity = 0x7FF0000000000000U;
    if (magnitude > infinity) return 0xFF;
    if (magnitude == infinity) return saturate ? 0xFE : 0xFF;
    const bool inexact = (magnitude & 0xFFFFFFFFFFFFFU) != 0;
    const int code = static_cast<int>(magnitude >> 52) - 1023 + 127 + (up && inexact ? 1 : 0);
    return static_cast<std::uint8_t>(code < 0 ? 0 : code > 0xFE ? (saturate ? 0xFE : 0xFF) : code);
  }
};

}  // namespace assay_simt
