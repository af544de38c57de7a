// What probes of single leaves and nodes show of a known tree, before any rule is fitted to it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "validation/diagnose/reveal/order.hpp"

namespace assay::diagnose {

inline constexpr unsigned all_modes = (1U << deterministic_roundings.size()) - 1;

struct NodeFacts {
  int precision = 0;           // places that it keeps; 0: where it begins to lose them was not seen
  int kept = 1;                // places that it was seen to keep
  unsigned modes = all_modes;  // bit m: deterministic_roundings[m] fits what was seen
  std::optional<int> fraction{};
  std::optional<int> floor{};  // of the largest exponent of a node that cuts; empty: none was seen
  std::string signature{};     // answers near underflow: nodes with the same ones are alike
};
struct LeafFacts {
  int precision = 0;  // of the rounded product; 0: exact as far as was seen
  std::string signature{};
};

// A probe and its answer; `node` is what it was made for.
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

// Formats of this precision, the usual one first. One that nobody listed gets float32's range.
std::vector<FormatSpec> formats_of(int precision);

}  // namespace assay::diagnose
