// Sums that are no tree of rounded additions, in the usual ways to compute them: compensated, sorted first, in 80 bits,
// a mean that is updated term by term. They are recognised by name; nothing here predicts with them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/exact/addition_tree.hpp"
#include "validation/diagnose/program/target.hpp"

namespace assay::diagnose {

// Codes of the operands of one output, without C, and how it would come out.
struct KnownSum {
  std::string name{};  // "a compensated sum (Neumaier) in float64"
  std::vector<std::uint64_t> codes{};
};

// Each of them for each of the inputs. Empty where the host has no 80-bit long double.
std::vector<KnownSum> known_sums(const Problem& problem, const std::vector<SumOperands>& inputs);

// The exact sum of the terms, and C, rounded once to nearest even; or first to float64 and then to the output.
std::uint64_t exact_result(const Problem& problem, const SumOperands& operands, bool by_float64 = false);

// Chains in order: what any accumulator of these places can lose.
enum class Width : std::uint8_t { float32, float64, extended };
std::uint64_t chain_result(const Problem& problem, const SumOperands& operands, Width width);
std::uint64_t compensated_result(const Problem& problem, const SumOperands& operands);  // Neumaier, float64

// The tree with every product exact and every addition in 80 bits (64 places), whatever its rules say.
std::uint64_t extended_result(const Problem& problem, const AdditionTree& tree, const SumOperands& operands);

}  // namespace assay::diagnose
