// What cancelling sums show before the search for a tree: that the sum is exact, or that it is not made of rounded
// additions in a fixed order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "validation/diagnose/reveal/order.hpp"

namespace assay::diagnose {

struct FirstLook {
  // Every answer is the exact sum rounded once, or rounded to float64 and then again; also where a chain in 64 bits and
  // a compensated sum are not exact.
  bool exact = false;
  std::string refusal{};  // the name of a sum that is no tree; empty: nothing speaks against a tree
  std::string
      remark{};  // a possible explanation if no tree is found; a node of many terms may have the same effect
  // The inputs and their answers.
  std::vector<SumOperands> inputs{};
  std::vector<std::uint64_t> codes{};
};

// Asks for a few sums of random depth, each in three orders of its terms. Asks nothing for fewer than three terms, and
// nothing with alpha and beta.
FirstLook look_first(Channel& channel, std::uint64_t seed);

// The name of an arithmetic that no rule covers, if it reproduces every answer of the look in the order that was found
// and float64 does not; else empty.
std::string unmodelled_arithmetic(const FirstLook& look, const Problem& problem, const AdditionTree& order);

}  // namespace assay::diagnose
