// The bound of a tree of additions holds for trees, rules and operands drawn at random, subnormal ones among
// them; and it is no guess: what is half as large, or reads exponents another way, is passed.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "reference/exact/exact_dot.hpp"
#include "reference/exact/exact_sum.hpp"
#include "reference/exact/tree_evaluator.hpp"
#include "tests/validation/diagnose/planted.hpp"
#include "validation/diagnose/reveal/rules.hpp"
#include "validation/diagnose/reveal/scaling.hpp"

using namespace assay;
using namespace assay::diagnose_test;

namespace {

enum class Operand { normal, wide, tiny };

// A tree with rules and operands, all a function of an index.
class Sample {
 public:
  // `factors`: with alpha and beta, or as a mean.
  Sample(std::uint64_t index, Operand operands, bool factors = false)
      : random_(20261121, index), operands_(operands) {
    const std::size_t leaves = 1 + below(9);
    tree = random_tree(random_, leaves, 2 + below(4));
    tree.addend = leaves > 1 && one_in(4);
    tree.terms = leaves - (tree.addend ? 1 : 0);
    draw_rules();
    sum = one_in(6);
    a_format = of(inputs);
    b_format = one_in(2) ? a_format : of(inputs);
    c_format = of(nodes);
    for (std::size_t i = 0; i < tree.terms; ++i) {
      store(a_codes, i, a_format);
      store(b_codes, i, b_format);
    }
    if (tree.addend) c_code = code(c_format);
    if (factors) draw_factors();
  }

  CodeVector a() const { return {a_codes.data(), tree.terms, 1, a_format}; }
  CodeVector b() const { return {b_codes.data(), tree.terms, 1, b_format}; }

  // Empty where the result is no number.
  std::optional<double> error() const {
    const CodeVector x = a(), y = b();
    TreeEvaluator evaluate(tree, a_format, b_format, c_format);
    const std::uint64_t got = evaluate(x, sum ? nullptr : &y, c_code);
    if (!tree.output.format.is_finite(got)) return std::nullopt;
    const ExactValue<std::uint64_t> minus =
        exact_from_code(got ^ tree.output.format.sign_code(), tree.output.format);
    ExactSum error = sum ? exact_sum(x) : exact_dot(x, y);
    if (tree.output.mean) {  // n times as much
      const auto n = static_cast<double>(tree.terms);
      error.add_product(exact(n), minus);
      return error.magnitude_up() / n * (1 - 1e-15);
    }
    const TreeScaling one, &scaling = tree.scaling ? *tree.scaling : one;
    error.multiply(exact(scaling.alpha));
    if (c_code) error.add_product(exact(scaling.beta), exact_from_code(*c_code, c_format));
    error.add(minus);
    return error.magnitude_up();
  }
  double bound() const {
    const CodeVector x = a(), y = b();
    return tree_bound(tree, x, sum ? nullptr : &y, c_code, c_format);
  }
  std::string text() const {
    const CodeVector x = a(), y = b();
    std::string text = canonical_order(tree) + (sum ? " sum" : "");
    char line[96];
    for (std::size_t i = 0; i < tree.terms; ++i) {
      std::snprintf(line, sizeof line, " %a*%a", decode(x.code(i), a_format), decode(y.code(i), b_format));
      text += line;
    }
    for (const NodeRule& r : tree.node_rules) text += "; node " + describe(r);
    for (const LeafRule& r : tree.leaf_rules) text += "; leaf " + describe(r);
    return text + "; output " + describe(tree.output) +
           (tree.scaling ? "; " + describe(*tree.scaling, tree) : "");
  }

  AdditionTree tree;
  bool sum = false;
  FormatSpec a_format = formats::float32, b_format = a_format, c_format = a_format;
  std::vector<std::byte> a_codes, b_codes;
  std::optional<std::uint64_t> c_code;

