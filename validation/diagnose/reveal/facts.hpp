// What probes of single leaves and nodes show about a known tree, before rules are fitted to it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "validation/diagnose/reveal/order.hpp"

namespace assay::diagnose {

inline constexpr unsigned all_modes = (1U << deterministic_roundings.size()) - 1;

struct NodeFacts {
  int precision = 0;           // bits that it keeps; 0: no loss was seen
  int kept = 1;                // bits that it was seen to keep
  unsigned modes = all_modes;  // bit m: deterministic_roundings[m] fits what was seen
  std::optional<int> fraction{};
  std::optional<int>
      floor{};  // of the largest exponent, for a node that truncates its terms; empty: none was seen
  std::string signature{};  // answers near underflow: nodes with equal signatures are alike
};
struct LeafFacts {
  int precision = 0;  // of the rounded product; 0: no rounding was seen
  std::string signature{};
};

// A probe and its answer; `node` is the node that it was made for.
struct AnsweredProbe {
  Probe probe{};
  std::uint64_t code = 0;
  int node = 0;
};

struct TreeFacts {
  std::vector<int> parent{};  // of each node, -1 for the root
  std::vector<NodeFacts> nodes{};
  std::vector<LeafFacts> leaves{};  // by node
  std::vector<AnsweredProbe> asked{};
};
TreeFacts find_facts(Channel& channel, const AdditionTree& tree);

// Another child of the same node; -1 for the root.
int sibling(const AdditionTree& tree, const TreeFacts& facts, int node);

// Formats of this precision, the usual one first. A precision without a known format gets float32's range.
std::vector<FormatSpec> formats_of(int precision);

}  // namespace assay::diagnose
