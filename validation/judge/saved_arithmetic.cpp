#include "validation/judge/saved_arithmetic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/exact/exact_dot.hpp"
#include "reference/exact/tree_evaluator.hpp"
#include "reference/formats/encode.hpp"
#include "validation/judge/own_scaling.hpp"
#include "validation/judge/rules_text.hpp"

namespace assay::judge {
namespace {

class Revealed final : public Arithmetic {
 public:
  Revealed(SavedArithmetic saved, ArithmeticInfo info)
      : Arithmetic(std::move(info)), saved_(std::move(saved)) {}

  // alpha A B + beta C where there are an alpha and a beta.
  ExactDot exact(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c) const override {
    const Problem& p = saved_.shapes.front().revelation.problem;
    if (p.operation == SumOperation::mean) return mean(a);
    if (!p.scaled()) return unskipped(a, b, c);
    ExactDot sum = unskipped(a, b, std::nullopt);
    const ExactValue<std::uint64_t> alpha = assay::exact(p.alpha), beta = assay::exact(p.beta);
    sum.value.multiply(alpha);
    sum.magnitudes = upward::multiply(sum.magnitudes, std::fabs(p.alpha));
    if (c && !p.adds_c() && reads_c()) sum.value.add_product(beta, exact_from_code(*c, info().accumulator));
    if (c && p.adds_c()) {
      sum.value.add_product(beta, exact_from_code(*c, info().accumulator));
      sum.magnitudes = upward::add(
          sum.magnitudes, upward::multiply(std::fabs(p.beta), std::fabs(decode(*c, info().accumulator))));
    }
    return sum;
  }

  double bound(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
               const FormatSpec& output) const override {
    double worst = 0;
    check_ones(b);
    for (const OrderClass& one : shape_of(a.size, {}).revelation.classes) {
      if (one.tree.nodes.empty()) return std::numeric_limits<double>::infinity();
      // Which output these operands belong to is not said here: the largest bound of all trees.
      worst = std::max(worst, tree_bound(one.tree, a, is_sum() ? nullptr : &b, c, info().accumulator));
    }
    (void)output;  // the trees' own
    return worst;
  }

  const SavedArithmetic& saved() const { return saved_; }

 private:
  // No sum of powers of two is a third of one: only where the number of terms is a power of two has a mean a value.
  ExactDot mean(const CodeVector& a) const {
    if (!std::has_single_bit(a.size)) {
      throw InputError(info().name, "",
                       "to be compared by bits (--policy bit-equal): means of " + std::to_string(a.size) +
                           " terms have no exact binary value",
                       "a bound");
    }
    const double share = 1 / static_cast<double>(a.size);
    ExactDot sum{.value = exact_sum(a)};
    sum.value.multiply(assay::exact(share));
    sum.magnitudes = upward::multiply(exact_sum(a, {.magnitudes = true}).magnitude_up(), share);
    return sum;
  }

  // The sum of those terms that are not skipped: zeros stand in the places of the others.
  ExactDot unskipped(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c) const {
    const SkippedTerms skipped = skipped_terms();
    if (skipped == SkippedTerms::none) return Arithmetic::exact(a, b, c);
    const std::size_t width = code_bytes(a.format), other_width = code_bytes(b.format);
    std::vector<std::byte> x(a.size * width), y(b.size * other_width);
    for (std::size_t i = 0; i < a.size; ++i) {
      if (skips_term(skipped, a, b, i)) continue;
      detail::store_code(x.data(), static_cast<std::ptrdiff_t>(i), width, a.code(i));
      detail::store_code(y.data(), static_cast<std::ptrdiff_t>(i), other_width, b.code(i));
    }
    return Arithmetic::exact({x.data(), a.size, 1, a.format}, {y.data(), b.size, 1, b.format}, c);
  }

  // Those that every tree skips: which output is meant is not said here.
  SkippedTerms skipped_terms() const {
    std::optional<SkippedTerms> skipped;
    for (const auto& shape : saved_.shapes) {
      for (const OrderClass& c : shape.revelation.classes) {
        if (c.tree.nodes.empty()) continue;
        if (skipped && *skipped != c.tree.skipped) return SkippedTerms::none;
        skipped = c.tree.skipped;
      }
    }
    return skipped.value_or(SkippedTerms::none);
  }

  bool reads_c() const {
    const std::vector<OrderClass>& classes = saved_.shapes.front().revelation.classes;
    return std::any_of(classes.begin(), classes.end(),
                       [](const OrderClass& c) { return c.tree.scaling && c.tree.scaling->reads_c; });
  }
  bool is_sum() const { return !saved_.shapes.front().revelation.problem.has_b(); }
  void check_ones(const CodeVector& b) const {
    if (!is_sum()) return;
    const std::uint64_t one = encode(1.0, b.format).code;
    for (std::size_t i = 0; i < b.size; ++i) {
      if (b.code(i) != one)
        throw InputError(info().name, "", "sums: it was revealed for them", "products of two operands");
    }
  }

  const SavedArithmetic::Shape& shape_of(std::size_t k,
                                         std::optional<std::pair<std::size_t, std::size_t>> mn) const {
    const SavedArithmetic::Shape* found = nullptr;
    std::string known;
    for (const auto& shape : saved_.shapes) {
      const Problem& p = shape.revelation.problem;
      known += (known.empty() ? "" : " or ") + std::to_string(p.k);
      if (p.k != k) continue;
      if (found == nullptr || (mn && p.m == mn->first && p.n == mn->second)) found = &shape;
    }
    if (found == nullptr)
      throw InputError(info().name, "", fmt::format("sums of {} terms: no other length was revealed", known),
                       fmt::format("{} terms", k));
    return *found;
  }

