#include "validation/report/tree_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "validation/diagnose/reveal/rules.hpp"
#include "validation/diagnose/reveal/scaling.hpp"

namespace assay {
namespace {

using namespace diagnose;

// What is drawn: an addition, a chain of them, a term.
struct Shown {
  std::string label{};
  std::string short_label{};
  int rule = -1;  // of node_rules; -1: a term
  std::vector<Shown> children{};
};

class Folder {
 public:
  Folder(const AdditionTree& tree, bool fold, bool rules) : tree_(tree), fold_(fold), rules_(rules) {
    const std::size_t n = tree.nodes.size();
    hash_.resize(n);
    least_.resize(n);
    size_.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      const TreeNode& node = tree.nodes[i];
      if (node.children.empty()) {
        least_[i] = node.leaf;
        size_[i] = 1;
        hash_[i] = mix(7919, static_cast<std::uint64_t>(node.rule) + (is_c(node.leaf) ? 1000 : 0));
        continue;
      }
      least_[i] = tree.nodes[i].children.empty() ? 0 : 1 << 30;
      for (const int c : node.children) {
        least_[i] = std::min(least_[i], least(c));
        size_[i] += size_[static_cast<std::size_t>(c)];
      }
      std::vector<std::uint64_t> parts;
      for (const int c : node.children)
        parts.push_back(mix(hash(c), static_cast<std::uint64_t>(least(c) - least_[i])));
      std::sort(parts.begin(), parts.end());
      hash_[i] = static_cast<std::uint64_t>(node.rule) + 104729;
      for (const std::uint64_t part : parts) hash_[i] = mix(hash_[i], part);
    }
  }

  Shown root() { return show(static_cast<int>(tree_.nodes.size()) - 1); }

 private:
  static std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    std::uint64_t x = a * 0x9E3779B97F4A7C15U + b + 0x632BE59BD9B4E019U;
    x ^= x >> 29U;
    x *= 0xBF58476D1CE4E5B9U;
    return x ^ (x >> 32U);
  }
  const TreeNode& node(int i) const { return tree_.nodes[static_cast<std::size_t>(i)]; }
  std::uint64_t hash(int i) const { return hash_[static_cast<std::size_t>(i)]; }
  int least(int i) const { return least_[static_cast<std::size_t>(i)]; }
  bool is_c(int leaf) const { return static_cast<std::size_t>(leaf) == tree_.terms; }
  std::string name(int leaf) const { return is_c(leaf) ? "C" : std::to_string(leaf); }
  std::string term_rule(int rule) const { return rules_ ? fmt::format(" [{}]", rule) : ""; }

  // "0..60 step 4, 64, C"
  std::string series(const std::vector<int>& leaves) const {
    std::string text;
    std::size_t parts = 0;
    for (std::size_t i = 0; i < leaves.size();) {
      std::size_t last = i;
      if (i + 1 < leaves.size() && !is_c(leaves[i + 1])) {
        const int step = leaves[i + 1] - leaves[i];
        while (last + 1 < leaves.size() && !is_c(leaves[last + 1]) && leaves[last + 1] - leaves[last] == step)
          ++last;
      }
      if (++parts > 8) return text + ", ... to " + name(leaves.back());
      text += text.empty() ? "" : ", ";
      if (last >= i + 2) {
        const int step = leaves[i + 1] - leaves[i];
        text +=
            name(leaves[i]) + ".." + name(leaves[last]) + (step == 1 ? "" : " step " + std::to_string(step));
        i = last + 1;
      } else {
        text += name(leaves[i]);
        ++i;
      }
    }
    return text;
  }

