// Sums, products and quotients of exact values, by integers: exact, or with a sticky tail, ready for one rounding.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "reference/formats/exact_value.hpp"

namespace assay {

// a * b. Significands of at most 31 bits each; the product has no tail.
constexpr ExactValue<std::uint64_t> exact_product(const ExactValue<std::uint64_t>& a,
                                                  const ExactValue<std::uint64_t>& b) {
  ExactValue<std::uint64_t> x;
  x.negative = a.negative != b.negative;
  const bool zero_times_infinity =
      (a.is_zero() && b.kind == Kind::infinite) || (a.kind == Kind::infinite && b.is_zero());
  if (a.kind == Kind::nan || b.kind == Kind::nan || zero_times_infinity) {
    x.kind = Kind::nan;
  } else if (a.kind == Kind::infinite || b.kind == Kind::infinite) {
    x.kind = Kind::infinite;
  } else {
    x.significand = a.significand * b.significand;
    x.exponent = a.exponent + b.exponent;
  }
  return x;
}

// a / b. The quotient has at least 61 - (width of b) bits.
constexpr ExactValue<std::uint64_t> exact_quotient(const ExactValue<std::uint64_t>& a,
                                                   const ExactValue<std::uint64_t>& b) {
  ExactValue<std::uint64_t> x;
  x.negative = a.negative != b.negative;
  const bool undefined =
      (a.is_zero() && b.is_zero()) || (a.kind == Kind::infinite && b.kind == Kind::infinite);
  if (a.kind == Kind::nan || b.kind == Kind::nan || undefined) {
    x.kind = Kind::nan;
  } else if (a.kind == Kind::infinite || b.is_zero()) {
    x.kind = Kind::infinite;
  } else if (!a.is_zero() && b.kind == Kind::finite) {
    const int shift = 62 - bit_width(a.significand);
    const std::uint64_t numerator = a.significand << shift;
    x.significand = numerator / b.significand;
    x.sticky = numerator % b.significand != 0;
    x.exponent = a.exponent - shift - b.exponent;
  }
  return x;
}

// a + b for significands of at most 31 bits. An exactly zero sum is +0, or -0 if both are -0 (round to nearest).
constexpr ExactValue<std::uint64_t> exact_sum(ExactValue<std::uint64_t> a, ExactValue<std::uint64_t> b) {
  ExactValue<std::uint64_t> x;
  const bool opposite = a.negative != b.negative;
  if (a.kind == Kind::nan || b.kind == Kind::nan ||
      (a.kind == Kind::infinite && b.kind == Kind::infinite && opposite)) {
    x.kind = Kind::nan;
    return x;
  }
  if (a.kind == Kind::infinite) return a;
  if (b.kind == Kind::infinite) return b;
  if (a.is_zero() && b.is_zero()) {
    x.negative = a.negative && b.negative;
    return x;
  }
  if (a.is_zero()) return b;
  if (b.is_zero()) return a;
  // `a` reaches higher; its last place goes as far down as the word allows.
  if (a.exponent + bit_width(a.significand) < b.exponent + bit_width(b.significand)) std::swap(a, b);
  const int room = 61 - bit_width(a.significand);
  a.significand <<= room;
  a.exponent -= room;
  std::uint64_t addend = 0;
  if (b.exponent >= a.exponent) {
    addend = b.significand << (b.exponent - a.exponent);
  } else {
    const int down = std::min(a.exponent - b.exponent, 63);
    addend = b.significand >> down;
    x.sticky = (addend << down) != b.significand;
  }
  x.negative = a.negative;
  x.exponent = a.exponent;
  if (!opposite) {
    x.significand = a.significand + addend;
  } else if (addend > a.significand) {  // equal leading places, so nothing was shifted out
    x.negative = b.negative;
    x.significand = addend - a.significand;
  } else {
    // Subtracting something with a tail leaves one less, and a tail of its own.
    x.significand = a.significand - addend - (x.sticky ? 1 : 0);
  }
  if (x.significand == 0 && !x.sticky) x.negative = false;
  return x;
}

}  // namespace assay