 private:
  static inline const FormatSpec inputs[] = {formats::bfloat16,    formats::float16, formats::float8_e4m3fn,
                                             formats::float8_e5m2, formats::float32, formats::float64};
  static inline const FormatSpec nodes[] = {formats::float32,    formats::float32, formats::float64,
                                            formats::bfloat16,   formats::float16, formats::tf32,
                                            formats::float8_e5m2};

  std::uint64_t below(std::uint64_t n) { return random_.below(n, 1000 + next_++); }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class List>
  auto of(const List& list) -> decltype((list[0])) {
    return list[below(std::size(list))];
  }

  void draw_rules() {
    tree.node_rules.clear();
    tree.leaf_rules.clear();
    for (std::uint64_t i = 0, n = 1 + below(3); i < n; ++i) {
      NodeRule r{of(nodes), of(deterministic_roundings), one_in(4), one_in(4), {}, one_in(6)};
      if (one_in(2)) r.fraction = 2 + static_cast<int>(below(30));
      tree.node_rules.push_back(r);
    }
    for (std::uint64_t i = 0, n = 1 + below(3); i < n; ++i) {
      LeafRule r{{}, of(deterministic_roundings), one_in(4), one_in(4), one_in(4)};
      if (one_in(3)) r.product = of(nodes);
      tree.leaf_rules.push_back(r);
    }
    for (TreeNode& n : tree.nodes)
      n.rule = static_cast<int>(below(n.children.empty() ? tree.leaf_rules.size() : tree.node_rules.size()));
    tree.output = {of(nodes), of(deterministic_roundings), one_in(6), one_in(4)};
  }

  void draw_factors() {
    if (sum) {
      if (!tree.addend) tree.output.mean = MeanRule{of(nodes), of(deterministic_roundings), one_in(2)};
      return;
    }
    const double values[] = {0.7F, -1.5, 3, 0.001F, 1, -2};
    TreeScaling s{.alpha = of(values), .beta = of(values)};
    const AlphaPlace places[] = {AlphaPlace::a, AlphaPlace::b, AlphaPlace::sums, AlphaPlace::sums};
    s.place = of(places);
    s.from = static_cast<int>(below(tree.nodes.size()));
    while (tree.addend && tree.nodes[static_cast<std::size_t>(s.from)].leaf != static_cast<int>(tree.terms))
      s.from = (s.from + 1) % static_cast<int>(tree.nodes.size());
    if (s.place != AlphaPlace::sums || one_in(2)) s.alpha_format = of(nodes);
    if (one_in(2)) s.beta_format = of(nodes);
    s.rounding = of(deterministic_roundings);
    s.flush = one_in(4);
    tree.scaling = s;
  }

  // Any number of the format: near 1; of any exponent; or subnormal, and large as often, so that a product of both is
  // neither.
  std::uint64_t code(const FormatSpec& f) {
    const std::uint64_t sign = one_in(2) ? f.sign_code() : 0;
    const std::uint64_t one = encode(1.0, f).code;
    if (one_in(10)) return sign;
    switch (operands_) {
      case Operand::normal: return sign | (one - f.min_normal_code() + below(2 * f.min_normal_code()));
      case Operand::tiny:
        if (!one_in(3)) return sign | below(f.min_normal_code());
        if (one_in(2)) return sign | (f.max_finite_code() - below(f.min_normal_code()));
        [[fallthrough]];
      case Operand::wide: break;
    }
    return sign | below(f.max_finite_code() + 1);
  }
  void store(std::vector<std::byte>& bytes, std::size_t i, const FormatSpec& f) {
    bytes.resize((i + 1) * code_bytes(f));
    detail::store_code(bytes.data(), static_cast<std::ptrdiff_t>(i), code_bytes(f), code(f));
  }

