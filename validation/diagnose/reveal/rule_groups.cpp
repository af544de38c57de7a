#include "validation/diagnose/reveal/rule_groups.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace assay::diagnose {
namespace {

template <class Rule>
void merge(AdditionTree& tree, std::vector<Rule>& rules, std::vector<int>& samples, bool leaves) {
  std::vector<Rule> kept;
  std::vector<int> kept_samples, now(rules.size());
  for (std::size_t g = 0; g < rules.size(); ++g) {
    const auto at = std::find(kept.begin(), kept.end(), rules[g]);
    now[g] = static_cast<int>(at - kept.begin());
    if (at != kept.end()) continue;
    kept.push_back(rules[g]);
    kept_samples.push_back(samples[g]);
  }
  for (TreeNode& t : tree.nodes) {
    if (t.children.empty() == leaves) t.rule = now[static_cast<std::size_t>(t.rule)];
  }
  rules = std::move(kept);
  samples = std::move(kept_samples);
}

}  // namespace

void RuleGroups::form(TreeFacts facts) {
  facts_ = std::move(facts);
  group_nodes();
  group_leaves();
}

void RuleGroups::group_nodes() {
  std::map<std::string, int> node_groups;
  tree_.node_rules.clear();
  const std::size_t root = nodes() - 1;
  const int last = last_of_terms();
  for (std::size_t i = 0; i < nodes(); ++i) {
    TreeNode& t = tree_.nodes[i];
    if (t.children.empty()) continue;
    const NodeFacts& f = facts_.nodes[i];
    bool with_leaf = false;
    for (const int c : t.children) with_leaf = with_leaf || node(c).children.empty();
    std::string key = std::to_string(f.precision) + '/' + std::to_string(f.modes) + '/' + f.signature +
                      (with_leaf ? "/leaf" : "/inner") + (t.children.size() > 2 ? "/fused" : "") +
                      std::to_string(f.fraction.value_or(-1)) + '/' + std::to_string(f.floor.value_or(1));
    if (static_cast<int>(i) == last) key += "/last";
    if (i == root) key = "root";
    const auto [at, fresh] = node_groups.try_emplace(key, static_cast<int>(tree_.node_rules.size()));
    if (fresh) {
      node_sample_.push_back(static_cast<int>(i));
      NodeRule rule;
      rule.format = f.precision > 0 ? formats_of(f.precision).front() : p_.output;
      rule.fraction = f.fraction;
      rule.floor = f.floor;
      for (std::size_t m = deterministic_roundings.size(); m-- > 0;) {
        if ((f.modes >> m & 1U) != 0) rule.rounding = deterministic_roundings[m];
      }
      tree_.node_rules.push_back(rule);
    }
    t.rule = at->second;
  }
  if (tree_.node_rules.empty()) {  // one leaf: the rule of its addition to +0, if there is one
    node_sample_.push_back(0);
    tree_.node_rules.push_back({p_.output});
  }
}

void RuleGroups::group_leaves() {
  std::map<std::string, int> leaf_groups;
  tree_.leaf_rules.clear();
  for (std::size_t i = 0; i < nodes(); ++i) {
    TreeNode& t = tree_.nodes[i];
    if (!t.children.empty()) continue;
    const LeafFacts& f = facts_.leaves[i];
    const int up = facts_.parent[i], other = sibling(static_cast<int>(i));
    // Which of two leaves of one node came first can matter.
    const char* place = "/above";
    if (other >= 0 && node(other).children.empty() && node(up).children.size() == 2)
      place = node(other).leaf > t.leaf ? "/lower" : "/higher";
    // A sum over sums that begins at +0 is as one whose first term does.
    const std::string key = std::to_string(f.precision) + '/' + f.signature + place +
                            (is_c(static_cast<int>(i)) ? "/C" : "") + (t.leaf == 0 ? "/first" : "") +
                            std::to_string(up < 0 ? -1 : node(up).rule);
    const auto [at, fresh] = leaf_groups.try_emplace(key, static_cast<int>(tree_.leaf_rules.size()));
    if (fresh) {
      leaf_sample_.push_back(static_cast<int>(i));
      LeafRule rule;
      if (f.precision > 0) rule.product = formats_of(f.precision).front();
      tree_.leaf_rules.push_back(rule);
    }
    t.rule = at->second;
  }
}

void RuleGroups::merge_alike() {
  merge(tree_, tree_.node_rules, node_sample_, false);
  merge(tree_, tree_.leaf_rules, leaf_sample_, true);
}

