#include "reference/exact/tree_evaluator.hpp"

#include <algorithm>
#include <climits>
#include <cmath>
#include <optional>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/exact/exact_sum.hpp"
#include "reference/exact/rounded_sum.hpp"
#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/encode.hpp"

namespace assay {
namespace {

// A value on its way up. Without a format it is an exact product, which nothing flushes. It is filled where it stays,
// member by member: a copy of one that was just filled waits for those stores, which took half of the time.
struct Value {
  ExactValue<Wide> x{};
  const FormatSpec* format = nullptr;
  std::uint64_t code = 0;  // where there is a format
  int exponent = 0;        // as alignment reads it
  bool absent = false;     // of a skipped term, or a sum of nothing but those
};

// The exponent field of an operand, not normalised: emin for zeros and subnormals.
int exponent_field(std::uint64_t code, const FormatSpec& f) {
  const std::uint64_t binade = (code & f.magnitude_mask()) >> (f.precision - 1);
  return f.emin + (binade == 0 ? 0 : static_cast<int>(binade) - 1);
}

void fill(Value& v, const ExactValue<Wide>& x, const FormatSpec* format, std::uint64_t code, int exponent) {
  v.x.kind = x.kind;
  v.x.negative = x.negative;
  v.x.significand = x.significand;
  v.x.exponent = x.exponent;
  v.x.sticky = x.sticky;
  v.format = format;
  v.code = code;
  v.exponent = exponent;
  v.absent = false;
}
void fill(Value& v, std::uint64_t code, const FormatSpec& f) {
  fill(v, widened(exact_from_code(code, f)), &f, code, exponent_field(code, f));
}
Value value_of(std::uint64_t code, const FormatSpec& f) {
  Value v;
  fill(v, code, f);
  return v;
}

// What is done with results that are subnormal, or about to be.
struct Flush {
  bool results = false;
  Tininess tiny = Tininess::as_stored;
};

// Of those two that look at the exact value; what is tiny as stored, encode() sees.
bool is_tiny(const ExactValue<Wide>& x, const FormatSpec& f, Rounding mode, Tininess tiny) {
  if (tiny == Tininess::as_stored || x.kind != Kind::finite || x.significand == 0) return false;
  const int exponent = x.exponent + bit_width(x.significand) - 1;
  if (exponent >= f.emin) return false;
  // What lies in the binade below rounds up to 2^emin or stays there; what lies lower comes to its lower end at most.
  if (tiny == Tininess::before_rounding || exponent + 1 < f.emin) return true;
  FormatSpec unlimited = f;
  --unlimited.emin;
  const std::uint64_t code = encode(x, unlimited, {.rounding = mode}).code & f.magnitude_mask();
  return code < 2 * f.min_normal_code();
}

Value zero(bool negative, const FormatSpec& f) {
  Value v;
  v.x.negative = negative && f.specials != Specials::fnuz;
  v.format = &f;
  v.code = v.x.negative ? f.sign_code() : 0;
  v.exponent = f.emin;
  return v;
}

EncodeOptions options_of(Rounding mode, const Flush& flush) {
  EncodeOptions options{.rounding = mode};
  if (flush.results && flush.tiny == Tininess::as_stored) options.subnormals = Subnormals::flush_result;
  return options;
}

void fill(Value& v, const Encoded& result, const FormatSpec& f, bool infinite) {
  const bool to_infinity = infinite && result.overflow && f.has_infinity();
  fill(v, to_infinity ? f.infinity_code() | (result.code & f.sign_code()) : result.code, f);
}

// `v` may hold `x`.
void round_into(Value& v, const ExactValue<Wide>& x, const FormatSpec& f, Rounding mode, const Flush& flush,
                bool infinite = false) {
  if (flush.results && is_tiny(x, f, mode, flush.tiny)) {
    v = zero(x.negative, f);
  } else {
    fill(v, encode(x, f, options_of(mode, flush)), f, infinite);
  }
}
void round_into(Value& v, const ExactValue<Wide>& x, const NodeRule& rule, Tininess tiny) {
  round_into(v, x, rule.format, rule.rounding, {rule.flush_result, tiny}, rule.infinite);
}
Value rounded(const ExactValue<Wide>& x, const FormatSpec& f, Rounding mode, const Flush& flush) {
  Value v;
  round_into(v, x, f, mode, flush);
  return v;
}

std::uint64_t operand(std::uint64_t code, const FormatSpec& f, bool flush) {
  return flush ? flushed_code(code, f) : code;
}

// A zero in the place of what is subnormal in its format.
void flush_subnormal(Value& v) {
  if (v.format != nullptr && v.format->is_subnormal(v.code))
    fill(v, flushed_code(v.code, *v.format), *v.format);
}
// `v`, or `room` filled with what flushing makes of it.
const Value& flushed(const Value& v, bool flush, Value& room) {
  if (!flush || v.format == nullptr || !v.format->is_subnormal(v.code)) return v;
  fill(room, flushed_code(v.code, *v.format), *v.format);
  return room;
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
  return v.format != nullptr && v.x.kind == Kind::finite && v.x.significand != 0 &&
         (v.format == &format || *v.format == format) && !format.is_subnormal(v.code);
}

// What needs no arithmetic: most terms of a probe are zeros. False for all else.
bool add_zeros(Value& sum, const Value& a, const Value& b, const NodeRule& rule) {
  const bool zero_a = is_zero(a), zero_b = is_zero(b);
  if (zero_a && zero_b) {
    if (rule.format.specials == Specials::fnuz) return false;
    const bool negative =
        a.x.negative == b.x.negative ? a.x.negative : rule.rounding == Rounding::toward_negative;
    fill(sum, negative ? rule.format.sign_code() : 0, rule.format);
    return true;
  }
  if (!zero_a && !zero_b) return false;
  const Value& other = zero_a ? b : a;
  if (!is_plain(other, rule.format)) return false;
  fill(sum, other.x, other.format, other.code, other.exponent);
  return true;
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
void add_many(Value& result, const Value* const* terms, std::size_t n, const NodeRule& rule, Tininess tiny) {
  thread_local std::vector<ExactValue<Wide>> cuts;
  cuts.clear();
  int top = INT_MIN;
  Value room;
  for (std::size_t i = 0; i < n; ++i) {
    const Value& v = flushed(*terms[i], rule.flush_inputs, room);
    if (v.x.kind == Kind::finite && v.x.significand != 0) top = std::max(top, v.exponent);
    cuts.push_back(v.x);
  }
  if (rule.fraction && top != INT_MIN) {
    if (rule.floor) top = std::max(top, *rule.floor);
    for (ExactValue<Wide>& x : cuts) x = cut(x, top - *rule.fraction);
  }
  std::optional<ExactValue<Wide>> sum = near_sum(cuts, rule.rounding);
  if (!sum) {
    ExactSum all;
    for (const ExactValue<Wide>& x : cuts) all.add(x);
    sum = all.result(rule.rounding);
  }
  round_into(result, *sum, rule, tiny);
}

void add_terms(Value& sum, const Value* const* terms, std::size_t n, const NodeRule& rule, Tininess tiny) {
  if (n != 2 || rule.fraction) {
    add_many(sum, terms, n, rule, tiny);
    return;
  }
  if (add_zeros(sum, *terms[0], *terms[1], rule)) return;
  Value rooms[2];
  const Value& a = flushed(*terms[0], rule.flush_inputs, rooms[0]);
  const Value& b = flushed(*terms[1], rule.flush_inputs, rooms[1]);
  const Flush flush{rule.flush_result, tiny};
  if (flush.results && tiny != Tininess::as_stored) {
    round_into(sum, wide_sum(a.x, b.x, rule.rounding), rule, tiny);
  } else {
    fill(sum, rounded_sum(a.x, b.x, rule.format, options_of(rule.rounding, flush)), rule.format,
         rule.infinite);
  }
}

// `sum` is none of the terms. It keeps a pointer to the format of `rule`, which must outlive it.
void add(Value& sum, const Value* const* terms, std::size_t n, const NodeRule& rule, Tininess tiny) {
  if (n != 2 || !rule.padded || rule.rounding == Rounding::toward_negative) {
    add_terms(sum, terms, n, rule, tiny);
    return;
  }
  // All that +0 changes of a sum that was rounded before: its sign if it is a zero.
  const Value nothing = zero(false, rule.format);
  const auto unsigned_zero = [&](const Value* v) {
    return is_zero(*v) && v->format != nullptr ? &nothing : v;
  };
  const Value* const both[] = {unsigned_zero(terms[0]), unsigned_zero(terms[1])};
  add_terms(sum, both, 2, rule, tiny);
}

// A leaf of a fused node that is added to +0: the +0 is one more term.
bool takes_zero(const AdditionTree& tree, const TreeNode& node) {
  return is_fused(tree, node) && std::any_of(node.children.begin(), node.children.end(), [&](int child) {
           const TreeNode& leaf = tree.nodes[static_cast<std::size_t>(child)];
           return leaf.children.empty() && tree.leaf_rules[static_cast<std::size_t>(leaf.rule)].started;
         });
}

// Times alpha or beta.
Value times(const Value& v, double factor, const std::optional<FormatSpec>& to, const TreeScaling& s,
            Tininess tiny) {
  const std::uint64_t code = operand(v.code, *v.format, s.flush);
  const ExactValue<Wide> x = wide_product(exact_from_code(code, *v.format), exact(factor));
  if (to) return rounded(x, *to, s.rounding, {s.flush, tiny});
  Value product;
  product.x = x;
  product.exponent = exponent_field(code, *v.format) + (factor == 0 ? 0 : std::ilogb(factor));
  return product;
}

// A division takes operands of its own format.
Value divided(Value v, std::size_t n, const MeanRule& rule) {
  if (!contains_format(rule.format, *v.format)) v = rounded(v.x, rule.format, rule.rounding, {});
  const ExactValue<std::uint64_t> x = exact_from_code(v.code, *v.format);
  if (!rule.reciprocal) return rounded(wide_quotient(x, n), rule.format, rule.rounding, {});
  const Value reciprocal = rounded(wide_quotient(exact(1.0), n), rule.format, rule.rounding, {});
  return rounded(wide_product(x, exact_from_code(reciprocal.code, *reciprocal.format)), rule.format,
                 rule.rounding, {});
}

// The code that the output gets.
std::uint64_t stored(const ExactValue<Wide>& x, const OutputRule& rule, Tininess tiny) {
  const FormatSpec& f = rule.format;
  const bool stays_finite = rule.overflow == OutputOverflow::saturated ||
                            (rule.overflow == OutputOverflow::largest && x.kind == Kind::finite);
  if (stays_finite && encode(x, f, {.rounding = rule.rounding}).overflow)
    return encode(x, f, {.rounding = rule.rounding, .overflow = Overflow::saturate}).code;
  if (stays_finite && x.kind == Kind::infinite) return f.max_finite_code() | (x.negative ? f.sign_code() : 0);
  Value v;
  round_into(v, x, f, rule.rounding, {rule.flush, tiny}, rule.overflow == OutputOverflow::infinite);
  return v.code;
}

}  // namespace

struct TreeEvaluator::State {
  const AdditionTree& tree;
  FormatSpec a, b, c;
  std::vector<Value> values;
  std::vector<const Value*> terms;
  std::vector<int> parent_rule;   // of each node, -1 for the root
  std::vector<char> fused_above;  // of each node: its parent is a fused one
  std::vector<char> scaled;       // of each node: alpha multiplies it
  std::vector<char> started;      // of each node: it is a sum with one more term, +0
  double alpha = 1, beta = 1;

