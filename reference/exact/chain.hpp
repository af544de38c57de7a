// The float chains: a dot product as rounded additions one after another, with their order and everything else that
// they can be as a parameter.
//
// Numerics
//   product   fused: the exact product enters its addition, one rounding. Else rounded to `product` first, in the
//             same mode.
//   order     of the additions: schedule.hpp. Any order is no chain.
//   rounding  one mode for all; stochastic rounding takes draw i of StochasticDraws (stochastic.hpp), of the seed and
//             the output's place, for rounding i in the order of evaluation (lanes: term by term), exact ones counted.
//             Additions whose exact sum is zero give +0 (toward-negative -0) unless both operands are zeros of one
//             sign.
//   flush     inputs: subnormal operands of any operation, a, b, c, products and partial sums, are zeros of their sign.
//             results: results whose rounded code is subnormal are zeros of their sign (encode.hpp: tininess is seen
//             after rounding to the format's own grid).
//   NaN       becomes the format's one quiet NaN; 0 * Inf and Inf - Inf are NaN.
//   output    the accumulator, rounded once more to the output's format (nearest-even, never flushed).
//   paths     float32 or float64 accumulators under nearest-even without flushing use the host's arithmetic (MXCSR set,
//             std::fma where fused); everything else rounds by encode(). Both give the same bits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "reference/exact/arithmetic.hpp"

namespace assay {

struct ChainSpec {
  std::string name{};
  std::string summary{};
  FormatSpec accumulator = formats::float32;
  std::optional<FormatSpec> product{};  // empty: fused
  SumOrder order{};
  Rounding rounding = Rounding::nearest_even;
  bool flush_inputs = false;
  bool flush_results = false;
  std::uint64_t seed = 1;       // of stochastic rounding
  bool host_arithmetic = true;  // false: encode() even where the host could do it; for tests
};

// ContractError for any order, no lanes, parts or base, or an unsound format.
std::unique_ptr<const Arithmetic> make_chain(const ChainSpec& spec);

// The same as an Accumulation, for bounds.
Accumulation accumulation(const ChainSpec& spec);

// The order as the chain's info tells it: order_name(), and panels of one lane as "1 lane, panels of 256".
std::string chain_order_name(const SumOrder& order);

// Adds the chains of arithmetics.def.
void add_chains(ArithmeticRegistry& registry);

}  // namespace assay
