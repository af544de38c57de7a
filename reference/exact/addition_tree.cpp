#include "reference/exact/addition_tree.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "reference/core/error.hpp"

namespace assay {
namespace {

[[noreturn]] void broken(const std::string& why) { throw ContractError("a tree of additions: " + why); }

// alpha multiplies every term once, and C never.
void check_scaling(const AdditionTree& tree) {
  const TreeScaling& s = *tree.scaling;
  if (!std::isfinite(s.alpha) || s.alpha == 0 || !std::isfinite(s.beta)) broken("alpha or beta is no number");
  if (s.place != AlphaPlace::sums) {
    if (!s.alpha_format) broken("alpha is to be rounded into an operand, and no format is said");
    return;
  }
  if (s.from < 0 || static_cast<std::size_t>(s.from) >= tree.nodes.size()) broken("alpha enters at no node");
  const std::vector<char> scaled = sums_times_alpha(tree);
  // Of each node how often alpha multiplies what lies below it.
  std::vector<int> times(tree.nodes.size(), 0);
  for (std::size_t i = tree.nodes.size(); i-- > 0;) {
    const TreeNode& node = tree.nodes[i];
    times[i] += scaled[i];
    for (const int child : node.children) times[static_cast<std::size_t>(child)] = times[i];
    const int expected = node.leaf == static_cast<int>(tree.terms) ? 0 : 1;
    if (node.children.empty() && times[i] != expected) broken("alpha does not enter once");
  }
}

}  // namespace

bool skips(SkippedTerms skipped, bool a_is_zero, bool b_is_zero) {
  const bool by_a = skipped == SkippedTerms::a || skipped == SkippedTerms::either;
  const bool by_b = skipped == SkippedTerms::b || skipped == SkippedTerms::either;
  return (by_a && a_is_zero) || (by_b && b_is_zero);
}

bool skips_term(SkippedTerms skipped, const CodeVector& a, const CodeVector& b, std::size_t i) {
  const auto zero_at = [i](const CodeVector& v) { return exact_from_code(v.code(i), v.format).is_zero(); };
  return skipped != SkippedTerms::none && skips(skipped, zero_at(a), zero_at(b));
}

bool is_fused(const AdditionTree& tree, const TreeNode& node) {
  return node.children.size() > 2 ||
         (node.children.size() == 2 &&
          tree.node_rules[static_cast<std::size_t>(node.rule)].fraction.has_value());
}

void check_tree(const AdditionTree& tree) {
  std::vector<int> seen(tree.leaves(), 0), used(tree.nodes.size(), 0);
  if (tree.nodes.empty()) broken("it has no node");
  for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
    const TreeNode& node = tree.nodes[i];
    const std::size_t rules = node.children.empty() ? tree.leaf_rules.size() : tree.node_rules.size();
    if (node.rule < 0 || static_cast<std::size_t>(node.rule) >= rules) broken("a rule is missing");
    if (node.children.empty()) {
      if (node.leaf < 0 || static_cast<std::size_t>(node.leaf) >= seen.size()) broken("a leaf out of range");
      if (seen[static_cast<std::size_t>(node.leaf)]++ != 0) broken("a leaf occurs twice");
    } else if (node.children.size() < 2) {
      broken("a node of one child");
    }
    for (const int child : node.children) {
      if (child < 0 || static_cast<std::size_t>(child) >= i) broken("a child after its node");
      if (used[static_cast<std::size_t>(child)]++ != 0) broken("a node with two parents");
    }
  }
  if (std::count(seen.begin(), seen.end(), 1) != static_cast<std::ptrdiff_t>(seen.size()))
    broken("a leaf is missing");
  for (std::size_t i = 0; i + 1 < used.size(); ++i) {
    if (used[i] == 0) broken("a node outside");
  }
  if (tree.scaling) check_scaling(tree);
}

std::string_view tininess_name(Tininess tiny) {
  switch (tiny) {
    case Tininess::as_stored: return "as-stored";
    case Tininess::after_rounding: return "after-rounding";
    case Tininess::before_rounding: return "before-rounding";
  }
  return "?";
}

std::string_view skipped_name(SkippedTerms skipped) {
  switch (skipped) {
    case SkippedTerms::none: return "none";
    case SkippedTerms::a: return "a";
    case SkippedTerms::b: return "b";
    case SkippedTerms::either: return "either";
  }
  return "?";
}

std::string_view output_overflow_name(OutputOverflow overflow) {
  switch (overflow) {
    case OutputOverflow::as_rounded: return "as-rounded";
    case OutputOverflow::infinite: return "infinite";
    case OutputOverflow::largest: return "largest";
    case OutputOverflow::saturated: return "saturated";
  }
  return "?";
}

std::string_view alpha_place_name(AlphaPlace place) {
  switch (place) {
    case AlphaPlace::a: return "a";
    case AlphaPlace::b: return "b";
    case AlphaPlace::sums: return "sums";
  }
  return "?";
}

std::vector<char> sums_times_alpha(const AdditionTree& tree) {
  std::vector<char> times(tree.nodes.size(), 0);
  if (!tree.scaling || tree.scaling->place != AlphaPlace::sums) return times;
  const auto is_c = [&](int i) {
    return tree.addend && tree.nodes[static_cast<std::size_t>(i)].leaf == static_cast<int>(tree.terms);
  };
  int below = tree.scaling->from;
  if (!is_c(below)) times[static_cast<std::size_t>(below)] = 1;
  for (std::size_t i = static_cast<std::size_t>(below) + 1; i < tree.nodes.size(); ++i) {
    const std::vector<int>& children = tree.nodes[i].children;
    if (std::find(children.begin(), children.end(), below) == children.end()) continue;
    for (const int child : children) {
      if (child != below && !is_c(child)) times[static_cast<std::size_t>(child)] = 1;
    }
    below = static_cast<int>(i);
  }
  return times;
}

std::string canonical_order(const AdditionTree& tree) {
  // Subtrees sorted by their least leaf.
  std::vector<std::pair<int, std::string>> texts(tree.nodes.size());
  for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
    const TreeNode& node = tree.nodes[i];
    if (node.children.empty()) {
      texts[i] = {node.leaf, std::to_string(node.leaf)};
      continue;
    }
    std::vector<std::pair<int, std::string>> parts;
    for (const int child : node.children) parts.push_back(std::move(texts[static_cast<std::size_t>(child)]));
    std::sort(parts.begin(), parts.end());
    std::string text = "(";
    for (std::size_t j = 0; j < parts.size(); ++j) text += (j == 0 ? "" : "+") + parts[j].second;
    texts[i] = {parts.front().first, text + ")"};
  }
  return texts.back().second;
}

std::size_t leaves_below_common(const AdditionTree& tree, int i, int j) {
  std::vector<std::size_t> size(tree.nodes.size(), 0);
  std::vector<int> held(tree.nodes.size(), 0);
  for (std::size_t at = 0; at < tree.nodes.size(); ++at) {
    const TreeNode& node = tree.nodes[at];
    if (node.children.empty()) {
      size[at] = 1;
      held[at] = (node.leaf == i ? 1 : 0) + (node.leaf == j ? 1 : 0);
    }
    for (const int child : node.children) {
      size[at] += size[static_cast<std::size_t>(child)];
      held[at] += held[static_cast<std::size_t>(child)];
    }
    if (held[at] == 2) return size[at];
  }
  throw ContractError("a leaf that the tree does not have");
}

}  // namespace assay
