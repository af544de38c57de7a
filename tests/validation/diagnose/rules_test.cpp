// Rules that few results show: results narrower than the sum, results flushed near the smallest normal number, terms
// that are skipped. What is planted is computed by this CPU's own arithmetic, or by a chain whose results are rounded
// once more here.
#include <immintrin.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <limits>

#include "reference/core/error.hpp"
#include "reference/exact/tree_evaluator.hpp"
#include "reference/formats/encode.hpp"
#include "tests/validation/diagnose/planted.hpp"
#include "validation/diagnose/reveal/rules.hpp"
#include "validation/judge/saved_arithmetic.hpp"
#include "validation/report/tree_picture.hpp"

using namespace assay;
using namespace assay::diagnose_test;
using namespace assay::judge;

namespace {

constexpr std::uint64_t seed = 20261129;

// A difference that a person needs to see.
std::string shown(const Revelation& r, const PredictionScore& s) {
  std::string text = to_string(r.problem) + ": " + std::to_string(s.wrong) + " of " +
                     std::to_string(s.results) + " wrong, " + std::to_string(unexplained(r)) +
                     " not explained";
  for (const OrderClass& c : r.classes) {
    text += "; " + c.why_not + '\n' + draw_text(c.tree);
    for (const NodeRule& rule : c.tree.node_rules) text += "node " + describe(rule) + '\n';
  }
  for (const Misprediction& m : s.first) {
    text += std::string(input_kind_name(m.kind)) + ' ' + std::to_string(m.index) + ": got " +
            std::to_string(m.got) + ", predicted " + std::to_string(m.predicted) + '\n';
  }
  return text;
}

struct Found {
  Revelation revelation;
  PredictionScore score;
  const AdditionTree& tree() const { return revelation.classes.at(0).tree; }
  bool right() const { return score.wrong == 0 && score.without_tree == 0; }
  // What a person would be told.
  bool says_predicted() const { return right() && unexplained(revelation) == 0; }
};

Found found(const Problem& p, const Target& target, std::uint64_t results) {
  Found f{reveal(p, target), {}};
  f.score = score(f.revelation, target, seed, results);
  return f;
}

// --- narrower results -------------------------------------------------------------------------------------

struct Narrow {
  const char* sum;
  FormatSpec wide, output;
  Rounding mode;
  std::size_t k;
};

// The chain's result in its accumulator's format, rounded once more.
Target rounded_to_output(const Arithmetic& sum, const FormatSpec& wide, Rounding mode) {
  return [&sum, wide, mode](const Problem& p, std::span<const Case> cases) {
    Problem before = p;
    before.output = wide;
    std::vector<Answer> answers = target_of(sum)(before, cases);
    for (Answer& answer : answers) {
      for (std::uint64_t& code : answer) code = convert(code, wide, p.output, {.rounding = mode}).code;
    }
    return answers;
  };
}

Problem narrow_problem(const FormatSpec& inputs, const FormatSpec& output, std::size_t k) {
  return {.operation = SumOperation::dot, .k = k, .a = inputs, .b = inputs, .output = output};
}

// Recovered, or said not to be: never PREDICTED by rules that are wrong in other results.
struct Tally {
  std::size_t tried = 0, recovered = 0, refused = 0, wrong = 0;
  std::string first{};
};
void plant(Tally& tally, const char* sum, const FormatSpec& wide, const Problem& p, Rounding mode,
           std::uint64_t results) {
  const Target target = rounded_to_output(chains().find(sum), wide, mode);
  const Found few = found(p, target, 300);
  const PredictionScore many = score(few.revelation, target, seed + 1, results);
  ++tally.tried;
  const bool right = many.wrong == 0 && many.without_tree == 0;
  if (few.says_predicted() && !right) ++tally.wrong;
  (few.right() && right ? tally.recovered : tally.refused) += 1;
  if (few.right() && right) return;
  const std::string text = std::string(sum) + " stored " + std::string(rounding_name(mode)) + ": " +
                           shown(few.revelation, few.score) + std::to_string(many.wrong) + " of " +
                           std::to_string(many.results) + " of others wrong";
  if (tally.first.empty()) tally.first = text;
  std::fprintf(stderr, "%s\n", text.c_str());
}

const FormatSpec narrow_formats[] = {formats::bfloat16,      formats::float16,       formats::tf32,
                                     formats::float8_e5m2,   formats::float8_e4m3fn, formats::float6_e3m2fn,
                                     formats::float6_e2m3fn, formats::float4_e2m1fn};

const auto full = boost::unit_test::label("full"), exhaustive = boost::unit_test::label("exhaustive");

}  // namespace

