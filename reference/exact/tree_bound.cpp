// The bound on a tree's error, node by node as addition_tree.cpp evaluates it.
//
// Of every value on its way up three things are kept: how large it can be as computed, how far it can be from the exact
// sum of its leaves, and the largest exponent that an alignment can read from it. Each step adds to the error what it
// can be wrong by itself:
//   rounding  of x: u |x|, or eta where the result is subnormal; u and eta as in error_bound.hpp.
//   flush     of a result that was rounded to a subnormal number: |x|, which is below 2^emin, in the rounding's place.
//             Of an input: as much as it is, and less than its format's 2^emin.
//   factor    alpha, beta, 1/n: what was wrong before is so by as much more. A reciprocal is off by its own rounding.
//   skipped   a term of a zero factor is nothing, whatever the other one is.
//   cut       of a term: as much as it is, and less than the quantum 2^(top - F). `top` is the largest exponent field
//             of a term, not of its value: a product of subnormal operands reads as large as that of normal ones.
// Exact zeros stay exact. Where a step can pass the largest number of its format, there is no bound.
#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/exact/addition_tree.hpp"
#include "reference/exact/error_bound.hpp"
#include "reference/formats/encode.hpp"

namespace assay {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Bounded {
  double most = 0;                     // |computed|, at most
  double error = 0;                    // |computed - exact|, at most
  const FormatSpec* format = nullptr;  // none: an exact product, which nothing flushes
  int exponent = 0;                    // as alignment reads it, at most; where `most` is not 0
};

double power(int e) { return std::ldexp(1.0, std::max(e, -1074)); }  // not below 2^e

int exponent_in(double most, const FormatSpec& f) {
  return most > 0 && most < infinity ? std::max(std::ilogb(most), f.emin) : f.emin;
}
// The field of a code as addition_tree.cpp reads it.
int field_of_code(std::uint64_t code, const FormatSpec& f) {
  return exponent_in(std::fabs(decode(code, f)), f);
}

// One rounding of a number that is x.most at most.
Bounded rounded(Bounded x, const FormatSpec& f, Rounding mode, bool flush) {
  x.format = &f;
  if (x.most > 0) {
    const double one = std::max(upward::multiply(unit_roundoff(f, mode), x.most), underflow_error(f, mode));
    x.error = upward::add(x.error, flush ? std::max(one, std::min(x.most, power(f.emin))) : one);
    x.most = upward::add(x.most, one);
  }
  if (x.most > decode(f.max_finite_code(), f)) x.error = x.most = infinity;
  x.exponent = exponent_in(x.most, f);
  return x;
}

Bounded sum_of(const std::vector<Bounded>& terms, const NodeRule& rule) {
  Bounded sum;
  int top = std::numeric_limits<int>::min();
  for (const Bounded& x : terms) {
    sum.most = upward::add(sum.most, x.most);
    sum.error = upward::add(sum.error, x.error);
    if (x.most > 0) top = std::max(top, x.exponent);
    if (rule.flush_inputs && x.format != nullptr)
      sum.error = upward::add(sum.error, std::min(x.most, power(x.format->emin)));
  }
  if (rule.fraction && sum.most > 0) {
    if (rule.floor) top = std::max(top, *rule.floor);
    const double quantum = power(top - *rule.fraction);
    for (const Bounded& x : terms) sum.error = upward::add(sum.error, std::min(x.most, quantum));
  }
  return rounded(sum, rule.format, rule.rounding, rule.flush_result);
}

class TreeBound {
 public:
  TreeBound(const AdditionTree& tree, const CodeVector& a, const CodeVector* b,
            std::optional<std::uint64_t> c, const FormatSpec& c_format)
      : tree_(tree), a_(a), b_(b), c_(c), c_format_(c_format) {}

  double operator()() const {
    std::vector<Bounded> values(tree_.nodes.size()), terms;
    std::vector<const TreeNode*> above(tree_.nodes.size(), nullptr);
    for (const TreeNode& node : tree_.nodes) {
      for (const int child : node.children) above[static_cast<std::size_t>(child)] = &node;
    }
    const std::vector<char> scaled = sums_times_alpha(tree_);
    for (std::size_t at = 0; at < tree_.nodes.size(); ++at) {
      const TreeNode& node = tree_.nodes[at];
      if (node.children.empty()) {
        values[at] = leaf(node, above[at]);
      } else {
        terms.clear();
        for (const int child : node.children) terms.push_back(values[static_cast<std::size_t>(child)]);
        values[at] = sum_of(terms, node_rule(node.rule));
      }
      if (scaled[at] != 0) values[at] = times_alpha(values[at], at, above[at]);
    }
    const OutputRule& output = tree_.output;
    Bounded root = values.back();
    NodeRule last;  // a value keeps a pointer to its format
    if (output.started && !tree_.node_rules.empty()) {
      last = node_rule(tree_.nodes.back().children.empty() ? 0 : tree_.nodes.back().rule);
      last.fraction.reset();
      root = sum_of({root}, last);
    }
    if (output.mean) root = mean(root, *output.mean);
    return rounded(root, output.format, output.rounding, output.flush).error;
  }

