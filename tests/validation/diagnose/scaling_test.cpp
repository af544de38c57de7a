// Where alpha and beta enter a matrix product is found, whatever the kernel does with them. The kernels are written in
// this CPU's own float32 and float64 instructions: nothing of the model that is tested.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>

#include "reference/core/error.hpp"
#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/encode.hpp"
#include "tests/validation/diagnose/planted.hpp"
#include "validation/diagnose/reveal/asker.hpp"
#include "validation/diagnose/reveal/scaling.hpp"
#include "validation/judge/saved_arithmetic.hpp"

using namespace assay;
using namespace assay::diagnose_test;
using namespace assay::judge;

namespace {

constexpr std::uint64_t seed = 20240611;

struct Terms {
  const float *a, *b;  // k each
  std::size_t k;
  float c;  // +0 where there is none
  bool has_c;
  float alpha, beta;  // beta is 0 where there is no C
};

float chain(const Terms& t, std::size_t begin, std::size_t end) {
  float sum = 0;
  for (std::size_t i = begin; i < end; ++i) sum = std::fma(t.a[i], t.b[i], sum);
  return sum;
}
float started(const Terms& t) { return t.beta == 0 ? 0 : t.beta * t.c; }

// GotoBLAS: C is scaled first, alpha joins each panel's sum to it.
float panels_fused(const Terms& t) {
  float c = started(t);
  for (std::size_t i = 0; i < t.k; i += 10) c = std::fma(t.alpha, chain(t, i, std::min(i + 10, t.k)), c);
  return c;
}
float panels_rounded(const Terms& t) {
  float c = started(t);
  for (std::size_t i = 0; i < t.k; i += 7) c += t.alpha * chain(t, i, std::min(i + 7, t.k));
  return c;
}
// The reference BLAS, A not transposed: temp = alpha B(l, j).
float into_b(const Terms& t) {
  float c = started(t);
  for (std::size_t i = 0; i < t.k; ++i) {
    const float scaled = t.alpha * t.b[i];
    c += scaled * t.a[i];
  }
  return c;
}
float into_a_fused(const Terms& t) {
  float c = started(t);
  for (std::size_t i = 0; i < t.k; ++i) c = std::fma(t.alpha * t.a[i], t.b[i], c);
  return c;
}
// The reference BLAS, A transposed: one sum, then alpha temp + beta C.
float at_the_end(const Terms& t) {
  const float sum = chain(t, 0, t.k);
  if (t.beta == 0) return t.alpha * sum;
  return t.alpha * sum + t.beta * t.c;
}
float end_fused_in_alpha(const Terms& t) {
  return t.beta == 0 ? t.alpha * chain(t, 0, t.k) : std::fma(t.alpha, chain(t, 0, t.k), t.beta * t.c);
}
float end_fused_in_beta(const Terms& t) {
  return t.beta == 0 ? t.alpha * chain(t, 0, t.k) : std::fma(t.beta, t.c, t.alpha * chain(t, 0, t.k));
}
// As tempting as wrong: 0 times NaN.
float reads_c(const Terms& t) {
  return t.has_c ? t.alpha * chain(t, 0, t.k) + t.beta * t.c : t.alpha * chain(t, 0, t.k);
}
float in_double(const Terms& t) {
  double sum = 0;
  for (std::size_t i = 0; i < t.k; ++i) sum += double{t.a[i]} * double{t.b[i]};
  const double end = double{t.alpha} * sum;
  return static_cast<float>(t.beta == 0 ? end : end + double{t.beta} * double{t.c});
}
// Both halves of the sum are scaled before they meet, C comes last.
float halves_then_c(const Terms& t) {
  const float both = t.alpha * chain(t, 0, t.k / 2) + t.alpha * chain(t, t.k / 2, t.k);
  return t.beta == 0 ? both : both + t.beta * t.c;
}

struct Kernel {
  const char* name;
  float (*compute)(const Terms&);
};
constexpr Kernel kernels[] = {{"panels, fused", panels_fused},
                              {"panels, rounded", panels_rounded},
                              {"alpha into B", into_b},
                              {"alpha into A, fused", into_a_fused},
                              {"at the end", at_the_end},
                              {"at the end, fma(alpha, sum, beta C)", end_fused_in_alpha},
                              {"at the end, fma(beta, C, alpha sum)", end_fused_in_beta},
                              {"C is read", reads_c},
                              {"float64", in_double},
                              {"halves, then C", halves_then_c}};

float value(const std::vector<std::byte>& bytes, std::size_t i) {
  float x = 0;
  std::memcpy(&x, bytes.data() + 4 * i, 4);
  return x;
}

Target target_of(float (*compute)(const Terms&)) {
  return [compute](const Problem& p, std::span<const Case> cases) {
    std::vector<Answer> answers;
    std::vector<float> a(p.k), b(p.k);
    for (const Case& x : cases) {
      Answer answer;
      for (std::size_t o = 0; o < p.outputs(); ++o) {
        for (std::size_t i = 0; i < p.k; ++i) {
          a[i] = value(x.a, o / p.n * p.k + i);
          b[i] = value(x.b, i * p.n + o % p.n);
        }
        const Terms terms{a.data(),
                          b.data(),
                          p.k,
                          p.c ? value(x.c, o) : 0,
                          p.c.has_value(),
                          static_cast<float>(p.alpha),
                          p.c ? static_cast<float>(p.beta) : 0};
        answer.push_back(encode(double{compute(terms)}, formats::float32).code);
      }
      answers.push_back(std::move(answer));
    }
    return answers;
  };
}

Problem problem(double alpha, double beta, bool with_c = true, std::size_t k = 24) {
  Problem p{.operation = SumOperation::gemm, .m = 2, .n = 2, .k = k};
  if (with_c) p.c = formats::float32;
  p.alpha = scale_of(p, alpha);
  p.beta = with_c ? scale_of(p, beta) : 1;
  return p;
}

std::string shown(const Revelation& r, const PredictionScore& s) {
  std::string text = to_string(r.problem) + ": " + std::to_string(s.wrong) + " wrong";
  for (const OrderClass& c : r.classes) {
    text += "; " + c.why_not + ' ' + std::to_string(c.training_misses) + " of " + std::to_string(c.training) +
            " not explained; ";
    if (!c.tree.nodes.empty())
      text += canonical_order(c.tree) + ' ' + (c.tree.scaling ? describe(*c.tree.scaling, c.tree) : "");
  }
  return text;
}

Revelation recovered(const Kernel& kernel, const Problem& p) {
  const Target target = target_of(kernel.compute);
  Revelation r = reveal(p, target);
  const PredictionScore s = score(r, target, seed, 400);
  BOOST_TEST((s.wrong == 0 && s.without_tree == 0 && s.results >= 1200), kernel.name << ": " << shown(r, s));
  return r;
}

struct Scales {
  double alpha, beta;
  bool with_c = true;
};
constexpr Scales all_scales[] = {{0.7, 0.3}, {0.7, 0},   {1, 0.3}, {-1.5, 1},       {3, -2},
                                 {2, 0.5},   {-1, -0.1}, {1, 0},   {0.7, 1, false}, {1e-3, 1e3}};

const AdditionTree& tree_of(const Revelation& r) { return r.classes.at(0).tree; }

const auto full = boost::unit_test::label("full");

}  // namespace