BOOST_AUTO_TEST_CASE(a_sum_that_is_stored_in_a_narrower_format, *full) {
  Tally tally;
  for (const std::size_t k : {1UL, 2UL, 3UL, 9UL}) {
    for (const Rounding mode : {Rounding::toward_zero, Rounding::nearest_away}) {
      plant(tally, "chain_f32", formats::float32, narrow_problem(formats::float32, formats::bfloat16, k),
            mode, 10000);
    }
  }
  plant(tally, "chain_f32_fused", formats::float32, narrow_problem(formats::float16, formats::float16, 2),
        Rounding::toward_zero, 10000);
  BOOST_TEST(tally.wrong == 0u, tally.first);
  BOOST_TEST(tally.recovered == tally.tried, tally.first);
}

// What becomes of sums that the output does not hold.
void find_overflow_rules(const std::vector<FormatSpec>& outputs) {
  const auto stored = [](std::uint64_t code, const FormatSpec& f, Rounding mode, OutputOverflow overflow) {
    const double x = decode(code, formats::float32);
    const Encoded e = encode(x, f, {.rounding = mode});
    const std::uint64_t sign = std::signbit(x) && f.specials != Specials::fnuz ? f.sign_code() : 0;
    const bool largest = overflow == OutputOverflow::saturated || overflow == OutputOverflow::largest;
    if (std::isinf(x) && overflow == OutputOverflow::saturated) return sign | f.max_finite_code();
    if (!e.overflow || std::isnan(x)) return e.code;
    return sign | (largest                                ? f.max_finite_code()
                   : overflow == OutputOverflow::infinite ? f.infinity_code()
                                                          : e.code & ~f.sign_code());
  };
  for (const FormatSpec& output : outputs) {
    for (const Rounding mode : {Rounding::nearest_even, Rounding::toward_zero}) {
      for (const OutputOverflow overflow : all_output_overflows) {
        if (overflow == OutputOverflow::infinite && mode == Rounding::nearest_even) continue;
        const Problem p = narrow_problem(formats::float32, output, 6);
        const Target target = [&](const Problem& asked, std::span<const Case> cases) {
          Problem before = asked;
          before.output = formats::float32;
          std::vector<Answer> answers = target_of(chains().find("chain_f32"))(before, cases);
          for (Answer& answer : answers) {
            for (std::uint64_t& code : answer) code = stored(code, output, mode, overflow);
          }
          return answers;
        };
        const Found f = found(p, target, 2000);
        const std::string name = std::string(output.dtype) + ' ' + std::string(rounding_name(mode)) + ' ' +
                                 std::string(output_overflow_name(overflow));
        BOOST_TEST(f.right(), name + shown(f.revelation, f.score));
        const auto& classes = f.revelation.classes;
        const bool named = classes.size() == 1 && classes[0].tree.output.overflow == overflow;
        // Rounded toward zero a finite sum is never beyond the largest number; of float32's range none overflows.
        const bool alike = mode == Rounding::toward_zero &&
                           (overflow == OutputOverflow::largest ||
                            (overflow == OutputOverflow::infinite && output == formats::bfloat16));
        BOOST_TEST((named || alike), name + shown(f.revelation, f.score));
        SavedArithmetic saved{.name = "stored", .program = "./it", .environment = {}, .shapes = {}};
        saved.shapes.push_back({f.revelation, f.score});
        const SavedArithmetic back = parse_saved(to_json(saved), "a test");
        BOOST_TEST((back.shapes[0].revelation.classes[0].tree.output == classes[0].tree.output), name);
      }
    }
  }
}
BOOST_AUTO_TEST_CASE(overflows_of_the_output_are_rules, *full) { find_overflow_rules({formats::float16}); }
BOOST_AUTO_TEST_CASE(overflows_of_other_outputs_are_rules, *boost::unit_test::label("full")) {
  find_overflow_rules({formats::bfloat16, formats::float8_e5m2});
}