  const NodeRule& rule_above(std::size_t at) const {
    return tree.node_rules[static_cast<std::size_t>(std::max(parent_rule[at], 0))];
  }

  void product(Value& v, std::size_t i, const LeafRule& rule, const CodeVector& x,
               const CodeVector& y) const {
    std::uint64_t codes[] = {operand(x.code(i), a, rule.flush_operands),
                             operand(y.code(i), b, rule.flush_operands)};
    const FormatSpec* formats[] = {&a, &b};
    if (const auto& s = tree.scaling; s && s->place != AlphaPlace::sums) {
      const int one = s->place == AlphaPlace::a ? 0 : 1;
      const Value scaled_one =
          times(value_of(codes[one], *formats[one]), alpha, s->alpha_format, *s, tree.tiny);
      codes[one] = scaled_one.code;
      formats[one] = scaled_one.format;
    }
    const ExactValue<std::uint64_t> factors[] = {exact_from_code(codes[0], *formats[0]),
                                                 exact_from_code(codes[1], *formats[1])};
    fill(v, wide_product(factors[0], factors[1]), nullptr, 0,
         exponent_field(codes[0], *formats[0]) + exponent_field(codes[1], *formats[1]));
    v.absent = skips(tree.skipped, factors[0].is_zero(), factors[1].is_zero());
  }

