// The arithmetic of a known tree: which leaves are rounded and to what, what each node keeps, which way it
// rounds, what it flushes.
#pragma once

#include <string>
#include <vector>

#include "validation/diagnose/reveal/order.hpp"

namespace assay::diagnose {

struct FoundRules {
  std::size_t training = 0, misses = 0;
  bool gave_up = false;  // the search ended at its limit, which no arithmetic that has rules came near
  std::vector<std::string> ambiguous{};
  std::vector<Unexplained> unexplained{};  // a few of the misses, those of the fewest terms first
};
// Fills in the rules of `tree`, which has the right order. `even` asks with_even_scales() of the problem, for probes of
// single leaves and nodes; `real` the problem as it is. They may be one. `most_work`: RevealOptions.
FoundRules find_rules(Channel& even, Channel& real, AdditionTree& tree, std::uint64_t seed,
                      std::uint64_t most_work);

// "float32 nearest-even", "float32 toward-zero, flushes results, terms cut to 24 places": for people.
std::string describe(const NodeRule& rule);
std::string describe(const LeafRule& rule);
std::string describe(const OutputRule& rule);
// "below 2^emin after a rounding with no limit on the exponent, as x86 has it"; "a term whose factor in A is 0 adds
// nothing"; empty for what is usual.
std::string describe(Tininess tiny);
std::string describe(SkippedTerms skipped);

}  // namespace assay::diagnose
