// The usual ways to compute a sum that are no tree of rounded additions: compensated, sorted first, in 80 bits, a mean
// that is updated term by term. They are recognised by name; nothing here predicts with them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/exact/addition_tree.hpp"
#include "validation/diagnose/program/target.hpp"

namespace assay::diagnose {

// A way to sum, and its results for a list of inputs.
struct KnownSum {
  std::string name{};  // "a compensated sum (Neumaier) in float64"
  std::vector<std::uint64_t> codes{};
};

// The results of each way for each of the inputs, without C. Empty if the host has no 80-bit long double.
std::vector<KnownSum> known_sums(const Problem& problem, const std::vector<SumOperands>& inputs);

// The exact sum of the terms, and C, rounded once to nearest even; or first to float64 and then to the output.
std::uint64_t exact_result(const Problem& problem, const SumOperands& operands, bool by_float64 = false);

// Chains in order: the loss that an accumulator of this width may have.
enum class Width : std::uint8_t { float32, float64, extended };
std::uint64_t chain_result(const Problem& problem, const SumOperands& operands, Width width);
std::uint64_t compensated_result(const Problem& problem, const SumOperands& operands);  // Neumaier, float64

// The tree with every product exact and every addition in 80 bits (precision 64), whatever its rules are.
std::uint64_t extended_result(const Problem& problem, const AdditionTree& tree, const SumOperands& operands);

}  // namespace assay::diagnose
