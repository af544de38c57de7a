// Products and sums of exact values in 128 bits: wide enough for a float64 fused multiply-add before its single
// rounding.
#pragma once

#include <cstdint>

#include "reference/formats/exact_arithmetic.hpp"
#include "reference/formats/exact_value.hpp"
#include "reference/formats/rounding.hpp"

namespace assay {

constexpr ExactValue<Wide> widened(const ExactValue<std::uint64_t>& x) {
  return {x.kind, x.negative, x.significand, x.exponent, x.sticky};
}

// Significands of at most 63 bits, no tails.
constexpr ExactValue<Wide> wide_product(const ExactValue<std::uint64_t>& a,
                                        const ExactValue<std::uint64_t>& b) {
  return exact_product<Wide>(a, b);
}

// A significand of at most 64 bits; n at least 1. The quotient has at least 61 bits before its tail.
constexpr ExactValue<Wide> wide_quotient(const ExactValue<std::uint64_t>& a, std::uint64_t n) {
  ExactValue<Wide> x = widened(a);
  if (a.kind != Kind::finite || a.significand == 0) return x;
  const int shift = 126 - bit_width(x.significand);
  x.significand <<= shift;
  x.sticky = x.significand % n != 0;
  x.significand /= n;
  x.exponent -= shift;
  return x;
}

constexpr ExactValue<Wide> wide_sum(const ExactValue<Wide>& a, const ExactValue<Wide>& b, Rounding mode) {
  return exact_sum(a, b, mode);
}

}  // namespace assay
