// The arithmetic of a known tree: which leaves are rounded and to what, what each node keeps, which way it
// rounds, what it flushes.
#pragma once

#include <string>
#include <vector>

#include "validation/diagnose/reveal/order.hpp"
#include "validation/judge/rules_text.hpp"

namespace assay::diagnose {

using judge::describe;

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

}  // namespace assay::diagnose