 private:
  const NodeRule& node_rule(int i) const { return tree_.node_rules[static_cast<std::size_t>(i)]; }

  const NodeRule& node_rule_above(const TreeNode* above) const {
    return node_rule(above == nullptr ? 0 : above->rule);
  }

  // A number as it is, before any rule.
  static Bounded number(std::uint64_t code, const FormatSpec& f) {
    const double magnitude = std::fabs(decode(code, f));
    return {magnitude, 0, &f, field_of_code(code, f)};
  }

  Bounded times(Bounded v, double factor, const std::optional<FormatSpec>& to) const {
    const TreeScaling& s = *tree_.scaling;
    if (s.flush && v.format != nullptr)
      v.error = upward::add(v.error, std::min(v.most, power(v.format->emin)));
    const double size = std::fabs(factor);
    v = {upward::multiply(v.most, size), upward::multiply(v.error, size), nullptr,
         v.exponent + (factor == 0 ? 0 : std::ilogb(factor))};
    return to ? rounded(v, *to, s.rounding, s.flush) : v;
  }

  Bounded times_alpha(Bounded v, std::size_t at, const TreeNode* above) const {
    const TreeScaling& s = *tree_.scaling;
    const NodeRule& up = node_rule_above(above);
    const auto round_up_there = [&] { return rounded(v, up.format, up.rounding, up.flush_result); };
    if (v.format == nullptr) v = round_up_there();
    v = times(v, s.alpha, s.alpha_format);
    const bool starts = static_cast<std::size_t>(s.from) == at && above != nullptr;
    return starts && v.format == nullptr ? round_up_there() : v;
  }

  // An operand that alpha may have entered.
  Bounded operand(std::uint64_t code, const FormatSpec& f, AlphaPlace place) const {
    const Bounded v = number(code, f);
    const bool scaled = tree_.scaling && tree_.scaling->place == place;
    return scaled ? times(v, tree_.scaling->alpha, tree_.scaling->alpha_format) : v;
  }

  Bounded mean(Bounded v, const MeanRule& rule) const {
    if (v.format == nullptr || !contains_format(rule.format, *v.format))
      v = rounded(v, rule.format, rule.rounding, false);
    const double nth = std::nextafter(1 / static_cast<double>(tree_.terms), infinity);
    const Bounded share = rounded({nth}, rule.format, rule.rounding, false);
    v = {upward::multiply(v.most, share.most), upward::multiply(v.error, share.most)};
    if (rule.reciprocal)
      v.error = upward::add(
          v.error, upward::multiply(upward::multiply(v.most, share.error), static_cast<double>(tree_.terms)));
    return rounded(v, rule.format, rule.rounding, false);
  }

  Bounded leaf(const TreeNode& node, const TreeNode* above) const {
    const LeafRule& rule = tree_.leaf_rules[static_cast<std::size_t>(node.rule)];
    const auto i = static_cast<std::size_t>(node.leaf);
    const auto flushes = [&](std::uint64_t code, const FormatSpec& f) {
      return rule.flush_operands && f.is_subnormal(code);
    };
    if (i < tree_.terms && b_ != nullptr && skips_term(tree_.skipped, a_, *b_, i)) return {};
    Bounded v;
    bool flushed = false;
    if (i == tree_.terms) {
      v = number(c_.value_or(0), c_format_);
      flushed = flushes(c_.value_or(0), c_format_);
    } else {
      v = operand(a_.code(i), a_.format, AlphaPlace::a);
      flushed = flushes(a_.code(i), a_.format);
      if (b_ != nullptr) {
        const Bounded y = operand(b_->code(i), b_->format, AlphaPlace::b);
        if (!(v.most < infinity && y.most < infinity)) return {infinity, infinity};  // 0 * Inf is NaN
        // |x'y' - xy| <= |x'||y' - y| + |y||x' - x|
        const double error = upward::add(upward::multiply(v.most, y.error),
                                         upward::multiply(upward::add(y.most, y.error), v.error));
        v = {upward::multiply(v.most, y.most), error, nullptr, v.exponent + y.exponent};
        flushed = flushed || flushes(b_->code(i), b_->format);
      }
    }
    if (!(v.most < infinity)) return {infinity, infinity};  // NaN too
    if (flushed) v = {0, upward::add(v.most, v.error), v.format, v.exponent};
    if (i == tree_.terms && tree_.scaling) v = times(v, tree_.scaling->beta, tree_.scaling->beta_format);
    if (rule.product) v = rounded(v, *rule.product, rule.rounding, rule.flush_result);
    // One more term of a node that adds many, and no addition of its own there.
    if (!rule.started || tree_.node_rules.empty() || (above != nullptr && is_fused(tree_, *above))) return v;
    return sum_of({v}, node_rule_above(above));
  }

  const AdditionTree& tree_;
  const CodeVector& a_;
  const CodeVector* b_;
  std::optional<std::uint64_t> c_;
  const FormatSpec& c_format_;
};

}  // namespace

double tree_bound(const AdditionTree& tree, const CodeVector& a, const CodeVector* b,
                  std::optional<std::uint64_t> c, const FormatSpec& c_format) {
  return TreeBound(tree, a, b, c, c_format)();
}

}  // namespace assay
