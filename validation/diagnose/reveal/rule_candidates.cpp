#include <algorithm>
#include <bit>
#include <set>

#include "validation/diagnose/reveal/rule_groups.hpp"

namespace assay::diagnose {
namespace {

bool is_nearest(Rounding mode) { return mode == Rounding::nearest_even || mode == Rounding::nearest_away; }

}  // namespace

std::vector<NodeRule> RuleGroups::node_candidates(std::size_t group) const {
  const NodeFacts& f = node_facts(node_sample_[group]);
  const bool root = static_cast<std::size_t>(node_sample_[group]) == nodes() - 1;
  std::vector<FormatSpec> wanted;
  const auto add = [&](const FormatSpec& g) {
    if (std::find(wanted.begin(), wanted.end(), g) == wanted.end()) wanted.push_back(g);
  };
  if (f.precision > 0) {
    for (const FormatSpec& g : formats_of(f.precision)) add(g);
  }
  unsigned modes = f.modes;
  if (root || f.precision == 0) {
    // A root may keep more than its output shows.
    for (const NodeRule& r : tree_.node_rules) add(r.format);
    add(p_.output);
    for (const FormatSpec* g : {&formats::float32, &formats::float64, &formats::float16}) {
      if (g->precision > std::min(p_.output.precision, f.kept)) add(*g);
    }
    std::erase_if(wanted, [&](const FormatSpec& g) { return g.precision < f.kept; });
    if (nodes() == 1) {
      for (const FormatSpec* g : formats::all) add(*g);
    }
    if (tree_.node_rules.size() == 1) modes = all_modes;
    for (const NodeRule& r : tree_.node_rules) {
      for (std::size_t m = 0; m < deterministic_roundings.size(); ++m) {
        if (deterministic_roundings[m] == r.rounding) modes |= 1U << m;
      }
    }
  }
  std::vector<NodeRule> list;
  for (const FormatSpec& g : wanted) {
    for (std::size_t m = 0; m < deterministic_roundings.size(); ++m) {
      if ((modes >> m & 1U) == 0) continue;
      for (const bool in : {false, true}) {
        for (const bool out : {false, true}) {
          for (const bool padded : {false, true}) {
            if (padded && node_sample_[group] != last_of_terms()) continue;
            for (const auto& floor : floors(f)) {
              list.push_back({g, deterministic_roundings[m], in, out, f.fraction, padded, floor});
              if (is_nearest(deterministic_roundings[m])) continue;
              list.push_back(list.back());
              list.back().infinite = true;
            }
          }
        }
      }
    }
  }
  return list;
}

// Of a node that cuts: what it showed, and what others did.
std::vector<std::optional<int>> RuleGroups::floors(const NodeFacts& f) const {
  std::vector<std::optional<int>> list{f.floor};
  for (const NodeRule& r : tree_.node_rules) {
    if (f.fraction && std::find(list.begin(), list.end(), r.floor) == list.end()) list.push_back(r.floor);
  }
  return list;
}

std::vector<LeafRule> RuleGroups::leaf_candidates(std::size_t group) const {
  const LeafFacts& f = leaf_facts(leaf_sample_[group]);
  const NodeRule& above = rule_above(leaf_sample_[group]);
  std::vector<std::optional<FormatSpec>> products;
  const auto add = [&](const std::optional<FormatSpec>& g) {
    if (std::find(products.begin(), products.end(), g) == products.end()) products.push_back(g);
  };
  if (f.precision == 0) {
    add(std::nullopt);
    // Wide enough to have kept all that was seen, narrow enough to underflow.
    add(above.format);
    add(p_.a);
    add(p_.output);
    for (const FormatSpec* g : {&formats::float32, &formats::float16, &formats::bfloat16, &formats::tf32})
      add(*g);
  } else {
    for (const FormatSpec& g : formats_of(f.precision)) add(g);
    // Rounded by the addition to +0 that it starts with, after what other leaves go through.
    add(std::nullopt);
    for (const LeafRule& r : tree_.leaf_rules) add(r.product);
    for (const FormatSpec* g : {&formats::float32, &formats::bfloat16, &formats::float16, &formats::tf32})
      add(*g);
  }
  std::set<Rounding> modes{above.rounding, Rounding::nearest_even};
  const int up = parent(leaf_sample_[group]);
  if (up < 0 || std::popcount(node_facts(up).modes) > 1)
    modes.insert(deterministic_roundings.begin(), deterministic_roundings.end());
  std::vector<LeafRule> list;
  for (const auto& product : products) {
    for (const bool started : {false, true}) {
      if ((started || product) && is_scaled_c(leaf_sample_[group])) continue;
      for (const Rounding mode : modes) {
        if (!product && mode != *modes.begin()) continue;
        for (const bool in : {false, true}) {
          for (const bool out : {false, true}) {
            if (out && !product) continue;
            list.push_back({product, mode, started, in, out});
          }
        }
      }
    }
  }
  return list;
}

std::vector<OutputRule> RuleGroups::output_candidates() const {
  std::vector<OutputRule> list;
  for (const auto& mean : mean_candidates()) {
    for (const Rounding mode : deterministic_roundings) {
      for (const bool flush : {false, true}) {
        for (const bool started : {false, true})
          list.push_back({p_.output, mode, flush, started, mean, tree_.output.overflow});
      }
    }
  }
  return list;
}

// The present rule with every overflow of its own that can differ from the rounding's: an output that holds whatever
// the root comes to may saturate infinities alone.
std::vector<OutputRule> RuleGroups::output_overflows() const {
  if (p_.output.specials == Specials::finite) return {tree_.output};
  std::vector<OutputRule> list;
  const bool wider =
      root_rule() < 0 ||
      !contains_format(p_.output, tree_.node_rules[static_cast<std::size_t>(root_rule())].format);
  for (const OutputOverflow overflow : all_output_overflows) {
    if (!wider && (overflow == OutputOverflow::infinite || overflow == OutputOverflow::largest)) continue;
    if (overflow == OutputOverflow::infinite &&
        (!p_.output.has_infinity() || is_nearest(tree_.output.rounding)))
      continue;
    list.push_back(tree_.output);
    list.back().overflow = overflow;
  }
  return list;
}

// Without those that can differ nowhere: the output holds whatever the root comes to.
std::vector<OutputRule> RuleGroups::output_alternatives() const {
  std::vector<OutputRule> list = output_candidates();
  const bool exact =
      root_rule() >= 0 &&
      contains_format(p_.output, tree_.node_rules[static_cast<std::size_t>(root_rule())].format);
  if (exact) std::erase_if(list, [&](const OutputRule& r) { return r.rounding != tree_.output.rounding; });
  return list;
}

// How results are rounded where the root is wider than they are: as sums of the root's terms were seen to be.
std::vector<Rounding> RuleGroups::seen_output_modes() const {
  const unsigned seen = nodes() == 1 ? all_modes : node_facts(static_cast<int>(nodes()) - 1).modes;
  std::vector<Rounding> list;
  for (std::size_t m = 0; m < deterministic_roundings.size(); ++m) {
    if ((seen >> m & 1U) != 0) list.push_back(deterministic_roundings[m]);
  }
  return list;
}

std::vector<Rules> RuleGroups::wider_than_output() const {
  std::vector<Rules> list;
  const Rules now = rules();
  const auto add = [&](const FormatSpec& wide, Rounding wide_mode, const auto& change) {
    if (!is_wider_than_output(wide)) return;
    for (const Rounding mode : seen_output_modes()) {
      for (const OutputOverflow overflow : all_output_overflows) {
        if (overflow != OutputOverflow::as_rounded && p_.output.specials == Specials::finite) continue;
        list.push_back(now);
        change(list.back());
        list.back().output.rounding = mode;
        list.back().output.overflow = overflow;
        std::optional<TreeScaling>& s = list.back().scaling;
        if (!s) continue;
        s->rounding = wide_mode;
        for (auto* const product : {&s->alpha_format, &s->beta_format}) {
          if (*product && !is_wider_than_output(**product)) *product = wide;
        }
      }
    }
  };
  if (nodes() == 1) {
    for (const LeafRule& leaf : leaf_candidates(0)) {
      // Of one leaf the node is its addition to +0.
      for (const FormatSpec& wide : {formats::float32, formats::float64}) {
        add(wide, leaf.rounding, [&](Rules& r) {
          r.leaves[0] = leaf;
          r.nodes[0] = {.format = wide, .rounding = leaf.rounding};
        });
      }
    }
    return list;
  }
  const auto root = static_cast<std::size_t>(root_rule());
  for (const NodeRule& node : node_candidates(root))
    add(node.format, node.rounding, [&](Rules& r) { r.nodes[root] = node; });
  return list;
}

// One format and one rounding for all additions that are not fused, one for all products: a narrower root, once it was
// taken, hides what the products were rounded to.
std::vector<Rules> RuleGroups::of_one_unit() const {
  std::vector<Rules> list;
  const Rules now = rules();
  const auto set = [&](const FormatSpec& f, Rounding mode, const std::optional<FormatSpec>& product) {
    for (const bool started : {true, false}) {
      for (const Rounding output : {Rounding::nearest_even, mode}) {
        Rules r = now;
        for (NodeRule& node : r.nodes) {
          if (node.fraction) continue;
          node.format = f;
          node.rounding = mode;
        }
        for (std::size_t g = 0; g < r.leaves.size(); ++g) {
          r.leaves[g].started = started && r.leaves[g].started;
          if (is_c(leaf_sample_[g])) continue;
          r.leaves[g].product = product;
          r.leaves[g].rounding = mode;
        }
        r.output.rounding = output;
        list.push_back(std::move(r));
      }
    }
  };
  for (const FormatSpec& f : {formats::float64, formats::float32}) {
    for (const Rounding mode : deterministic_roundings) {
      for (const auto& product :
           {std::optional<FormatSpec>{}, std::optional(formats::float32), std::optional(f)})
        set(f, mode, product);
    }
  }
  return list;
}

std::vector<Rules> RuleGroups::flushing_by_tininess() const {
  std::vector<Rules> list;
  for (const Tininess tiny : all_tininess) {
    for (unsigned where = 1; where < 8; ++where) {
      Rules r = rules();
      r.tiny = tiny;
      for (LeafRule& leaf : r.leaves) leaf.flush_result |= (where & 1U) != 0 && leaf.product;
      for (NodeRule& node : r.nodes) node.flush_result |= (where & 2U) != 0;
      r.output.flush |= (where & 4U) != 0;
      list.push_back(std::move(r));
    }
  }
  return list;
}

// Only where something is flushed can they differ, and not where floats of one format alone are added: those sums are
// exact near 2^emin.
std::vector<Tininess> RuleGroups::tiny_candidates() const {
  const auto flushes = [](const auto& r) { return r.flush_result; };
  const bool flushed = tree_.output.flush || (tree_.scaling && tree_.scaling->flush) ||
                       std::any_of(tree_.node_rules.begin(), tree_.node_rules.end(), flushes) ||
                       std::any_of(tree_.leaf_rules.begin(), tree_.leaf_rules.end(), flushes);
  const bool one_format = !p_.has_b() && p_.a == p_.output &&
                          std::all_of(tree_.node_rules.begin(), tree_.node_rules.end(),
                                      [&](const NodeRule& r) { return r.format == p_.a || !r.flush_result; });
  if (!flushed || one_format) return {tree_.tiny};
  return {all_tininess.begin(), all_tininess.end()};
}

std::vector<SkippedTerms> RuleGroups::skipped_candidates() const {
  if (!p_.has_b()) return {tree_.skipped};
  return {all_skipped.begin(), all_skipped.end()};
}

std::vector<std::optional<MeanRule>> RuleGroups::mean_candidates() const {
  if (!tree_.output.mean) return {std::nullopt};
  std::vector<std::optional<FormatSpec>> formats;
  for (const NodeRule& r : tree_.node_rules) also(formats, r.format);
  for (const FormatSpec& f : {p_.output, assay::formats::float32, assay::formats::float64}) also(formats, f);
  std::vector<std::optional<MeanRule>> list;
  for (const auto& f : formats) {
    for (const Rounding mode : std::set{Rounding::nearest_even, tree_.node_rules.back().rounding}) {
      for (const bool reciprocal : {false, true}) list.push_back(MeanRule{*f, mode, reciprocal});
    }
  }
  return list;
}

}  // namespace assay::diagnose
