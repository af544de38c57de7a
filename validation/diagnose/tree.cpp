#include "validation/diagnose/tree.hpp"

#include <algorithm>
#include <climits>
#include <optional>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/exact/exact_sum.hpp"
#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/encode.hpp"

namespace assay::diagnose {
namespace {

// A value on its way up. Without a format it is an exact product, which nothing flushes.
struct Value {
  ExactValue<Wide> x{};
  const FormatSpec* format = nullptr;
  std::uint64_t code = 0;  // where there is a format
  int exponent = 0;        // as alignment reads it
};

// The exponent field of an operand, not normalised: emin for zeros and subnormals.
int exponent_field(std::uint64_t code, const FormatSpec& f) {
  const std::uint64_t binade = (code & f.magnitude_mask()) >> (f.precision - 1);
  return f.emin + (binade == 0 ? 0 : static_cast<int>(binade) - 1);
}

Value value_of(std::uint64_t code, const FormatSpec& f) {
  return {widened(exact_from_code(code, f)), &f, code, exponent_field(code, f)};
}

Value rounded(const ExactValue<Wide>& x, const FormatSpec& f, Rounding mode, bool flush) {
  EncodeOptions options{.rounding = mode};
  if (flush) options.subnormals = Subnormals::flush_result;
  return value_of(encode(x, f, options).code, f);
}

std::uint64_t operand(std::uint64_t code, const FormatSpec& f, bool flush) {
  if (!flush || !f.is_subnormal(code)) return code;
  return f.specials == Specials::fnuz ? 0 : code & f.sign_code();
}

Value flushed(const Value& v, bool flush) {
  if (!flush || v.format == nullptr || !v.format->is_subnormal(v.code)) return v;
  return value_of(operand(v.code, *v.format, true), *v.format);
}

// Cut toward zero to a multiple of 2^quantum.
ExactValue<Wide> cut(ExactValue<Wide> x, int quantum) {
  const int down = quantum - x.exponent;
  if (x.kind != Kind::finite || down <= 0) return x;
  x.significand = down >= 128 ? 0 : x.significand >> down << down;
  return x;
}

bool is_zero(const Value& v) { return v.x.kind == Kind::finite && v.x.significand == 0; }
// A number that every rule of nodes of its own format leaves as it is.
bool is_plain(const Value& v, const FormatSpec& format) {
  return v.format != nullptr && v.x.kind == Kind::finite && v.x.significand != 0 && *v.format == format &&
         !format.is_subnormal(v.code);
}

Value zero(bool negative, const FormatSpec& f) {
  Value v;
  v.x.negative = negative;
  v.format = &f;
  v.code = negative ? f.sign_code() : 0;
  v.exponent = f.emin;
  return v;
}

// What needs no arithmetic: most terms of a probe are zeros. Empty for all else.
std::optional<Value> add_zeros(const Value& a, const Value& b, const NodeRule& rule) {
  if (is_zero(a) && is_plain(b, rule.format)) return b;
  if (!is_zero(b)) return std::nullopt;
  if (is_plain(a, rule.format)) return a;
  if (!is_zero(a) || rule.format.specials == Specials::fnuz) return std::nullopt;
  return zero(a.x.negative == b.x.negative ? a.x.negative : rule.rounding == Rounding::toward_negative,
              rule.format);
}

// The exact sum of terms that lie so near each other that 128 bits hold it, as most do; empty otherwise. Zeros as
// ExactSum has them.
std::optional<ExactValue<Wide>> near_sum(const std::vector<ExactValue<Wide>>& terms, Rounding mode) {
  constexpr int room = 120;
  int low = INT_MAX, high = INT_MIN;
  bool minus = false, plus = false;
  for (const ExactValue<Wide>& x : terms) {
    if (x.kind != Kind::finite || x.sticky) return std::nullopt;
    (x.negative ? minus : plus) = true;
    if (x.significand == 0) continue;
    low = std::min(low, x.exponent);
    high = std::max(high, x.exponent + bit_width(x.significand));
  }
  ExactValue<Wide> sum;
  const bool zeros = high == INT_MIN;
  if (!zeros && (high - low > room || terms.size() > 64)) return std::nullopt;
  Wide sums[2] = {0, 0};
  for (const ExactValue<Wide>& x : terms) {
    if (x.significand != 0) sums[x.negative ? 1 : 0] += x.significand << (x.exponent - low);
  }
  sum.negative = sums[0] == sums[1] ? (zeros && !(minus && plus) ? minus : mode == Rounding::toward_negative)
                                    : sums[1] > sums[0];
  sum.significand = sum.negative ? sums[1] - sums[0] : sums[0] - sums[1];
  sum.exponent = zeros ? 0 : low;
  return sum;
}

// Terms cut to a common quantum or not, added exactly, rounded once.
Value add_many(const Value* const* terms, std::size_t n, const NodeRule& rule) {
  thread_local std::vector<ExactValue<Wide>> cuts;
  cuts.clear();
  int top = INT_MIN;
  for (std::size_t i = 0; i < n; ++i) {
    const Value v = flushed(*terms[i], rule.flush_inputs);
    if (v.x.kind == Kind::finite && v.x.significand != 0) top = std::max(top, v.exponent);
    cuts.push_back(v.x);
  }
  if (rule.fraction && top != INT_MIN) {
    for (ExactValue<Wide>& x : cuts) x = cut(x, top - *rule.fraction);
  }
  std::optional<ExactValue<Wide>> sum = near_sum(cuts, rule.rounding);
  if (!sum) {
    ExactSum all;
    for (const ExactValue<Wide>& x : cuts) all.add(x);
    sum = all.result(rule.rounding);
  }
  return rounded(*sum, rule.format, rule.rounding, rule.flush_result);
}

Value add_terms(const Value* const* terms, std::size_t n, const NodeRule& rule) {
  if (n == 2 && !rule.fraction) {
    if (const std::optional<Value> easy = add_zeros(*terms[0], *terms[1], rule)) return *easy;
    const Value a = flushed(*terms[0], rule.flush_inputs), b = flushed(*terms[1], rule.flush_inputs);
    return rounded(wide_sum(a.x, b.x, rule.rounding), rule.format, rule.rounding, rule.flush_result);
  }
  return add_many(terms, n, rule);
}

// The value keeps a pointer to the format of `rule`, which must outlive it.
Value add(const Value* const* terms, std::size_t n, const NodeRule& rule) {
  if (n != 2 || !rule.padded || rule.rounding == Rounding::toward_negative) return add_terms(terms, n, rule);
  // All that +0 changes of a sum that was rounded before: its sign if it is a zero.
  const Value nothing = zero(false, rule.format);
  const auto unsigned_zero = [&](const Value* v) {
    return is_zero(*v) && v->format != nullptr ? &nothing : v;
  };
  const Value* const both[] = {unsigned_zero(terms[0]), unsigned_zero(terms[1])};
  return add_terms(both, 2, rule);
}

// A leaf of a fused node that is added to +0: the +0 is one more term.
bool takes_zero(const Tree& tree, const TreeNode& node) {
  return is_fused(tree, node) && std::any_of(node.children.begin(), node.children.end(), [&](int child) {
           const TreeNode& leaf = tree.nodes[static_cast<std::size_t>(child)];
           return leaf.children.empty() && tree.leaf_rules[static_cast<std::size_t>(leaf.rule)].started;
         });
}

}  // namespace

bool is_fused(const Tree& tree, const TreeNode& node) {
  return node.children.size() > 2 ||
         (node.children.size() == 2 &&
          tree.node_rules[static_cast<std::size_t>(node.rule)].fraction.has_value());
}

void check_tree(const Tree& tree) {
  const auto broken = [](const std::string& why) { throw ContractError("a tree of additions: " + why); };
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
}

std::string canonical_order(const Tree& tree) {
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

std::size_t leaves_below_common(const Tree& tree, int i, int j) {
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

struct Evaluator::State {
  const Tree& tree;
  FormatSpec a, b, c;
  std::vector<Value> values;
  std::vector<const Value*> terms;
  std::vector<int> parent_rule;   // of each node, -1 for the root
  std::vector<char> fused_above;  // of each node: its parent is a fused one
};

Evaluator::Evaluator(const Tree& tree, const FormatSpec& a, const FormatSpec& b, const FormatSpec& c)
    : state_(new State{tree, a, b, c, std::vector<Value>(tree.nodes.size()), {}, {}, {}}) {
  check_tree(tree);
  state_->parent_rule.assign(tree.nodes.size(), -1);
  state_->fused_above.assign(tree.nodes.size(), 0);
  for (const TreeNode& node : tree.nodes) {
    for (const int child : node.children) {
      state_->parent_rule[static_cast<std::size_t>(child)] = node.rule;
      state_->fused_above[static_cast<std::size_t>(child)] = is_fused(tree, node) ? 1 : 0;
    }
  }
}
Evaluator::~Evaluator() = default;

std::uint64_t Evaluator::operator()(const CodeVector& a, const CodeVector* b,
                                    std::optional<std::uint64_t> c) {
  State& s = *state_;
  const Tree& tree = s.tree;
  for (std::size_t at = 0; at < tree.nodes.size(); ++at) {
    const TreeNode& node = tree.nodes[at];
    if (!node.children.empty()) {
      s.terms.clear();
      for (const int child : node.children) s.terms.push_back(&s.values[static_cast<std::size_t>(child)]);
      const NodeRule& rule = tree.node_rules[static_cast<std::size_t>(node.rule)];
      const Value nothing = zero(false, rule.format);
      if (takes_zero(tree, node)) s.terms.push_back(&nothing);
      s.values[at] = add(s.terms.data(), s.terms.size(), rule);
      continue;
    }
    const LeafRule& rule = tree.leaf_rules[static_cast<std::size_t>(node.rule)];
    const auto i = static_cast<std::size_t>(node.leaf);
    Value v;
    if (i == tree.terms) {
      v = flushed(value_of(c.value_or(0), s.c), rule.flush_operands);
    } else if (b == nullptr) {
      v = flushed(value_of(a.code(i), s.a), rule.flush_operands);
    } else {
      const std::uint64_t x = operand(a.code(i), s.a, rule.flush_operands);
      const std::uint64_t y = operand(b->code(i), s.b, rule.flush_operands);
      v.x = wide_product(exact_from_code(x, s.a), exact_from_code(y, s.b));
      v.exponent = exponent_field(x, s.a) + exponent_field(y, s.b);
    }
    if (rule.product) v = rounded(v.x, *rule.product, rule.rounding, rule.flush_result);
    const int above = s.parent_rule[at];
    if (rule.started && !s.fused_above[at] && !tree.node_rules.empty()) {
      const NodeRule& start = tree.node_rules[static_cast<std::size_t>(above < 0 ? 0 : above)];
      const Value nothing = zero(false, start.format);
      const Value* const both[] = {&nothing, &v};
      v = add(both, 2, start);
    }
    s.values[at] = v;
  }
  Value root = s.values.back();
  if (tree.output.started && !tree.node_rules.empty()) {
    const bool leaf = tree.nodes.back().children.empty();
    const NodeRule& last = tree.node_rules[static_cast<std::size_t>(leaf ? 0 : tree.nodes.back().rule)];
    const Value nothing = zero(false, last.format);
    const Value* const both[] = {&nothing, &root};
    root = add(both, 2, NodeRule{last.format, last.rounding, last.flush_inputs, last.flush_result});
  }
  return rounded(root.x, tree.output.format, tree.output.rounding, tree.output.flush).code;
}

}  // namespace assay::diagnose