BOOST_AUTO_TEST_CASE(every_kernel_is_recovered_with_alpha_and_beta, *full) {
  for (const Kernel& kernel : kernels) recovered(kernel, problem(0.7, 0.3));
}

BOOST_AUTO_TEST_CASE(every_kernel_is_recovered_with_other_alphas_and_betas, *full) {
  for (const Kernel& kernel : kernels) {
    for (const Scales& s : all_scales) recovered(kernel, problem(s.alpha, s.beta, s.with_c));
  }
}

BOOST_AUTO_TEST_CASE(other_lengths_are_recovered, *full) {
  for (const Kernel& kernel : kernels) {
    for (const std::size_t k : {1UL, 2UL, 7UL, 11UL, 100UL}) {
      recovered(kernel, problem(0.7, 0.3, true, k));
      recovered(kernel, problem(0.7, 0, false, k));
    }
  }
}

BOOST_AUTO_TEST_CASE(what_was_found_is_what_the_kernel_does) {
  const auto scaling = [](std::size_t kernel, double alpha, double beta) {
    return *tree_of(recovered(kernels[kernel], problem(alpha, beta))).scaling;
  };
  const TreeScaling fused = scaling(0, 0.7, 0.3), rounded = scaling(1, 0.7, 0.3);
  BOOST_TEST(
      (fused.place == AlphaPlace::sums && !fused.alpha_format && fused.beta_format == formats::float32));
  BOOST_TEST((rounded.place == AlphaPlace::sums && rounded.alpha_format == formats::float32));
  BOOST_TEST((scaling(2, 0.7, 0.3).place == AlphaPlace::b));
  BOOST_TEST((scaling(3, 0.7, 0.3).place == AlphaPlace::a));
  const TreeScaling beta_fused = scaling(6, 0.7, 0.3);
  BOOST_TEST((beta_fused.alpha_format == formats::float32 && !beta_fused.beta_format));
  BOOST_TEST(scaling(7, 0.7, 0).reads_c);
  BOOST_TEST(!scaling(4, 0.7, 0).reads_c);
}