namespace {

// Every narrower format, every rounding, every `step`-th of the lengths and sums.
void store_narrowly(std::size_t step) {
  Tally tally;
  const std::size_t lengths[] = {1, 2, 3, 5, 8, 17, 40};
  const char* const sums[] = {"chain_f32", "chain_f32_fused", "lanes4_f32", "pairwise_f32"};
  std::size_t at = 0;
  for (const FormatSpec& output : narrow_formats) {
    for (const Rounding mode : deterministic_roundings) {
      for (const std::size_t k : lengths) {
        if (++at % step != 0) continue;
        const FormatSpec& inputs = at % 3 == 2 ? formats::bfloat16 : formats::float32;
        plant(tally, sums[at % std::size(sums)], formats::float32, narrow_problem(inputs, output, k), mode,
              2000);
      }
    }
  }
  std::fprintf(stderr, "%zu recovered, %zu refused, %zu wrong of %zu\n", tally.recovered, tally.refused,
               tally.wrong, tally.tried);
  BOOST_TEST(tally.wrong == 0u, tally.first);
}

}  // namespace

BOOST_AUTO_TEST_CASE(sums_in_narrower_formats_by_every_rounding, *full) { store_narrowly(5); }
BOOST_AUTO_TEST_CASE(sums_in_every_narrower_format_by_every_rounding, *exhaustive) { store_narrowly(1); }

// --- this CPU's own arithmetic ----------------------------------------------------------------------------

namespace {

float value(const std::vector<std::byte>& bytes, std::size_t i) {
  float x = 0;
  std::memcpy(&x, bytes.data() + 4 * i, 4);
  return x;
}

// Of float32, an output at a time: (a, b, k, c).
using Kernel = float (*)(const float*, const float*, std::size_t, float);

Target native(Kernel kernel) {
  return [kernel](const Problem& p, std::span<const Case> cases) {
    std::vector<Answer> answers;
    std::vector<float> a(p.k), b(p.k);
    for (const Case& x : cases) {
      Answer answer;
      for (std::size_t o = 0; o < p.outputs(); ++o) {
        for (std::size_t i = 0; i < p.k; ++i) {
          a[i] = value(x.a, o / p.n * p.k + i);
          b[i] = value(x.b, i * p.n + o % p.n);
        }
        const float result = kernel(a.data(), b.data(), p.k, p.c ? value(x.c, o) : 0);
        std::uint32_t code = 0;
        std::memcpy(&code, &result, 4);
        answer.push_back(code);
      }
      answers.push_back(std::move(answer));
    }
    return answers;
  };
}

// The reference BLAS: a factor is tested, a term of zero never computed.
template <bool by_a, bool by_b>
float skipping(const float* a, const float* b, std::size_t k, float c) {
  float sum = c;
  for (std::size_t i = 0; i < k; ++i) {
    if ((by_a && a[i] == 0) || (by_b && b[i] == 0)) continue;
    sum += a[i] * b[i];
  }
  return sum;
}

// With the bits of MXCSR that flush results (FTZ) and operands (DAZ) set; volatile, so that nothing is computed before
// they are.
template <unsigned bits>
float flushing(const float* a, const float* b, std::size_t k, float c) {
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | bits);
  volatile float sum = c;
  for (std::size_t i = 0; i < k; ++i) {
    volatile float x = a[i], y = b[i];
    volatile float product = x * y;
    sum = sum + product;
  }
  _mm_setcsr(before);
  return sum;
}
constexpr unsigned ftz = 0x8000, daz = 0x0040;

Problem gemm(std::size_t k, bool with_c) {
  Problem p{.operation = SumOperation::gemm, .m = 2, .n = 3, .k = k};
  if (with_c) p.c = formats::float32;
  return p;
}

}  // namespace