std::set<int> RuleGroups::samples() const {
  std::set<int> all(node_sample_.begin(), node_sample_.end());
  all.insert(leaf_sample_.begin(), leaf_sample_.end());
  return all;
}

// Of each leaf and of each node; as often again of those that answered for their groups, however large the tree.
std::vector<Meeting> RuleGroups::meetings() const {
  std::vector<int> first(nodes(), -1);
  for (std::size_t i = 0; i < nodes(); ++i) {
    const TreeNode& t = tree_.nodes[i];
    first[i] = t.children.empty() ? t.leaf : first[static_cast<std::size_t>(t.children.front())];
  }
  const auto below = [&](int i) { return i < 0 ? -1 : first[static_cast<std::size_t>(i)]; };
  // Beside the node, or the last of its own many.
  const auto third = [&](int i) {
    if (i < 0 || sibling(i) >= 0) return below(i < 0 ? -1 : sibling(i));
    return node(i).children.size() > 2 ? below(node(i).children.back()) : -1;
  };
  const auto of = [&](int i) -> Meeting {
    const std::vector<int>& children = node(i).children;
    if (children.empty()) return {node(i).leaf, below(sibling(i)), third(parent(i))};
    return {below(children[0]), below(children[1]), third(i)};
  };
  std::vector<Meeting> list(tree_.leaves());
  for (int i = 0; i < static_cast<int>(nodes()); ++i) {
    if (node(i).children.empty()) {
      list[static_cast<std::size_t>(node(i).leaf)] = of(i);
    } else {
      list.push_back(of(i));
    }
  }
  std::vector<Meeting> samples;
  for (const std::vector<int>& group : {leaf_sample_, node_sample_}) {
    for (const int i : group) {
      samples.push_back(of(i));
      for (const int child : node(i).children) {
        if (!node(child).children.empty()) samples.push_back(of(child));
      }
    }
  }
  for (std::size_t i = 0, n = list.size(); i < n; ++i) list.push_back(samples[i % samples.size()]);
  return list;
}

// Formats whose ends and places may matter here: those of the data, and of rules that are possible.
std::vector<FormatSpec> RuleGroups::known_formats() const {
  std::vector<FormatSpec> list;
  const auto add = [&](const FormatSpec& f) {
    if (std::find(list.begin(), list.end(), f) == list.end()) list.push_back(f);
  };
  for (const FormatSpec* f : {&p_.a, &p_.b, &p_.output}) add(*f);
  for (std::size_t g = 0; g < tree_.node_rules.size(); ++g) {
    for (const NodeRule& r : node_candidates(g)) add(r.format);
  }
  for (const LeafRule& r : tree_.leaf_rules) {
    if (r.product) add(*r.product);
  }
  // Oftener those that are rules already.
  for (const NodeRule& r : tree_.node_rules) list.push_back(r.format);
  for (const LeafRule& r : tree_.leaf_rules) {
    if (r.product) list.push_back(*r.product);
  }
  return list;
}

const NodeRule& RuleGroups::rule_above(int leaf_node) const {
  const int up = parent(leaf_node);
  return up < 0 ? tree_.node_rules.front() : tree_.node_rules[static_cast<std::size_t>(node(up).rule)];
}

void RuleGroups::set_nodes(const FormatSpec& from, const FormatSpec& to) {
  for (NodeRule& r : tree_.node_rules) {
    if (r.format == from) r.format = to;
  }
}

int RuleGroups::last_of_terms() const {
  const int root = static_cast<int>(nodes()) - 1;
  const std::vector<int>& last = node(root).children;
  if (!tree_.addend || last.size() != 2) return root;
  for (const std::size_t side : {0U, 1U}) {
    if (is_c(last[side]) && !node(last[1 - side]).children.empty()) return last[1 - side];
  }
  return root;
}

bool RuleGroups::keeps_as_node_above(std::size_t group) const {
  return !is_scaled_c(leaf_sample_[group]) &&
         leaf_precision(group) == rule_above(leaf_sample_[group]).format.precision;
}

Rules RuleGroups::rules() const {
  return {tree_.leaf_rules, tree_.node_rules, tree_.output, tree_.scaling, tree_.tiny, tree_.skipped};
}

void RuleGroups::set(const Rules& r) {
  tree_.leaf_rules = r.leaves;
  tree_.node_rules = r.nodes;
  tree_.output = r.output;
  tree_.scaling = r.scaling;
  tree_.tiny = r.tiny;
  tree_.skipped = r.skipped;
}

}  // namespace assay::diagnose