  CounterRandom random_;
  Operand operands_;
  std::uint64_t next_ = 0;
};

AdditionTree one_node(std::size_t terms) {
  AdditionTree tree;
  tree.terms = terms;
  TreeNode sum;
  for (std::size_t i = 0; i < terms; ++i) {
    tree.nodes.push_back({{}, static_cast<int>(i), 0});
    sum.children.push_back(static_cast<int>(i));
  }
  if (terms > 1) tree.nodes.push_back(sum);
  tree.node_rules = {NodeRule{.format = formats::float64, .fraction = 24}};
  tree.output.format = formats::float64;
  return tree;
}

struct Count {
  std::uint64_t finite = 0, passed = 0, half_passed = 0, results = 0;
  std::string worst;
};

Count count(Operand operands, std::uint64_t samples, bool factors = false) {
  Count c;
  for (std::uint64_t i = 0; i < samples; ++i) {
    const Sample x(i, operands, factors);
    const std::optional<double> error = x.error();
    if (!error) continue;
    ++c.results;
    const double bound = x.bound();
    if (!std::isfinite(bound)) continue;
    ++c.finite;
    if (*error > bound / 2) ++c.half_passed;
    if (*error <= bound) continue;
    if (c.passed++ == 0) {
      char line[96];
      std::snprintf(line, sizeof line,
                    "sample %llu: error %a, bound %a: ", static_cast<unsigned long long>(i), *error, bound);
      c.worst = line + x.text();
    }
  }
  std::fprintf(stderr, "%llu results, %llu bounds finite, %llu passed, %llu passed by half\n",
               static_cast<unsigned long long>(c.results), static_cast<unsigned long long>(c.finite),
               static_cast<unsigned long long>(c.passed), static_cast<unsigned long long>(c.half_passed));
  return c;
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_error_passes_the_bound) {
  for (const Operand operands : {Operand::normal, Operand::wide, Operand::tiny}) {
    const Count c = count(operands, 20000);
    BOOST_TEST(c.passed == 0u, c.worst);
    // Half the bound would not do, and it is infinite only where something might overflow.
    BOOST_TEST(c.half_passed > c.finite / 50);
    BOOST_TEST(c.finite > c.results / 2);
    if (operands == Operand::normal) BOOST_TEST(c.finite == c.results);
  }
}

BOOST_AUTO_TEST_CASE(no_error_passes_the_bound_with_alpha_beta_or_a_mean) {
  for (const Operand operands : {Operand::normal, Operand::wide, Operand::tiny}) {
    const Count c = count(operands, 20000, true);
    BOOST_TEST(c.passed == 0u, c.worst);
    BOOST_TEST(c.half_passed > c.finite / 50);
    BOOST_TEST(c.finite > c.results / 2);
  }
}

BOOST_AUTO_TEST_CASE(a_cut_is_bounded_by_fields_and_not_by_values) {
  // One node that cuts its products 24 places below the largest. The mutant takes that from how large the products are,
  // as if subnormal operands were normalised first.
  std::uint64_t passed = 0, mutant_passed = 0;
  for (std::uint64_t i = 0; i < 20000; ++i) {
    Sample x(i, Operand::tiny);
    const std::size_t terms = x.tree.terms;
    x.sum = false;
    x.c_code.reset();
    x.tree = one_node(terms);
    const std::optional<double> error = x.error();
    if (!error || terms < 2) continue;
    double magnitude = 0;
    const CodeVector a = x.a(), b = x.b();
    for (std::size_t t = 0; t < terms; ++t)
      magnitude += std::fabs(decode(a.code(t), a.format) * decode(b.code(t), b.format));
    const double bound = x.bound();
    if (!std::isfinite(bound) || magnitude == 0) continue;
    const double cut = static_cast<double>(terms) * std::ldexp(1.0, std::ilogb(magnitude) + 2 - 24);
    if (*error > bound) ++passed;
    if (*error > cut + 2 * std::ldexp(magnitude, -53)) ++mutant_passed;
  }
  BOOST_TEST(passed == 0u);
  BOOST_TEST(mutant_passed > 100u);
}