  const AdditionTree& tree_of(const SavedArithmetic::Shape& shape, std::size_t element) const {
    const Revelation& r = shape.revelation;
    const bool one_tree = r.classes.size() == 1 && r.classes[0].outputs.size() == r.problem.outputs();
    if (!one_tree && element >= r.class_of.size()) {
      throw InputError(info().name, "", "an output of the shape that was revealed: " + to_string(r.problem),
                       "output " + std::to_string(element));
    }
    const int which = one_tree ? 0 : r.class_of[element];
    if (which < 0 || r.classes[static_cast<std::size_t>(which)].tree.nodes.empty()) {
      throw InputError(info().name, "", "an output whose tree was found",
                       "output " + std::to_string(element));
    }
    return r.classes[static_cast<std::size_t>(which)].tree;
  }

  std::uint64_t evaluate(const SavedArithmetic::Shape& shape, const CodeVector& a, const CodeVector& b,
                         std::optional<std::uint64_t> c, std::size_t element) const {
    const AdditionTree& tree = tree_of(shape, element);
    check_ones(b);
    if (c && !saved_.shapes.front().revelation.problem.c)
      throw InputError(info().name, "", "no C: it was revealed without", "one");
    TreeEvaluator one(tree, a.format, b.format, info().accumulator);
    return one(a, is_sum() ? nullptr : &b, c);
  }

  std::uint64_t dot_checked(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                            const FormatSpec& /*output*/, OutputPlace place) const override {
    return evaluate(shape_of(a.size, {}), a, b, c, static_cast<std::size_t>(place.index));
  }
  std::uint64_t step_checked(const CodeVector&, const CodeVector&, std::uint64_t,
                             OutputPlace) const override {
    throw ContractError(info().name + ": a revealed sum has no steps");
  }
  void gemm_checked(const CodeMatrix& a, const CodeMatrix& b, const std::optional<CodeMatrix>& c,
                    const MutableCodeMatrix& d, OutputOrigin origin) const override {
    const SavedArithmetic::Shape& shape = shape_of(a.cols, std::pair(d.rows, d.cols));
    const Problem& p = shape.revelation.problem;
    const bool same_shape = p.m == d.rows && p.n == d.cols;
    if (!same_shape && shape.revelation.classes.size() > 1)
      throw InputError(info().name, "", "the shape that was revealed: " + to_string(p),
                       std::to_string(d.rows) + " x " + std::to_string(d.cols));
    for (std::size_t i = 0; i < d.rows; ++i) {
      for (std::size_t j = 0; j < d.cols; ++j) {
        const std::optional<std::uint64_t> start = c ? std::optional(c->code(i, j)) : std::nullopt;
        d.set(i, j, evaluate(shape, a.row(i), b.column(j), start, origin.place(i, j).index));
      }
    }
  }

  SavedArithmetic saved_;
};

}  // namespace

const SavedArithmetic* saved_of(const Arithmetic& arithmetic) {
  const auto* const revealed = dynamic_cast<const Revealed*>(&arithmetic);
  return revealed == nullptr ? nullptr : &revealed->saved();
}

std::unique_ptr<const Arithmetic> make_revealed(SavedArithmetic saved) {
  if (saved.shapes.empty()) throw ContractError("a revealed arithmetic without a shape");
  const Problem& first = saved.shapes.front().revelation.problem;
  ArithmeticInfo info;
  info.name = saved.name;
  info.family = "revealed";
  info.divisible = false;
  bool right = true;
  std::string lengths;
  for (const auto& shape : saved.shapes) {
    const Problem& p = shape.revelation.problem;
    if (p.operation != first.operation || p.a != first.a || p.b != first.b || p.output != first.output ||
        p.c != first.c || p.alpha != first.alpha || p.beta != first.beta)
      throw ContractError("a revealed arithmetic of several formats, operations, alphas or betas");
    right = right && shape.score.results > 0 && shape.score.wrong == 0 && shape.score.without_tree == 0;
    lengths += (lengths.empty() ? "" : ", ") + std::to_string(p.k);
  }
  info.summary = std::string(operation_name(first.operation)) + " of length " + lengths + ", as " +
                 saved.program + " does";
  info.inputs.emplace_back(first.a, !first.has_b() ? first.a : first.b);
  info.outputs = {first.output};
  if (first.operation == SumOperation::mean) info.scaling = OwnScaling{.mean = true};
  if (first.scaled()) {
    info.scaling =
        OwnScaling{.alpha = first.alpha, .beta = first.c ? std::optional(first.beta) : std::nullopt};
    info.summary += ", " + describe(*info.scaling);
  }
  info.accumulator = first.c.value_or(first.output);
  info.order = "a tree: see the file";
  for (const auto& shape : saved.shapes) {
    for (const OrderClass& c : shape.revelation.classes) {
      if (c.tree.nodes.empty()) continue;
      info.rounding = std::string(rounding_name(c.tree.node_rules.front().rounding));
      info.products = describe(c.tree.leaf_rules.front());
      info.parameters = {
          {"root", describe(c.tree.node_rules[static_cast<std::size_t>(
                       c.tree.nodes.back().children.empty() ? 0 : c.tree.nodes.back().rule)])}};
      for (const LeafRule& l : c.tree.leaf_rules) info.fused = info.fused || !l.product;
      for (const NodeRule& n : c.tree.node_rules) info.flush_results = info.flush_results || n.flush_result;
      if (const std::string text = describe(c.tree.skipped); !text.empty())
        info.parameters.emplace_back("zero terms", text);
    }
  }
  info.nan = "not compared: any NaN is any other";
  info.source = "revealed from " + saved.program;
  info.evidence = right ? Evidence::HW : Evidence::UNV;
  return std::make_unique<Revealed>(std::move(saved), std::move(info));
}

}  // namespace assay::judge