// Other rules for the same tree are found to be wrong: the score can fail.
BOOST_AUTO_TEST_CASE(wrong_rules_mispredict) {
  const Target target = target_of(panels_fused);
  const Revelation right = reveal(problem(0.7, 0.3), target);
  const auto mutant = [&](const std::function<void(TreeScaling&)>& change) {
    Revelation r = right;
    for (OrderClass& c : r.classes) change(*c.tree.scaling);
    return score(r, target, seed, 400).wrong;
  };
  BOOST_TEST(mutant([](TreeScaling&) {}) == 0u);
  BOOST_TEST(mutant([](TreeScaling& s) { s.alpha_format = formats::float32; }) > 0u);
  BOOST_TEST(mutant([](TreeScaling& s) { s.beta_format.reset(); }) > 0u);
  BOOST_TEST(mutant([](TreeScaling& s) { s.alpha = 0.75; }) > 0u);
  BOOST_TEST(mutant([](TreeScaling& s) { s.beta = 0; }) > 0u);
  BOOST_TEST(mutant([](TreeScaling& s) { s.rounding = Rounding::toward_zero; }) > 0u);
  for (const AlphaPlace place : {AlphaPlace::a, AlphaPlace::b}) {
    BOOST_TEST(mutant([&](TreeScaling& s) {
                 s.place = place;
                 s.alpha_format = formats::float32;
               }) > 0u);
  }
}

BOOST_AUTO_TEST_CASE(alpha_and_beta_of_one_leave_the_tree_as_it_was) {
  const Revelation r = recovered(kernels[0], problem(1, 1));
  BOOST_TEST(!tree_of(r).scaling);
}

namespace {

SavedArithmetic saved(const Kernel& kernel, const Problem& p) {
  const Target target = target_of(kernel.compute);
  SavedArithmetic x{.name = "kernel", .program = "a test"};
  x.shapes.push_back({reveal(p, target), {}});
  x.shapes[0].score = score(x.shapes[0].revelation, target, seed, 100);
  return x;
}

}  // namespace

