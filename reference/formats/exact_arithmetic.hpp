// Sums, products and quotients of exact values, by integers: exact, or with a sticky tail, ready for one rounding.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "reference/formats/exact_value.hpp"
#include "reference/formats/rounding.hpp"

namespace assay {

// a * b, without tail. The widths of the significands add up to at most that of Word less two.
template <class Word = std::uint64_t>
constexpr ExactValue<Word> exact_product(const ExactValue<std::uint64_t>& a,
                                         const ExactValue<std::uint64_t>& b) {
  ExactValue<Word> x;
  x.negative = a.negative != b.negative;
  const bool zero_times_infinity =
      (a.is_zero() && b.kind == Kind::infinite) || (a.kind == Kind::infinite && b.is_zero());
  if (a.kind == Kind::nan || b.kind == Kind::nan || zero_times_infinity) {
    x.kind = Kind::nan;
  } else if (a.kind == Kind::infinite || b.kind == Kind::infinite) {
    x.kind = Kind::infinite;
  } else {
    x.significand = Word{a.significand} * b.significand;
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

// a + b, no tails; significands of at most 42 bits of 64, or 106 of 128. The result keeps at least 58 or 122 bits
// before a tail. An exactly zero sum of terms that are not zeros of one sign is +0, or -0 under toward-negative: IEEE
// 754-2019 6.3.
template <class Word>
constexpr ExactValue<Word> exact_sum(ExactValue<Word> a, ExactValue<Word> b,
                                     Rounding mode = Rounding::nearest_even) {
  constexpr int word_bits = 8 * sizeof(Word);
  ExactValue<Word> x;
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
  // `a` reaches higher and is moved up to four bits below the top. A tail of b then means that b lies 18 places or more
  // below a: a difference loses one leading place at most.
  if (a.exponent + bit_width(a.significand) < b.exponent + bit_width(b.significand)) std::swap(a, b);
  const int room = word_bits - 4 - bit_width(a.significand);
  a.significand <<= room;
  a.exponent -= room;
  Word addend = 0;
  if (b.exponent >= a.exponent) {
    addend = b.significand << (b.exponent - a.exponent);
  } else {
    const int down = std::min(a.exponent - b.exponent, word_bits - 1);
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
