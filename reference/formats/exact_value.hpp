// An exact number of any origin: the input of every conversion into a format.
#pragma once

#include <bit>
#include <cstdint>

#include "reference/formats/formats.hpp"

namespace assay {

__extension__ using Wide = unsigned __int128;

// bit_width for both words; std::bit_width does not take the compiler's 128-bit integer in strict mode.
constexpr int bit_width(std::uint64_t x) { return static_cast<int>(std::bit_width(x)); }
constexpr int bit_width(Wide x) {
  const auto high = static_cast<std::uint64_t>(x >> 64);
  return high != 0 ? 64 + bit_width(high) : bit_width(static_cast<std::uint64_t>(x));
}

enum class Kind : std::uint8_t { finite, infinite, nan };

// |x| = significand * 2^exponent, plus something in (0, 2^exponent) if `sticky`. `Word` is std::uint64_t for values of
// float64 and narrower, Wide for decimals and sums. Two top bits of the word stay free. With `sticky` the significand
// has at least p + 2 bits of any format it is rounded into (p + 34 for stochastic rounding), so that the unknown tail
// lies below every bit that a rounding looks at.
template <class Word>
struct ExactValue {
  Kind kind = Kind::finite;
  bool negative = false;
  Word significand = 0;
  int exponent = 0;
  bool sticky = false;

  constexpr bool is_zero() const { return kind == Kind::finite && significand == 0 && !sticky; }
};

// From the bits, so that no flushing mode, trap or conversion of the host can touch the value. A NaN's payload is
// dropped here; conversion_policy.hpp keeps it where a policy asks.
constexpr ExactValue<std::uint64_t> exact_from_code(std::uint64_t code, const FormatSpec& f) {
  ExactValue<std::uint64_t> x;
  x.negative = f.is_negative(code);
  if (f.is_nan(code)) {
    x.kind = Kind::nan;
    return x;
  }
  if (f.is_infinite(code)) {
    x.kind = Kind::infinite;
    return x;
  }
  const std::uint64_t magnitude = code & f.magnitude_mask();
  const std::uint64_t hidden = f.min_normal_code();
  const std::uint64_t binade = magnitude >> (f.precision - 1);
  x.significand = binade == 0 ? magnitude : (magnitude & (hidden - 1)) | hidden;
  x.exponent = f.emin - (f.precision - 1) + (binade == 0 ? 0 : static_cast<int>(binade) - 1);
  return x;
}

constexpr ExactValue<std::uint64_t> exact_from_bits32(std::uint32_t bits) {
  return exact_from_code(bits, formats::float32);
}
constexpr ExactValue<std::uint64_t> exact(float x) {
  return exact_from_bits32(std::bit_cast<std::uint32_t>(x));
}
constexpr ExactValue<std::uint64_t> exact(double x) {
  return exact_from_code(std::bit_cast<std::uint64_t>(x), formats::float64);
}

}  // namespace assay