  Shown show(int at) {
    const TreeNode& here = node(at);
    Shown x;
    if (here.children.empty()) {
      x.label = (is_c(here.leaf) ? "" : "term ") + name(here.leaf) + term_rule(here.rule);
      x.short_label = name(here.leaf);
      return x;
    }
    x.rule = here.rule;
    if (fold_ && (fold_chain(at, x) || fold_blocks(at, x))) return x;
    x.label = here.children.size() == 2 ? "+" : "+ of " + std::to_string(here.children.size()) + " at once";
    x.short_label = "+";
    // Children of one shape once.
    std::vector<int> terms;
    std::vector<std::pair<int, std::vector<int>>> kinds;  // the first, all of its shape
    for (const int c : here.children) {
      if (fold_ && node(c).children.empty() && here.children.size() > 3) {
        terms.push_back(node(c).leaf);
        continue;
      }
      const auto same = std::find_if(kinds.begin(), kinds.end(), [&](const auto& k) {
        return fold_ && !node(c).children.empty() && hash(k.first) == hash(c);
      });
      if (same == kinds.end()) {
        kinds.emplace_back(c, std::vector<int>{c});
      } else {
        same->second.push_back(c);
      }
    }
    if (!terms.empty()) {
      Shown leaf;
      leaf.label = "terms " + series(terms);
      leaf.short_label = series(terms);
      x.children.push_back(std::move(leaf));
    }
    for (auto& [first, all] : kinds) {
      std::sort(all.begin(), all.end(), [&](int x_at, int y_at) { return least(x_at) < least(y_at); });
      first = all.front();
      Shown child = show(first);
      if (all.size() > 1) {
        std::vector<int> shifts;
        for (std::size_t i = 1; i < all.size(); ++i) shifts.push_back(least(all[i]) - least(first));
        std::string text;
        for (std::size_t i = 0; i < shifts.size(); ++i) {
          if (i == 6) {
            text += ", ...";
            break;
          }
          text += (i == 0 ? "" : ", ") + std::to_string(shifts[i]);
        }
        child.label = std::to_string(all.size()) + " x (shifted by " + text + ") " + child.label;
        child.short_label = std::to_string(all.size()) + "x " + child.short_label;
      }
      x.children.push_back(std::move(child));
    }
    return x;
  }

  // ((first + l1) + l2) + ... with one rule: a line.
  bool fold_chain(int at, Shown& x) {
    std::vector<int> leaves;
    int leaf_rule = -1, below = at;
    while (true) {
      const TreeNode& here = node(below);
      if (here.children.size() != 2 || here.rule != x.rule) break;
      const bool first_is_leaf = node(here.children[0]).children.empty();
      const bool second_is_leaf = node(here.children[1]).children.empty();
      if (!first_is_leaf && !second_is_leaf) break;
      int leaf = second_is_leaf ? here.children[1] : here.children[0];
      int rest = second_is_leaf ? here.children[0] : here.children[1];
      if (first_is_leaf && second_is_leaf && node(rest).rule == leaf_rule && node(leaf).rule != leaf_rule)
        std::swap(leaf, rest);
      // C is worth a line of its own.
      if (is_c(node(leaf).leaf) && node(rest).children.empty()) std::swap(leaf, rest);
      if (is_c(node(leaf).leaf)) break;
      if (leaf_rule >= 0 && node(leaf).rule != leaf_rule) break;
      leaf_rule = node(leaf).rule;
      leaves.push_back(node(leaf).leaf);
      below = rest;
      if (first_is_leaf && second_is_leaf) break;
    }
    if (leaves.size() < 2) return false;
    const TreeNode& start = node(below);
    std::reverse(leaves.begin(), leaves.end());
    std::string first;
    if (start.children.empty()) {
      if (start.rule == leaf_rule && !is_c(start.leaf)) {
        leaves.insert(leaves.begin(), start.leaf);
      } else {
        first = (is_c(start.leaf) ? " after " : " after term ") + name(start.leaf) + term_rule(start.rule);
      }
    }
    x.label = fmt::format("chain of {} terms{}{}{}: {}", leaves.size(), term_rule(leaf_rule), first,
                          start.children.empty() ? "" : " added to", series(leaves));
    x.short_label = fmt::format("chain {}", series(leaves));
    if (!start.children.empty()) x.children.push_back(show(below));
    return true;
  }

