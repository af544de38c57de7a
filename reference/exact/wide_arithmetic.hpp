// Products and sums of exact values in 128 bits: wide enough for a fused multiply-add of float64, ready for one
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

constexpr ExactValue<Wide> wide_sum(const ExactValue<Wide>& a, const ExactValue<Wide>& b, Rounding mode) {
  return exact_sum(a, b, mode);
}

}  // namespace assay
