#include "validation/diagnose/reveal/rule_groups.hpp"

namespace assay::diagnose {

std::vector<Uniform> RuleGroups::uniform_settings() const {
  std::vector<std::optional<NodeRule>> roots{std::nullopt};
  for (std::size_t g = 0; g < tree_.node_rules.size(); ++g) {
    if (static_cast<int>(g) != root_rule()) roots.emplace_back(tree_.node_rules[g]);
  }
  // Products that were exact as far as their digits go may be rounded to anything that is wide enough: it
  // shows where they underflow.
  std::vector<std::optional<FormatSpec>> ranges{std::nullopt}, products{std::nullopt};
  for (const NodeRule& r : tree_.node_rules) {
    const std::vector<FormatSpec> alike = formats_of(r.format.precision);
    for (std::size_t i = 1; i < alike.size(); ++i) also(ranges, alike[i]);
    also(products, r.format);
  }
  for (const FormatSpec* f :
       {&formats::float32, &formats::float16, &formats::bfloat16, &formats::tf32, &p_.a, &p_.output}) {
    also(products, *f);
  }
  std::vector<std::optional<FormatSpec>> wides{std::nullopt};
  for (const int i : node_sample_) {
    if (nodes() > 1 && node_facts(i).precision == 0) also(wides, formats::float64);
  }
  // A root alone: no other node shows how it rounds.
  if (nodes() > 1 && tree_.node_rules.size() == 1) {
    for (const NodeRule& r : node_candidates(0)) {
      if (!r.flush_inputs && !r.flush_result && !r.padded) roots.emplace_back(r);
    }
  }
  std::vector<Uniform> list;
  for (const auto& wide : wides) {
    for (const auto& root : roots) {
      for (const auto& range : ranges) {
        for (unsigned how = 0; how < 4; ++how) {
          for (unsigned start = 0; start < start_patterns; ++start) {
            for (const auto& product : products)
              list.push_back({root, range, product, wide, (how & 1U) != 0, (how & 2U) != 0, start});
          }
        }
      }
    }
  }
  if (tree_.addend || tree_.scaling) {
    for (std::size_t i = 0, n = list.size(); i < n; ++i) {
      Uniform u = list[i];
      u.apart = true;
      if (u.flush_inputs || u.flush_results) list.push_back(u);
    }
  }
  return list;
}

// The setting applied to `from`.
void RuleGroups::apply(const Uniform& u, const Rules& from) {
  set(from);
  for (std::size_t g = 0; u.wide && g < tree_.node_rules.size(); ++g) {
    if (node_facts(node_sample_[g]).precision == 0 || static_cast<int>(g) == root_rule())
      tree_.node_rules[g].format = *u.wide;
  }
  if (u.root && root_rule() >= 0) {
    NodeRule& root = tree_.node_rules[static_cast<std::size_t>(root_rule())];
    const std::optional<int> fraction = root.fraction, floor = root.floor;
    root = *u.root;
    root.fraction = fraction;
    root.floor = floor;
    if (is_wider_than_output(root.format) && !tree_.output.mean)
      tree_.output.rounding = seen_output_modes().front();
  }
  for (NodeRule& r : tree_.node_rules) {
    if (u.range && r.format.precision == u.range->precision) r.format = *u.range;
    r.flush_inputs = u.flush_inputs;
    r.flush_result = u.flush_results;
  }
  for (std::size_t g = 0; g < tree_.leaf_rules.size(); ++g) start_leaf(g, u);
  if (tree_.scaling) {
    if (root_rule() >= 0)
      tree_.scaling->rounding = tree_.node_rules[static_cast<std::size_t>(root_rule())].rounding;
    tree_.scaling->flush = u.flush_inputs || u.flush_results;
  }
  if (u.apart) set_apart();
}

void RuleGroups::set_apart() {
  if (root_rule() >= 0) {
    NodeRule& root = tree_.node_rules[static_cast<std::size_t>(root_rule())];
    root.flush_inputs = root.flush_result = false;
  }
  for (std::size_t g = 0; g < tree_.leaf_rules.size(); ++g) {
    if (is_c(leaf_sample_[g])) tree_.leaf_rules[g].flush_operands = tree_.leaf_rules[g].flush_result = false;
  }
  if (tree_.scaling) tree_.scaling->flush = false;
}

bool RuleGroups::starts(std::size_t g, unsigned pattern) const {
  const int i = leaf_sample_[g], other = sibling(i);
  if (is_scaled_c(i)) return false;
  const bool bottom = other >= 0 && node(other).children.empty();
  const bool lower = bottom && node(i).leaf < node(other).leaf;
  switch (pattern) {
    case 0: return false;
    case 1: return bottom && lower;
    case 2: return bottom && !lower;
    case 3: return leaf_facts(i).precision > 0;
    case 4: return node(i).leaf == 0;
    default: return true;
  }
}

void RuleGroups::start_leaf(std::size_t g, const Uniform& u) {
  LeafRule& r = tree_.leaf_rules[g];
  const int i = leaf_sample_[g];
  r.rounding = rule_above(i).rounding;
  r.flush_operands = u.flush_inputs;
  r.flush_result = u.flush_results;
  r.started = starts(g, u.start);
  if (r.started && u.start == 3) r.product.reset();
  if (r.product && u.range && r.product->precision == u.range->precision) r.product = *u.range;
  if (!r.product && !is_c(i)) r.product = u.product;
}

}  // namespace assay::diagnose