  // ((first + b1) + b2) + ..., each b like the first, all the same distance apart: one of them. C may come before them.
  bool fold_blocks(int at, Shown& x) {
    for (const int candidate : node(at).children) {
      bool after_c = false;
      const std::vector<int> blocks = chain_of_blocks(at, hash(candidate), after_c);
      const std::size_t n = blocks.size();
      if (n < 3 || node(candidate).children.empty()) continue;
      const int step = least(blocks[1]) - least(blocks[0]);
      bool even = true;
      for (std::size_t i = 2; i < n; ++i) even = even && least(blocks[i]) - least(blocks[i - 1]) == step;
      if (!even) continue;
      x.label = fmt::format("chain of {} sums{} like this one, each shifted by {} more", n,
                            after_c ? " after C" : "", step);
      x.short_label = fmt::format("chain of {}x", n);
      x.children.push_back(show(blocks.front()));
      return true;
    }
    return false;
  }

  // The sums of one shape that a chain of additions of one rule takes, from its first on, or from the one that is added
  // to C; none if it begins with anything else.
  std::vector<int> chain_of_blocks(int at, std::uint64_t shape, bool& after_c) const {
    std::vector<int> blocks;
    int below = at;
    while (hash(below) != shape) {
      const TreeNode& here = node(below);
      if (here.children.size() != 2 || here.rule != node(at).rule) return {};
      const bool second = hash(here.children[1]) == shape;
      if (!second && hash(here.children[0]) != shape) return {};
      // The last addition is of two blocks: the first of them comes first.
      const bool swapped =
          second && hash(here.children[0]) == shape && least(here.children[0]) > least(here.children[1]);
      const std::size_t block = second && !swapped ? 1 : 0;
      blocks.push_back(here.children[block]);
      below = here.children[1 - block];
      after_c = is_c(node(below).leaf);
      if (after_c) break;
    }
    if (!after_c) blocks.push_back(below);
    std::reverse(blocks.begin(), blocks.end());
    return blocks;
  }

  const AdditionTree& tree_;
  bool fold_, rules_;
  std::vector<std::uint64_t> hash_;
  std::vector<int> least_;
  std::vector<std::size_t> size_;
};

std::string xml_escaped(const std::string& text) {
  std::string out;
  for (const char c : text)
    out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return out;
}

std::size_t width_of(const Shown& x) {
  std::size_t width = 0;
  for (const Shown& child : x.children) width += width_of(child);
  return std::max<std::size_t>(width, 1);
}

}  // namespace

std::vector<std::string> tree_legend(const AdditionTree& tree) {
  std::vector<std::string> lines;
  std::vector<bool> nodes(tree.node_rules.size(), false), leaves(tree.leaf_rules.size(), false);
  for (const TreeNode& node : tree.nodes)
    (node.children.empty() ? leaves : nodes)[static_cast<std::size_t>(node.rule)] = true;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i]) lines.push_back(fmt::format("(+{}) {}", i, describe(tree.node_rules[i])));
  }
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (leaves[i]) lines.push_back(fmt::format("[{}] terms: {}", i, describe(tree.leaf_rules[i])));
  }
  if (tree.scaling) lines.push_back(describe(*tree.scaling, tree));
  lines.push_back("output: " + describe(tree.output));
  if (const std::string text = describe(tree.tiny); !text.empty())
    lines.push_back("results are flushed " + text);
  if (const std::string text = describe(tree.skipped); !text.empty()) lines.push_back("zeros: " + text);
  return lines;
}

