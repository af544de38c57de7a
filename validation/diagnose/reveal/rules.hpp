// Finds the arithmetic of a known tree: which leaves are rounded and to what format, how many bits each node keeps, how
// it rounds, what it flushes.
#pragma once

#include <string>
#include <vector>

#include "validation/diagnose/reveal/order.hpp"
#include "validation/judge/rules_text.hpp"

namespace assay::diagnose {

using judge::describe;

struct FoundRules {
  std::size_t training = 0, misses = 0;
  bool gave_up = false;  // the search reached its limit, far above what any successful search needed
  std::vector<std::string> ambiguous{};
  std::vector<Unexplained> unexplained{};  // a few of the misses, fewest terms first
};
// Fills in the rules of `tree`, which has the right order. `even` asks with_even_scales() of the problem, for probes of
// single leaves and nodes; `real` asks the problem as it is. They may be the same. `most_work`: see RevealOptions.
FoundRules find_rules(Channel& even, Channel& real, AdditionTree& tree, std::uint64_t seed,
                      std::uint64_t most_work);

}  // namespace assay::diagnose