// By hand, of (1 - d) 2^-126 in float32: d = 2^-24 is stored as 2^-126 and has 24 places below it; d = 2^-25 comes to
// 2^-126 by either rounding.
BOOST_AUTO_TEST_CASE(three_rules_of_tininess) {
  AdditionTree tree;
  tree.terms = 1;
  tree.nodes = {{{}, 0, 0}};
  tree.leaf_rules = {{.product = formats::float32, .flush_result = true}};
  const auto product = [&](Tininess tiny, double x) {
    tree.tiny = tiny;
    const double a[] = {std::ldexp(x, -100)}, b[] = {0x1p-26};
    const CodeVector row{a, 1, 1, formats::float64}, column{b, 1, 1, formats::float64};
    TreeEvaluator evaluate(tree, formats::float64, formats::float64, formats::float32);
    return decode(evaluate(row, &column, std::nullopt), formats::float32);
  };
  using enum Tininess;
  for (const double sign : {1.0, -1.0}) {
    const double least = sign * 0x1p-126;
    for (const Tininess tiny : all_tininess) {
      BOOST_TEST(product(tiny, sign) == least);
      BOOST_TEST(product(tiny, sign * (1 - 0x1p-23)) == 0);
      BOOST_TEST(std::signbit(product(tiny, sign * 0x1p-40)) == (sign < 0));
    }
    BOOST_TEST(product(as_stored, sign * (1 - 0x1p-24)) == least);
    BOOST_TEST(product(after_rounding, sign * (1 - 0x1p-24)) == 0);
    BOOST_TEST(product(before_rounding, sign * (1 - 0x1p-24)) == 0);
    BOOST_TEST(product(as_stored, sign * (1 - 0x1p-25)) == least);
    BOOST_TEST(product(after_rounding, sign * (1 - 0x1p-25)) == least);
    BOOST_TEST(product(before_rounding, sign * (1 - 0x1p-25)) == 0);
  }
}

void find_skipped_terms(const std::vector<std::size_t>& lengths) {
  struct {
    Kernel kernel;
    SkippedTerms skipped;
  } const cases[] = {{skipping<false, false>, SkippedTerms::none},
                     {skipping<true, false>, SkippedTerms::a},
                     {skipping<false, true>, SkippedTerms::b},
                     {skipping<true, true>, SkippedTerms::either}};
  for (const auto& [kernel, skipped] : cases) {
    for (const std::size_t k : lengths) {
      for (const bool with_c : {false, true}) {
        const Found f = found(gemm(k, with_c), native(kernel), 3000);
        BOOST_TEST(f.says_predicted(), skipped_name(skipped) << ' ' << shown(f.revelation, f.score));
        BOOST_TEST((f.tree().skipped == skipped), skipped_name(skipped)
                                                      << ' ' << shown(f.revelation, f.score));
        const std::string drawn = draw_text(f.tree());
        BOOST_TEST((drawn.find("adds nothing") != std::string::npos) == (skipped != SkippedTerms::none),
                   drawn);
      }
    }
  }
}
BOOST_AUTO_TEST_CASE(skipped_zero_terms_are_a_rule, *full) { find_skipped_terms({2}); }
BOOST_AUTO_TEST_CASE(skipped_zero_terms_of_other_lengths_are_a_rule, *boost::unit_test::label("full")) {
  find_skipped_terms({1, 7});
}