  void addend(Value& v, const LeafRule& rule, std::optional<std::uint64_t> code) const {
    fill(v, code.value_or(0), c);
    if (rule.flush_operands) flush_subnormal(v);
    if (tree.scaling) v = times(v, beta, tree.scaling->beta_format, *tree.scaling, tree.tiny);
  }

  // What a node comes to, of its children's values.
  void sum(Value& result, std::size_t at) {
    const TreeNode& node = tree.nodes[at];
    const NodeRule& rule = tree.node_rules[static_cast<std::size_t>(node.rule)];
    terms.clear();
    for (const int child : node.children) {
      const Value& v = values[static_cast<std::size_t>(child)];
      if (!v.absent) terms.push_back(&v);
    }
    Value nothing;
    if (started[at] != 0) {
      nothing = zero(false, rule.format);
      terms.push_back(&nothing);
    }
    if (terms.size() == node.children.size() || terms.size() > 1) {
      add(result, terms.data(), terms.size(), rule, tree.tiny);
    } else if (terms.empty()) {
      result = values[static_cast<std::size_t>(node.children.front())];
    } else if (terms.front()->format == nullptr) {
      round_into(result, terms.front()->x, rule, tree.tiny);
    } else {
      result = *terms.front();
    }
  }

  // What node `at` comes to after alpha.
  void times_alpha(std::size_t at, Value& v) const {
    const TreeScaling& s = *tree.scaling;
    if (v.format == nullptr) round_into(v, v.x, rule_above(at), tree.tiny);
    v = times(v, alpha, s.alpha_format, s, tree.tiny);
    const bool starts = static_cast<std::size_t>(s.from) == at && at + 1 < tree.nodes.size();
    if (starts && v.format == nullptr) round_into(v, v.x, rule_above(at), tree.tiny);
  }
};

TreeEvaluator::TreeEvaluator(const AdditionTree& tree, const FormatSpec& a, const FormatSpec& b,
                             const FormatSpec& c)
    : state_(new State{tree, a, b, c, std::vector<Value>(tree.nodes.size()), {}, {}, {}, {}, {}}) {
  check_tree(tree);
  if (tree.scaling) {
    state_->scaled = sums_times_alpha(tree);
    set_scales(tree.scaling->alpha, tree.scaling->beta);
  }
  state_->parent_rule.assign(tree.nodes.size(), -1);
  state_->fused_above.assign(tree.nodes.size(), 0);
  for (const TreeNode& node : tree.nodes) {
    state_->started.push_back(!node.children.empty() && takes_zero(tree, node) ? 1 : 0);
    for (const int child : node.children) {
      state_->parent_rule[static_cast<std::size_t>(child)] = node.rule;
      state_->fused_above[static_cast<std::size_t>(child)] = is_fused(tree, node) ? 1 : 0;
    }
  }
}
TreeEvaluator::~TreeEvaluator() = default;

void TreeEvaluator::set_scales(double alpha, double beta) {
  if (!state_->tree.scaling) throw ContractError("a tree without alpha and beta");
  state_->alpha = alpha;
  state_->beta = beta;
}

std::uint64_t TreeEvaluator::operator()(const CodeVector& a, const CodeVector* b,
                                        std::optional<std::uint64_t> c) {
  State& s = *state_;
  const AdditionTree& tree = s.tree;
  for (std::size_t at = 0; at < tree.nodes.size(); ++at) {
    const TreeNode& node = tree.nodes[at];
    Value& v = s.values[at];
    if (!node.children.empty()) {
      s.sum(v, at);
      if (tree.scaling && s.scaled[at] && !v.absent) s.times_alpha(at, v);
      continue;
    }
    const LeafRule& rule = tree.leaf_rules[static_cast<std::size_t>(node.rule)];
    const auto i = static_cast<std::size_t>(node.leaf);
    if (i == tree.terms) {
      s.addend(v, rule, c);
    } else if (b == nullptr) {
      fill(v, a.code(i), s.a);
      if (rule.flush_operands) flush_subnormal(v);
    } else {
      s.product(v, i, rule, a, *b);
    }
    if (rule.product && !v.absent)
      round_into(v, v.x, *rule.product, rule.rounding, {rule.flush_result, tree.tiny});
    const int above = s.parent_rule[at];
    if (rule.started && !s.fused_above[at] && !tree.node_rules.empty()) {
      const NodeRule& start = tree.node_rules[static_cast<std::size_t>(above < 0 ? 0 : above)];
      const Value nothing = zero(false, start.format);
      if (v.absent) {
        v = nothing;
      } else {
        const Value term = v;
        const Value* const both[] = {&nothing, &term};
        add(v, both, 2, start, tree.tiny);
      }
    }
    if (tree.scaling && s.scaled[at] && !v.absent) s.times_alpha(at, v);
  }
  Value root = s.values.back().absent ? zero(false, tree.output.format) : s.values.back();
  // The root's own rule once more; the value keeps a pointer to its format.
  NodeRule last;
  if (!tree.node_rules.empty()) {
    const TreeNode& top = tree.nodes.back();
    last = tree.node_rules[static_cast<std::size_t>(top.children.empty() ? 0 : top.rule)];
    last.fraction.reset();
    last.padded = false;
  }
  const auto add_to_root = [&](const Value& more) {
    const Value before = root;
    const Value* const both[] = {&more, &before};
    add(root, both, 2, last, tree.tiny);
  };
  if (tree.output.started && !tree.node_rules.empty()) {
    add_to_root(zero(false, tree.output.format));
  }
  if (tree.scaling && tree.scaling->reads_c && c && !tree.addend && !tree.node_rules.empty()) {
    add_to_root(times(value_of(*c, s.c), s.beta, std::nullopt, *tree.scaling, tree.tiny));
  }
  if (tree.output.mean) {
    if (root.format == nullptr)
      root = rounded(root.x, tree.output.mean->format, tree.output.mean->rounding, {});
    root = divided(root, tree.terms, *tree.output.mean);
  }
  return stored(root.x, tree.output, tree.tiny);
}

}  // namespace assay