BOOST_AUTO_TEST_CASE(saved_it_answers_the_same, *full) {
  for (const Scales& scales : {Scales{0.7, 0.3}, Scales{0.7, 0}, Scales{-3, 1, false}}) {
    for (const Kernel& kernel : {kernels[0], kernels[2], kernels[4], kernels[7]}) {
      const Problem p = problem(scales.alpha, scales.beta, scales.with_c);
      const SavedArithmetic before = saved(kernel, p);
      const std::string text = to_json(before);
      BOOST_TEST(to_json(parse_saved(text, "here")) == text);
      const auto arithmetic = make_revealed(parse_saved(text, "here"));
      const Target target = target_of(kernel.compute);
      for (std::uint64_t i = 0; i < 50; ++i) {
        const Case x = random_case(p, i % 2 == 0 ? InputKind::normal : InputKind::wide, 5, i);
        const Answer answer = target(p, std::span(&x, 1)).at(0);
        for (std::size_t o = 0; o < 4; ++o) {
          const SumOperands in = operands_of(p, x, o);
          const CodeVector a{in.a.data(), p.k, 1, p.a}, b{in.b.data(), p.k, 1, p.b};
          const auto c = p.c ? std::optional(in.c) : std::nullopt;
          const std::uint64_t got = arithmetic->dot(a, b, c, o);
          BOOST_TEST(got == answer[o]);
          // The truth is alpha A B + beta C: float64 knows it nearly, and the bound holds.
          long double truth = p.adds_c() ? static_cast<long double>(p.beta) * decode(in.c, *p.c) : 0.0L;
          for (std::size_t t = 0; t < p.k; ++t) {
            truth += static_cast<long double>(p.alpha) * decode(a.code(t), p.a) * decode(b.code(t), p.b);
          }
          const ExactDot exact = arithmetic->exact(a, b, c);
          const double rounded = decode(exact.value.rounded(formats::float64).code, formats::float64);
          BOOST_TEST(std::fabs(rounded - static_cast<double>(truth)) <= 1e-14 * exact.magnitudes);
          const double bound = arithmetic->bound(a, b, c, p.output), result = decode(got, p.output);
          if (!std::isfinite(result)) continue;
          BOOST_TEST(std::fabs(result - rounded) <= bound * (1 + 1e-15));
          // Not a bound of everything: a few units in the last place of the largest sums.
          if (std::isfinite(bound)) BOOST_TEST(bound <= 1e-5 * exact.magnitudes + 1e-36);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(damaged_scalings_are_refused) {
  const std::string text = to_json(saved(kernels[0], problem(0.7, 0.3)));
  const auto refused = [&](const std::string& part, const std::string& other) {
    std::string damaged = text;
    const std::size_t at = damaged.rfind(part);
    BOOST_REQUIRE(at != std::string::npos);
    damaged.replace(at, part.size(), other);
    BOOST_CHECK_THROW(parse_saved(damaged, "here"), InputError);
  };
  refused("\"alpha_enters\":\"sums\"", "\"alpha_enters\":\"c\"");
  refused("\"alpha_enters\":\"sums\"", "\"alpha_enters\":\"a\"");  // with a product that is not rounded
  refused("\"from\":", "\"from\":9");
  refused("\"from\":", "\"from\":-");
  refused("\"alpha_product\":\"exact\"", "\"alpha_product\":\"float31\"");
  refused("\"reads_c\":false", "\"reads_c\":0");
  refused("\"scaling\":", "\"scalding\":");
  refused("\"scaling\":{\"alpha\":", "\"scaling\":{\"alpha\":1");
}

BOOST_AUTO_TEST_CASE(alpha_must_enter_every_term_once) {
  AdditionTree tree = tree_of(reveal(problem(0.7, 0.3), target_of(panels_fused)));
  check_tree(tree);
  tree.scaling->from =
      0;  // a term of the first panel: the other terms of it would be scaled, its sum with C as well
  BOOST_CHECK_THROW(check_tree(tree), ContractError);
  tree.scaling->from = static_cast<int>(tree.nodes.size()) - 1;  // the root: C too
  BOOST_CHECK_THROW(check_tree(tree), ContractError);
}

BOOST_AUTO_TEST_CASE(problems_that_cannot_be_asked_are_refused) {
  const auto refused = [](const std::function<void(Problem&)>& change) {
    Problem p = problem(0.7, 0.3);
    change(p);
    BOOST_CHECK_THROW(check_problem(p), InputError);
  };
  refused([](Problem& p) { p.alpha = 0; });
  refused([](Problem& p) { p.alpha = std::numeric_limits<double>::infinity(); });
  refused([](Problem& p) { p.beta = std::nan(""); });
  refused([](Problem& p) { p.c.reset(); });
  refused([](Problem& p) {
    p.operation = SumOperation::dot;
    p.c.reset();
    p.beta = 1;
  });
  BOOST_TEST(scale_of(problem(1, 1), 0.7) == double{0.7F});
  BOOST_TEST(scale_of({.operation = SumOperation::gemm, .a = formats::float64}, 0.7) == 0.7);
}

BOOST_AUTO_TEST_CASE(powers_of_two_lie_on_the_same_side_of_1) {
  const Scales pairs[][2] = {{{0.7, 0}, {0.5, 0}},         {{0.25, 1}, {0.25, 1}},
                             {{3, -2}, {2, -2}},           {{-1.5, 1.1}, {-2, 2}},
                             {{-0.7, -0.1}, {-0.5, -0.5}}, {{-1, 1e-30}, {-1, 0.5}},
                             {{1e30, -1e-3}, {2, -0.5}}};
  for (const auto& [typed, expected] : pairs) {
    const Problem even = with_even_scales(problem(typed.alpha, typed.beta));
    BOOST_TEST(even.alpha == expected.alpha);
    BOOST_TEST(even.beta == expected.beta);
  }
}

namespace {

// As ATLAS: another kernel where alpha is small, and one more where it is negative.
float by_alpha(const Terms& t) {
  if (t.alpha < 0) return into_b(t);
  return std::fabs(t.alpha) < 1 ? panels_fused(t) : at_the_end(t);
}
// Sums toward +Inf; a negative alpha turns what is seen of them round.
float rounded_up(const Terms& t) {
  double sum = 0;
  for (std::size_t i = 0; i < t.k; ++i) {
    const ExactValue<Wide> product = wide_product(exact(double{t.a[i]}), exact(double{t.b[i]}));
    const ExactValue<Wide> exact_sum = wide_sum(product, widened(exact(sum)), Rounding::toward_positive);
    sum = decode(encode(exact_sum, formats::float32, {.rounding = Rounding::toward_positive}).code,
                 formats::float32);
  }
  return t.beta == 0 ? t.alpha * static_cast<float>(sum) : t.alpha * static_cast<float>(sum) + t.beta * t.c;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_kernel_that_branches_on_alpha_is_recovered, *full) {
  const Kernel kernel{"by alpha", by_alpha};
  for (const Scales& s : {Scales{0.7, 0.3}, Scales{1.7, 0.3}, Scales{-0.7, 0.3}, Scales{-1.5, 0}}) {
    const Revelation r = recovered(kernel, problem(s.alpha, s.beta));
    // The order and what it was found with, for people and in the file.
    const Problem even = with_even_scales(r.problem);
    const std::string& how = r.classes.at(0).how;
    BOOST_TEST(how.find(", alpha " + scale_text(even.alpha)) != std::string::npos, how);
    BOOST_TEST((how.find(", beta " + scale_text(even.beta)) != std::string::npos) == (s.beta != 0), how);
    SavedArithmetic file{.name = "kernel", .program = "a test"};
    file.shapes.push_back({r, {}});
    BOOST_TEST(to_json(file).find("\"order_found_with\":{\"alpha\":") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(sides_of_a_rounding_are_found_beside_a_negative_alpha) {
  for (const double alpha : {-1.5, -0.7}) recovered({"rounded up", rounded_up}, problem(alpha, 0, true, 6));
}