BOOST_AUTO_TEST_CASE(a_saved_rule_of_skipped_terms_judges_its_own_results) {
  const Problem p = gemm(5, true);
  const Target target = native(skipping<true, false>);
  SavedArithmetic saved{.name = "skipping", .program = "a test"};
  saved.shapes.push_back({reveal(p, target), {}});
  const std::string text = to_json(saved);
  BOOST_TEST(text.find("\"zero_terms_skipped\":\"a\"") != std::string::npos);
  BOOST_TEST(to_json(parse_saved(text, "here")) == text);
  const auto arithmetic = make_revealed(parse_saved(text, "here"));
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const float a[] = {1, 0, -0.0F, 3, 0.1F}, b[] = {0.3F, infinity, std::nanf(""), 0, 5};
  const CodeVector x{a, 5, 1, formats::float32}, y{b, 5, 1, formats::float32};
  const std::uint64_t c = encode(2.0, formats::float32).code;
  const double got = decode(arithmetic->dot(x, y, c), formats::float32);
  const double expected = skipping<true, false>(a, b, 5, 2);
  BOOST_TEST(got == expected);
  // The exact result has no skipped term either, and its bound is finite and holds.
  const ExactDot truth = arithmetic->exact(x, y, c);
  ExactSum error = truth.value;
  error.add(-got);
  const double bound = arithmetic->bound(x, y, c, formats::float32);
  BOOST_TEST(std::isfinite(bound));
  BOOST_TEST(bound < 1e-5);
  BOOST_TEST(error.magnitude_up() <= bound);
  // The other operand is not tested: 0 in B against Inf in A stays NaN.
  const double other = decode(arithmetic->dot(y, x, c), formats::float32);
  BOOST_TEST(std::isnan(other));
  BOOST_TEST(!std::isfinite(arithmetic->bound(y, x, c, formats::float32)));
  for (const char* const damaged : {"\"zero_terms_skipped\":\"c\"", "\"zero_terms_skipped\":1"}) {
    std::string other_text = text;
    const std::string part = "\"zero_terms_skipped\":\"a\"";
    other_text.replace(other_text.find(part), part.size(), damaged);
    BOOST_CHECK_THROW(parse_saved(other_text, "here"), InputError);
  }
}

BOOST_AUTO_TEST_CASE(flushing_as_this_cpu_does_is_predicted) {
  struct {
    const char* name;
    Kernel kernel;
  } const kernels[] = {{"ftz daz", flushing<ftz | daz>}, {"ftz", flushing<ftz>}, {"daz", flushing<daz>}};
  for (const auto& [name, kernel] : kernels) {
    for (const std::size_t k : {1UL, 2UL, 9UL}) {
      const Found f = found(gemm(k, k == 2), native(kernel), 6000);
      BOOST_TEST(f.says_predicted(), name << ' ' << shown(f.revelation, f.score));
    }
  }
  const Found f = found(gemm(3, false), native(flushing<ftz | daz>), 100);
  BOOST_TEST((f.tree().tiny == Tininess::after_rounding), shown(f.revelation, f.score));
  BOOST_TEST(draw_text(f.tree()).find("as x86") != std::string::npos);
}

// Every rule of tininess, in products, sums and results, saved and loaded; the fresh inputs tell them apart.
BOOST_AUTO_TEST_CASE(each_rule_of_tininess_is_told_from_the_others, *full) {
  for (const bool fused : {false, true}) {
    for (const Tininess tiny : all_tininess) {
      const CounterRandom random(seed, fused ? 1 : 0);
      AdditionTree tree = random_tree(random, 6, 2);
      tree.node_rules = {{.format = formats::float32, .flush_result = true}};
      tree.leaf_rules = {LeafRule{.started = fused}};
      if (!fused) tree.leaf_rules = {LeafRule{.product = formats::float32, .flush_result = true}};
      tree.tiny = tiny;
      const Problem p{.operation = SumOperation::dot, .k = 6};
      const Target target = target_of(tree);
      Found f = found(p, target, 6000);
      BOOST_TEST(f.says_predicted(), tininess_name(tiny) << ' ' << shown(f.revelation, f.score));
      BOOST_TEST((f.tree().tiny == tiny), tininess_name(tiny) << ' ' << shown(f.revelation, f.score));
      SavedArithmetic saved{.name = "tiny", .program = "a test"};
      saved.shapes.push_back({f.revelation, f.score});
      const SavedArithmetic loaded = parse_saved(to_json(saved), "here");
      BOOST_TEST((loaded.shapes[0].revelation.classes[0].tree.tiny == tiny));
      for (const Tininess other : all_tininess) {
        f.revelation.classes[0].tree.tiny = other;
        BOOST_TEST((score(f.revelation, target, seed, 6000).wrong == 0) == (other == tiny),
                   tininess_name(tiny) << " as " << tininess_name(other));
      }
    }
  }
}
