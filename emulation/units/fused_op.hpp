// One multiply-add, multiplication or addition of a machine in integer arithmetic. The parameters are the differences
// between the machines of the family fma_chain.
//
// Numerics
//   round   the exact value of a*b + c, a*b or x + y is rounded once, nearest-even. An exactly zero sum is +0 unless
//           both operands are zeros of one sign.
//   flush   inputs: subnormal operands are zeros of their sign. Results: by Tiny, to a zero of the result's sign.
//   NaN     by NanOrder. A NaN operand takes precedence over 0 * Inf and Inf - Inf.
#pragma once

#include <cstdint>

#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/formats.hpp"

namespace assay {

// Which nonzero results are flushed.
enum class Tiny : std::uint8_t {
  kept,             // none
  before_rounding,  // |exact| < 2^emin
  after_rounding,  // rounded to p bits with no limit on the exponent, it is below 2^emin; formats of <= 32 bits
  as_stored,       // rounded to the format's own grid, it is subnormal
};

// Which NaN comes out of NaN operands.
enum class NanOrder : std::uint8_t {
  a_b_c,      // the first NaN of a, b, c, quieted
  b_a_c,      // the same in another order
  canonical,  // always FusedRules::default_nan
};

struct FusedRules {
  FormatSpec format = formats::float32;  // of every operand and of the result
  bool flush_inputs = false;
  Tiny tiny = Tiny::kept;
  NanOrder nan = NanOrder::canonical;
  std::uint64_t default_nan = 0;  // of 0 * Inf and Inf - Inf
};

// Special events of an operation, for traces.
enum class OpEvent : std::uint8_t { none, nan_operand, zero_times_infinity, infinities, overflow, flushed };

struct OpResult {
  std::uint64_t code = 0;
  ExactValue<Wide> sum{};  // of the operands as read, before rounding
  OpEvent event = OpEvent::none;
};

OpResult fused_multiply_add(const FusedRules& rules, std::uint64_t a, std::uint64_t b, std::uint64_t c);
OpResult multiply(const FusedRules& rules, std::uint64_t a, std::uint64_t b);
OpResult add(const FusedRules& rules, std::uint64_t x, std::uint64_t y);

// The operand as the operation reads it.
ExactValue<std::uint64_t> read_operand(const FusedRules& rules, std::uint64_t code);

}  // namespace assay
