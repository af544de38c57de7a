// What sums of terms that cancel show at once, before any tree is looked for: that the sum is exact, or that it is none
// of rounded additions in a fixed order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "validation/diagnose/reveal/order.hpp"

namespace assay::diagnose {

struct FirstLook {
  // Each answer is the exact sum rounded once, or to float64 and then again; also where a chain of 64 places and a
  // compensated sum are not.
  bool exact = false;
  std::string refusal{};  // what no tree repeats, by name; empty: nothing is known against a tree
  std::string remark{};   // what may explain it where no tree is found; a node of many terms may do it, too
  // What was asked and came.
  std::vector<SumOperands> inputs{};
  std::vector<std::uint64_t> codes{};
};

// A few sums of random depth, each in three orders of its terms. Nothing is asked of fewer than three terms, nor of
// alpha and beta.
FirstLook look_first(Channel& channel, std::uint64_t seed);

// The name of an arithmetic that no rule has, where it repeats every answer of the look in the order that was found,
// and float64 does not; else empty.
std::string unmodelled_arithmetic(const FirstLook& look, const Problem& problem, const AdditionTree& order);

}  // namespace assay::diagnose