std::string draw_text(const AdditionTree& tree, const DrawOptions& options) {
  if (tree.nodes.empty()) return "no tree\n";
  std::vector<std::string> lines;
  std::size_t left_out = 0;
  const std::function<void(const Shown&, std::size_t)> walk = [&](const Shown& x, std::size_t depth) {
    if (lines.size() < options.most_lines && depth < 60) {
      const bool rule = options.rules && x.rule >= 0;
      lines.push_back(std::string(2 * depth, ' ') + (rule ? fmt::format("(+{}) ", x.rule) : "") + x.label);
    } else {
      ++left_out;
    }
    for (const Shown& child : x.children) walk(child, depth + 1);
  };
  walk(Folder(tree, options.fold, options.rules).root(), 0);
  if (left_out > 0)
    lines.push_back(fmt::format("... {} more {}", left_out, left_out == 1 ? "line" : "lines"));
  if (options.rules) {
    for (std::string& line : tree_legend(tree)) lines.push_back(std::move(line));
  }
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

std::string draw_svg(const AdditionTree& tree, const std::string& title, const DrawOptions& options) {
  constexpr std::size_t widest = 64;
  constexpr const char* colours[] = {"#4477aa", "#aa3377", "#228833", "#996600",
                                     "#006680", "#cc3311", "#555555"};
  std::vector<std::string> legend_lines;
  if (!tree.nodes.empty() && options.rules) legend_lines = tree_legend(tree);
  Shown root;
  if (!tree.nodes.empty()) {
    root = Folder(tree, options.fold || tree.leaves() > widest, options.rules).root();
  } else {
    root.label = root.short_label = "no tree";
  }
  struct Box {
    double x, y;
  };
  std::string lines, body;  // lines lie below what they join
  double deepest = 0;
  const std::size_t columns = width_of(root);
  // Labels of folded chains are long: wide columns where there are few.
  const double column = columns <= 4 ? 230 : columns <= 12 ? 120 : 44, row = 46, left = 20, top = 50;
  std::size_t drawn = 0;
  const std::function<Box(const Shown&, double, std::size_t)> draw = [&](const Shown& x, double from,
                                                                         std::size_t depth) -> Box {
    const double y = top + static_cast<double>(depth) * row;
    deepest = std::max(deepest, y);
    Box me{from + column * static_cast<double>(width_of(x)) / 2, y};
    if (++drawn > 4000) return me;
    double at = from;
    for (const Shown& child : x.children) {
      const Box below = draw(child, at, depth + 1);
      at += column * static_cast<double>(width_of(child));
      lines +=
          fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#888\"/>\n",
                      me.x, me.y, below.x, below.y);
    }
    const std::size_t room = static_cast<std::size_t>(column / 6.2);
    std::string label =
        x.short_label.size() > room && room > 4 ? x.short_label.substr(0, room - 1) + "…" : x.short_label;
    const char* const colour =
        x.rule < 0 ? "#ffffff" : colours[static_cast<std::size_t>(x.rule) % std::size(colours)];
    const double half = std::max(9.0, 3.4 * static_cast<double>(label.size()));
    body += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"18\" rx=\"{}\" fill=\"{}\" "
        "stroke=\"#333\"><title>{}"
        "</title></rect>\n<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\" fill=\"{}\">{}</text>\n",
        me.x - half, me.y - 9, 2 * half, x.rule < 0 ? 2 : 9, colour, xml_escaped(x.label), me.x, me.y + 4,
        x.rule < 0 ? "#000" : "#fff", xml_escaped(label));
    return me;
  };
  draw(root, left, 0);
  double y = deepest + 40;
  for (const std::string& line : legend_lines) {
    // The rule of a node has the node's colour.
    const char* const colour =
        line.starts_with("(+") ? colours[std::stoul(line.substr(2)) % std::size(colours)] : "#000";
    body += fmt::format("<text x=\"{}\" y=\"{:.1f}\" fill=\"{}\">{}</text>\n", left, y, colour,
                        xml_escaped(line));
    y += 16;
  }
  std::size_t longest = title.size();
  for (const std::string& line : legend_lines) longest = std::max(longest, line.size());
  const double width = std::max(2 * left + column * static_cast<double>(columns),
                                2 * left + 7.0 * static_cast<double>(longest));
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} "
      "{1:.0f}\" "
      "font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
      "<text x=\"{2}\" y=\"24\" font-size=\"13\">{3}</text>\n{4}</svg>\n",
      width, y + 10, left, xml_escaped(title), lines + body);
}

}  // namespace assay
