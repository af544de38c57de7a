// Private to find_rules(): groups of leaves and nodes that answer alike, and the candidate rules of each group.
// rule_groups.cpp forms the groups, rule_candidates.cpp lists candidates for one rule, uniform_rules.cpp lists settings
// of all rules at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <vector>

#include "validation/diagnose/reveal/asker.hpp"
#include "validation/diagnose/reveal/facts.hpp"

namespace assay::diagnose {

// All rules of a tree.
struct Rules {
  std::vector<LeafRule> leaves;
  std::vector<NodeRule> nodes;
  OutputRule output;
  std::optional<TreeScaling> scaling;
  Tininess tiny;
  SkippedTerms skipped;
  friend bool operator==(const Rules&, const Rules&) = default;
};

// One setting for all rules at once, as most machines have it.
struct Uniform {
  std::optional<NodeRule> root{};                // the root takes the rule of the other nodes too
  std::optional<FormatSpec> range{}, product{};  // for all formats of its precision; for exact leaves
  std::optional<FormatSpec> wide{};              // for nodes that lost nothing in probes, and the root
  bool flush_inputs = false, flush_results = false;
  unsigned start = 0;  // which leaves are added to +0, see RuleGroups::starts()
  bool apart = false;  // operations with alpha, beta and C flush nothing: another unit of the machine
};

// The tree has one rule for each group, in order. A search sets these rules in the tree itself. The groups do not
// change; candidates are derived from the current rules.
class RuleGroups {
 public:
  RuleGroups(const Problem& problem, AdditionTree& tree) : p_(problem), tree_(tree) {}

  void form(TreeFacts facts);  // sets each group's rule to what its probes showed
  void merge_alike();          // joins groups with equal rules

  // Candidates for one rule, given the others; `group` is an index of node_rules or leaf_rules.
  std::vector<NodeRule> node_candidates(std::size_t group) const;
  std::vector<LeafRule> leaf_candidates(std::size_t group) const;
  std::vector<OutputRule> output_candidates() const;
  std::vector<OutputRule> output_alternatives() const;
  std::vector<OutputRule> output_overflows() const;  // those that can differ from the current one
  // The current rules, except that the output is a separate, last rounding: the root (in a tree of one leaf, the
  // product) is wider, and the output is rounded as the results showed. This changes two rules at once: a wider root
  // alone would round results differently from what they showed.
  std::vector<Rules> of_one_unit() const;
  std::vector<Rules> wider_than_output() const;
  // The current rules, except that products, sums, the output, or several of them flush with another rule of tininess:
  // without flushing, tininess has no effect.
  std::vector<Rules> flushing_by_tininess() const;
  std::vector<Tininess> tiny_candidates() const;
  std::vector<SkippedTerms> skipped_candidates() const;
  std::vector<FormatSpec> known_formats() const;

  std::set<int> samples() const;  // the nodes that represent their groups
  std::vector<Meeting> meetings() const;

  // The node that the last term enters: the root, or the sum that C is added to there.
  int last_of_terms() const;
  int root_rule() const { return tree_.nodes.back().children.empty() ? -1 : tree_.nodes.back().rule; }
  int leaf_precision(std::size_t group) const { return leaf_facts(leaf_sample_[group]).precision; }
  bool keeps_as_node_above(std::size_t group) const;

  Rules rules() const;
  void set(const Rules& r);

  std::vector<Uniform> uniform_settings() const;
  void apply(const Uniform& u, const Rules& from);  // sets the rules that `u` makes of `from`

  // Patterns of the leaves that are added to +0: none, some, or all.
  static constexpr unsigned start_patterns = 6;
  bool starts(std::size_t g, unsigned pattern) const;
  // Changes the format of all nodes in `from` to `to`. With narrow results, a change of one node alone does not show.
  void set_nodes(const FormatSpec& from, const FormatSpec& to);

 private:
  std::size_t nodes() const { return tree_.nodes.size(); }
  const TreeNode& node(int i) const { return tree_.nodes[static_cast<std::size_t>(i)]; }
  int parent(int i) const { return facts_.parent[static_cast<std::size_t>(i)]; }
  int sibling(int i) const { return diagnose::sibling(tree_, facts_, i); }
  const NodeFacts& node_facts(int i) const { return facts_.nodes[static_cast<std::size_t>(i)]; }
  const LeafFacts& leaf_facts(int i) const { return facts_.leaves[static_cast<std::size_t>(i)]; }
  // beta C: its scaling holds the format that it is rounded to.
  bool is_scaled_c(int leaf_node) const { return tree_.scaling && is_c(leaf_node); }
  bool is_c(int leaf_node) const { return static_cast<std::size_t>(node(leaf_node).leaf) == p_.k; }
  const NodeRule& rule_above(int leaf_node) const;

  void group_nodes();
  void group_leaves();
  std::vector<std::optional<int>> floors(const NodeFacts& f) const;
  std::vector<std::optional<MeanRule>> mean_candidates() const;
  std::vector<Rounding> seen_output_modes() const;
  bool is_wider_than_output(const FormatSpec& f) const { return f.precision > p_.output.precision; }
  void set_apart();
  void start_leaf(std::size_t g, const Uniform& u);

  const Problem& p_;
  AdditionTree& tree_;
  TreeFacts facts_{};
  std::vector<int> node_sample_, leaf_sample_;  // a member of each group
};

// Adds f to the list, once.
inline void also(std::vector<std::optional<FormatSpec>>& list, const FormatSpec& f) {
  if (std::find(list.begin(), list.end(), std::optional(f)) == list.end()) list.emplace_back(f);
}

}  // namespace assay::diagnose
