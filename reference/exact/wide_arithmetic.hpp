// Products and sums of exact values in 128 bits: wide enough for a fused multiply-add of float64, ready for one
// rounding.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "reference/formats/exact_value.hpp"
#include "reference/formats/rounding.hpp"

namespace assay {

constexpr ExactValue<Wide> widened(const ExactValue<std::uint64_t>& x) {
  return {x.kind, x.negative, x.significand, x.exponent, x.sticky};
}

// a * b, without tail. Significands of at most 63 bits, no tails.
constexpr ExactValue<Wide> wide_product(const ExactValue<std::uint64_t>& a,
                                        const ExactValue<std::uint64_t>& b) {
  ExactValue<Wide> x;
  x.negative = a.negative != b.negative;
  const bool zero_times_infinity =
      (a.is_zero() && b.kind == Kind::infinite) || (a.kind == Kind::infinite && b.is_zero());
  if (a.kind == Kind::nan || b.kind == Kind::nan || zero_times_infinity) {
    x.kind = Kind::nan;
  } else if (a.kind == Kind::infinite || b.kind == Kind::infinite) {
    x.kind = Kind::infinite;
  } else {
    x.significand = Wide{a.significand} * b.significand;
    x.exponent = a.exponent + b.exponent;
  }
  return x;
}

// a + b; significands of at most 106 bits, no tails. The result keeps at least 122 bits before a tail. An exactly
// zero sum of terms that are not zeros of one sign is +0, or -0 under toward-negative: IEEE 754-2019 6.3.
constexpr ExactValue<Wide> wide_sum(ExactValue<Wide> a, ExactValue<Wide> b, Rounding mode) {
  ExactValue<Wide> x;
  const bool opposite = a.negative != b.negative;
  if (a.kind == Kind::nan || b.kind == Kind::nan ||
      (a.kind == Kind::infinite && b.kind == Kind::infinite && opposite)) {
    x.kind = Kind::nan;
    return x;
  }
  if (a.kind == Kind::infinite) return a;
  if (b.kind == Kind::infinite) return b;
  if (a.is_zero() && b.is_zero()) {
    x.negative = opposite ? mode == Rounding::toward_negative : a.negative;
    return x;
  }
  if (a.is_zero()) return b;
  if (b.is_zero()) return a;
  // `a` reaches higher and is moved to 124 bits. A tail of b then means that b lies 18 places or more below a: a
  // difference loses one leading place at most.
  if (a.exponent + bit_width(a.significand) < b.exponent + bit_width(b.significand)) std::swap(a, b);
  const int room = 124 - bit_width(a.significand);
  a.significand <<= room;
  a.exponent -= room;
  Wide addend = 0;
  if (b.exponent >= a.exponent) {
    addend = b.significand << (b.exponent - a.exponent);
  } else {
    const int down = std::min(a.exponent - b.exponent, 127);
    addend = b.significand >> down;
    x.sticky = (addend << down) != b.significand;
  }
  x.negative = a.negative;
  x.exponent = a.exponent;
  if (!opposite) {
    x.significand = a.significand + addend;
  } else if (addend > a.significand) {
    x.negative = b.negative;
    x.significand = addend - a.significand;
  } else {
    // Subtracting something with a tail leaves one less, and a tail of its own.
    x.significand = a.significand - addend - (x.sticky ? 1 : 0);
  }
  if (x.significand == 0 && !x.sticky) x.negative = mode == Rounding::toward_negative;
  return x;
}

}  // namespace assay
