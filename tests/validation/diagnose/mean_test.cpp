// A mean: its sum's tree is found through the division, and whether it is one. The kernels are this CPU's own float32
// and float64 instructions.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>

#include "reference/core/error.hpp"
#include "reference/exact/exact_dot.hpp"
#include "reference/formats/encode.hpp"
#include "tests/validation/diagnose/planted.hpp"
#include "validation/judge/saved_arithmetic.hpp"

using namespace assay;
using namespace assay::diagnose_test;
using namespace assay::judge;

namespace {

constexpr std::uint64_t seed = 20240613;

float chain(const std::vector<float>& x) {
  float sum = 0;
  for (const float v : x) sum += v;
  return sum;
}
float divided(const std::vector<float>& x) { return chain(x) / static_cast<float>(x.size()); }
float times_reciprocal(const std::vector<float>& x) { return chain(x) * (1 / static_cast<float>(x.size())); }
float in_lanes(const std::vector<float>& x) {
  float lanes[4] = {0, 0, 0, 0};
  for (std::size_t i = 0; i < x.size(); ++i) lanes[i % 4] += x[i];
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) / static_cast<float>(x.size());
}
float in_double(const std::vector<float>& x) {
  double sum = 0;
  for (const float v : x) sum += double{v};
  return static_cast<float>(sum / static_cast<double>(x.size()));
}
float rounded_first(const std::vector<float>& x) {
  double sum = 0;
  for (const float v : x) sum += double{v};
  return static_cast<float>(sum) / static_cast<float>(x.size());
}

struct Kernel {
  const char* name;
  float (*compute)(const std::vector<float>&);
};
constexpr Kernel kernels[] = {{"divided", divided},
                              {"times the reciprocal", times_reciprocal},
                              {"four lanes", in_lanes},
                              {"float64", in_double},
                              {"float64, rounded before the division", rounded_first}};

Target target_of(float (*compute)(const std::vector<float>&)) {
  return [compute](const Problem& p, std::span<const Case> cases) {
    std::vector<Answer> answers;
    std::vector<float> terms(p.k);
    for (const Case& x : cases) {
      std::memcpy(terms.data(), x.a.data(), x.a.size());
      answers.push_back({encode(double{compute(terms)}, formats::float32).code});
    }
    return answers;
  };
}

Problem problem(std::size_t k) { return {.operation = SumOperation::mean, .k = k}; }

void predict_means(std::span<const Kernel> some, const std::vector<std::size_t>& lengths) {
  for (const Kernel& kernel : some) {
    for (const std::size_t k : lengths) {
      const Target target = target_of(kernel.compute);
      const Revelation r = reveal(problem(k), target);
      const PredictionScore s = score(r, target, seed, 1000);
      BOOST_TEST((s.wrong == 0 && s.without_tree == 0 && s.results >= 3000),
                 kernel.name << " of " << k << ": " << s.wrong << " wrong " << r.classes[0].why_not);
    }
  }
}

void answer_from_what_was_saved(const Kernel& kernel, std::size_t k) {
  const Target target = target_of(kernel.compute);
  const Problem p = problem(k);
  SavedArithmetic saved{.name = "mean", .program = "a test"};
  saved.shapes.push_back({reveal(p, target), {}});
  saved.shapes[0].score = score(saved.shapes[0].revelation, target, seed, 100);
  const std::string text = to_json(saved);
  BOOST_TEST(to_json(parse_saved(text, "here")) == text);
  const auto arithmetic = make_revealed(parse_saved(text, "here"));
  const std::vector<float> ones(k, 1.0F);
  for (std::uint64_t i = 0; i < 100; ++i) {
    const Case x = random_case(p, i % 2 == 0 ? InputKind::normal : InputKind::wide, 5, i);
    const CodeVector a{x.a.data(), k, 1, p.a}, b = code_vector(ones.data(), k);
    const std::uint64_t got = arithmetic->dot(a, b, {});
    BOOST_TEST(got == target(p, std::span(&x, 1)).at(0).at(0));
    const double sum = decode(exact_sum(a).rounded(formats::float64).code, formats::float64);
    const double truth = sum / static_cast<double>(k);
    const double bound =
        tree_bound(saved.shapes[0].revelation.classes[0].tree, a, nullptr, {}, formats::float32);
    BOOST_TEST(std::fabs(decode(got, p.output) - truth) <= bound * (1 + 1e-12));
    if (k == 16) {
      const ExactDot exact = arithmetic->exact(a, b, {});
      BOOST_TEST(decode(exact.value.rounded(formats::float64).code, formats::float64) == truth);
    } else {
      BOOST_CHECK_THROW(arithmetic->exact(a, b, {}), InputError);
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(means_are_predicted) { predict_means(std::span(kernels).last(1), {7}); }
BOOST_AUTO_TEST_CASE(longer_means_are_predicted, *boost::unit_test::label("full")) {
  predict_means(kernels, {1, 2, 3, 32, 100, 129});
  predict_means(std::span(kernels).first(4), {7});
}

BOOST_AUTO_TEST_CASE(the_order_is_that_of_the_sum, *boost::unit_test::label("full")) {
  const Revelation r = reveal(problem(6), target_of(in_lanes));
  BOOST_TEST(canonical_order(r.classes[0].tree) == "(((0+4)+(1+5))+(2+3))");
}
BOOST_AUTO_TEST_CASE(the_order_of_a_chain_is_that_of_its_sum, *boost::unit_test::label("full")) {
  const Revelation r = reveal(problem(6), target_of(divided));
  BOOST_TEST(canonical_order(r.classes[0].tree) == "(((((0+1)+2)+3)+4)+5)");
}

BOOST_AUTO_TEST_CASE(wrong_rules_of_means_mispredict, *boost::unit_test::label("full")) {
  const Target target = target_of(divided);
  const Revelation right = reveal(problem(9), target);
  const auto wrong = [&](const std::optional<MeanRule>& mean) {
    Revelation r = right;
    r.classes[0].tree.output.mean = mean;
    return score(r, target, seed, 1000).wrong;
  };
  BOOST_TEST(wrong(MeanRule{}) == 0u);
  BOOST_TEST(wrong(MeanRule{.reciprocal = true}) > 0u);
  BOOST_TEST(wrong(MeanRule{.rounding = Rounding::toward_zero}) > 0u);
  BOOST_TEST(wrong(MeanRule{.format = formats::bfloat16}) > 0u);
  BOOST_TEST(wrong(std::nullopt) > 0u);
}

BOOST_AUTO_TEST_CASE(a_mean_asked_for_as_a_sum_is_seen) {
  const Target mean = target_of(divided);
  const Revelation r = reveal({.operation = SumOperation::sum, .k = 100}, mean);
  BOOST_TEST(r.classes[0].tree.nodes.empty());
  BOOST_TEST(r.classes[0].why_not.find("is it a mean?") != std::string::npos, r.classes[0].why_not);
}

BOOST_AUTO_TEST_CASE(saved_it_answers_the_same_within_its_bound, *boost::unit_test::label("full")) {
  answer_from_what_was_saved(kernels[1], 16);
}
BOOST_AUTO_TEST_CASE(saved_others_answer_the_same_within_their_bounds, *boost::unit_test::label("full")) {
  answer_from_what_was_saved(kernels[1], 25);
  answer_from_what_was_saved(kernels[4], 16);
  answer_from_what_was_saved(kernels[4], 25);
}
