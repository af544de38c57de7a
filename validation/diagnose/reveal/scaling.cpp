#include "validation/diagnose/reveal/scaling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "validation/diagnose/reveal/rules.hpp"

namespace assay::diagnose {
namespace {

constexpr std::size_t few_terms = 64;  // of them every node may be where alpha begins

const TreeNode& node(const AdditionTree& tree, int i) { return tree.nodes[static_cast<std::size_t>(i)]; }

int node_of_c(const AdditionTree& tree) {
  const auto at = std::find_if(tree.nodes.begin(), tree.nodes.end(),
                               [&](const TreeNode& n) { return n.leaf == static_cast<int>(tree.terms); });
  return static_cast<int>(at - tree.nodes.begin());
}

int first_below(const AdditionTree& tree, int at) {
  while (!node(tree, at).children.empty()) at = node(tree, at).children.front();
  return node(tree, at).leaf;
}

std::size_t terms_below(const AdditionTree& tree, int at) {
  std::size_t terms = 0;
  for (std::vector<int> open{at}; !open.empty();) {
    const std::vector<int>& children = node(tree, open.back()).children;
    open.pop_back();
    terms += children.empty() ? 1 : 0;
    open.insert(open.end(), children.begin(), children.end());
  }
  return terms;
}

// From `top` down to its first leaf, or to its last: the nodes that a sum over panels may begin with.
void walk_down(const AdditionTree& tree, int top, bool first, std::vector<int>& found) {
  bool joins = true;  // `at` is added to more than a single term, or is an end
  for (int at = top;;) {
    const std::vector<int>& children = node(tree, at).children;
    if (joins || children.empty() || tree.terms <= few_terms) found.push_back(at);
    if (children.empty()) return;
    joins = at == top;
    const int below = first ? children.front() : children.back();
    for (const int other : children) joins = joins || (other != below && !node(tree, other).children.empty());
    at = below;
  }
}

std::vector<int> starts(const AdditionTree& tree) {
  std::vector<int> found;
  int top = static_cast<int>(tree.nodes.size()) - 1;
  if (tree.addend) {
    const int c = node_of_c(tree);
    found.push_back(c);
    const std::vector<int>& last = tree.nodes.back().children;
    if (last.size() != 2 || (last[0] != c && last[1] != c)) return found;
    top = last[0] == c ? last[1] : last[0];
  }
  for (const bool first : {true, false}) walk_down(tree, top, first, found);
  std::vector<int> once;
  for (const int x : found) {
    const bool same = tree.addend && x == top;  // as C itself
    if (!same && std::find(once.begin(), once.end(), x) == once.end()) once.push_back(x);
  }
  return once;
}

using Formats = std::vector<std::optional<FormatSpec>>;

void add(Formats& list, const std::optional<FormatSpec>& f) {
  if (std::find(list.begin(), list.end(), f) == list.end()) list.push_back(f);
}

Formats all_formats(const AdditionTree& tree, const Problem& p) {
  Formats list;
  for (const NodeRule& rule : tree.node_rules) add(list, rule.format);
  for (const FormatSpec& f : {p.a, p.b, p.output, formats::float32}) add(list, f);
  return list;
}

std::string product_text(const std::optional<FormatSpec>& f, Rounding rounding, const char* exact) {
  return f ? "rounded to " + std::string(f->dtype) + ' ' + std::string(rounding_name(rounding))
           : std::string(exact);
}
constexpr const char* fused = "in the addition (fma)";

}  // namespace

std::vector<TreeScaling> scaling_places(const AdditionTree& tree, const Problem& p) {
  const NodeRule& root = tree.node_rules[static_cast<std::size_t>(
      tree.nodes.back().children.empty() ? 0 : tree.nodes.back().rule)];
  TreeScaling one{.alpha = p.alpha, .beta = p.c ? p.beta : 1, .rounding = root.rounding};
  const std::vector<int> nodes = starts(tree);
  one.from = nodes.front();
  Formats products{std::nullopt}, operands;
  add(products, root.format);
  for (const FormatSpec& f : {p.a, p.b, formats::float32}) add(operands, f);
  std::vector<TreeScaling> list;
  for (const auto& beta : p.adds_c() && p.beta != 1 ? products : Formats{std::nullopt}) {
    one.beta_format = beta;
    if (p.alpha == 1) {
      list.push_back(one);
      continue;
    }
    for (const int from : nodes) {
      for (const auto& alpha : products) {
        list.push_back(one);
        list.back().from = from;
        list.back().alpha_format = alpha;
      }
    }
    for (const AlphaPlace place : {AlphaPlace::a, AlphaPlace::b}) {
      for (const auto& alpha : operands) {
        list.push_back(one);
        list.back().place = place;
        list.back().alpha_format = alpha;
      }
    }
  }
  return list;
}

std::vector<TreeScaling> scaling_variants(const AdditionTree& tree, const Problem& p) {
  const TreeScaling present = *tree.scaling;
  Formats formats = all_formats(tree, p), alphas = formats, betas = formats;
  if (present.place == AlphaPlace::sums) add(alphas, std::nullopt);
  add(betas, std::nullopt);
  if (p.alpha == 1) alphas = {present.alpha_format};
  if (!p.adds_c() || p.beta == 1) betas = {present.beta_format};
  std::vector<Rounding> roundings{present.rounding, Rounding::nearest_even};
  for (const NodeRule& rule : tree.node_rules) roundings.push_back(rule.rounding);
  std::sort(roundings.begin(), roundings.end());
  roundings.erase(std::unique(roundings.begin(), roundings.end()), roundings.end());
  std::vector<TreeScaling> list;
  for (const auto& alpha : alphas) {
    for (const auto& beta : betas) {
      for (const Rounding rounding : roundings) {
        if (!alpha && !beta && rounding != roundings.front()) continue;  // nothing is rounded
        for (const bool flush : {false, true}) {
          for (const bool reads_c : {false, true}) {
            if (reads_c && (!p.c || p.adds_c())) continue;
            TreeScaling one = present;
            one.alpha_format = alpha;
            one.beta_format = beta;
            one.rounding = rounding;
            one.flush = flush;
            one.reads_c = reads_c;
            list.push_back(one);
          }
        }
      }
    }
  }
  return list;
}

std::string describe(const TreeScaling& s, const AdditionTree& tree) {
  std::string text;
  if (s.alpha != 1) {
    text = "alpha " + scale_text(s.alpha) + " times ";
    if (s.place != AlphaPlace::sums) {
      text += s.place == AlphaPlace::a ? "each operand of A" : "each operand of B";
    } else if (tree.addend && node(tree, s.from).leaf == static_cast<int>(tree.terms)) {
      text += "each sum that is added to C";
    } else if (static_cast<std::size_t>(s.from) + 1 == tree.nodes.size()) {
      text += "the whole sum";
    } else {
      const std::vector<char> scaled = sums_times_alpha(tree);
      text += fmt::format("each of {} partial sums, the first of {} terms from term {}",
                          std::count(scaled.begin(), scaled.end(), 1), terms_below(tree, s.from),
                          first_below(tree, s.from));
    }
    const bool whole =
        s.place == AlphaPlace::sums && static_cast<std::size_t>(s.from) + 1 == tree.nodes.size();
    text += ", " + product_text(s.alpha_format, s.rounding, whole ? "in the rounding of the output" : fused);
  }
  if (tree.addend && s.beta != 1) {
    text += fmt::format("{}beta {} times C, {}", text.empty() ? "" : "; ", scale_text(s.beta),
                        product_text(s.beta_format, s.rounding, fused));
  }
  if (s.flush) text += ", subnormals are zeros";
  if (!tree.addend && s.beta == 0)
    text += std::string(text.empty() ? "" : "; ") +
            (s.reads_c ? "beta 0: C is read, a NaN in it reaches the result" : "beta 0: C is ignored");
  return text;
}

}  // namespace assay::diagnose
