// The judge itself: exact sums against integers, arithmetics against their bounds, comparisons against
// planted errors.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/random.hpp"
#include "reference/exact/chain.hpp"
#include "reference/exact/exact_dot.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/neighbours.hpp"
#include "reference/formats/storage.hpp"
#include "reference/operations/gemm.hpp"
#include "validation/compare/comparator.hpp"
#include "validation/compare/ulp.hpp"
#include "validation/suites/expectations.hpp"
#include "validation/suites/suite.hpp"

namespace assay::suites {
namespace {

constexpr const char* wrong_judge = "the judge is wrong";

std::uint64_t trials(const RunContext& context, std::uint64_t quick) {
  switch (context.scale) {
    case Scale::quick: return quick;
    case Scale::standard: return 10 * quick;
    case Scale::exhaustive: break;
  }
  return 100 * quick;
}

// --- exact sums --------------------------------------------------------------------------------------------

// Codes of multiples of 2^low up to 2^8: their products are multiples of 2^(2 low), and so is their sum.
CaseResult exact_dot_case(const FormatSpec& f, const RunContext& context) {
  constexpr int low = -8;
  constexpr std::size_t longest = 200;
  Expectations tally("128-bit integers", wrong_judge);
  const std::uint64_t count = trials(context, 400);
  std::vector<std::uint64_t> a(longest), b(longest);
  std::vector<std::byte> a_codes(longest * 8), b_codes(longest * 8);
  for (std::uint64_t t = 0; t < count; ++t) {
    const CounterRandom random(context.seed, t);
    const auto size = static_cast<std::size_t>(random.below(longest, 0));
    __extension__ using Integer = __int128;
    Integer sum = 0, magnitudes = 0;
    for (std::size_t i = 0; i < size; ++i) {
      Integer product = 1;
      for (auto* const codes : {&a_codes, &b_codes}) {
        const std::uint64_t r = random.u64(2 * i + (codes == &a_codes ? 1 : 2));
        // Rounding a multiple of 2^low gives one again: the format's own spacing there is 2^low or a multiple
        // of it, or finer.
        const double x = std::ldexp(static_cast<double>(r >> 44), low) * ((r & 1) != 0 ? -1 : 1);
        const std::uint64_t code = encode(std::clamp(x, -0x1p8, 0x1p8), f).code;
        detail::store_code(codes->data(), static_cast<std::ptrdiff_t>(i), code_bytes(f), code);
        product *= static_cast<Integer>(std::ldexp(decode(code, f), -low));
      }
      sum += product;
      magnitudes += product < 0 ? -product : product;
    }
    const CodeVector x{a_codes.data(), size, 1, f}, y{b_codes.data(), size, 1, f};
    for (const bool of_magnitudes : {false, true}) {
      const Integer wanted = of_magnitudes ? magnitudes : sum;
      ExactSum difference = exact_dot(x, y, {.magnitudes = of_magnitudes});
      ExactValue<Wide> integer;
      integer.negative = wanted > 0;  // subtracted
      integer.significand = static_cast<Wide>(wanted < 0 ? -wanted : wanted);
      integer.exponent = 2 * low;
      difference.add(integer);
      tally.expect(difference.result().is_zero(), [&] {
        return fmt::format("{} products of {}, trial {}{}", size, f.dtype, t,
                           of_magnitudes ? ", magnitudes" : "");
      });
    }
  }
  return tally.result();
}

// --- bounds ------------------------------------------------------------------------------------------------

// |answer - exact| <= bound for an arithmetic, decided by exact sums; data: normal, cancelling, of many
// exponents.
CaseResult bound_case(const Arithmetic& arithmetic, const RunContext& context) {
  constexpr std::size_t longest = 300;
  const FormatSpec& f = arithmetic.info().accumulator;
  const FormatSpec& input = f.bits <= 19 ? formats::bfloat16 : formats::float32;
  const std::size_t bytes = code_bytes(input);
  Expectations tally("exact sums", wrong_judge);
  double closest = 0;
  std::vector<std::byte> a(longest * bytes), b(longest * bytes);
  for (std::uint64_t t = 0; t < trials(context, 300); ++t) {
    const CounterRandom random(context.seed, t);
    const auto size = static_cast<std::size_t>(1 + random.below(longest - 1, 0));
    for (std::size_t i = 0; i < size; ++i) {
      double x = random.normal(2 * i + 1), y = random.normal(2 * i + 2);
      if (t % 3 == 1) x = std::ldexp(x, static_cast<int>(random.below(24, i)) - 12);
      if (t % 3 == 2 && i % 2 == 1) {  // nearly minus the product before it
        x = -decode(detail::load_code(a.data(), static_cast<std::ptrdiff_t>(i) - 1, bytes), input);
        y = decode(detail::load_code(b.data(), static_cast<std::ptrdiff_t>(i) - 1, bytes), input) *
            (1 + 0x1p-6);
      }
      detail::store_code(a.data(), static_cast<std::ptrdiff_t>(i), bytes, encode(x, input).code);
      detail::store_code(b.data(), static_cast<std::ptrdiff_t>(i), bytes, encode(y, input).code);
    }
    const CodeVector va{a.data(), size, 1, input}, vb{b.data(), size, 1, input};
    const std::uint64_t answer = arithmetic.dot(va, vb);
    const double bound = arithmetic.bound(va, vb, std::nullopt, f);
    ExactSum error = arithmetic.exact(va, vb, std::nullopt).value;
    error.negate();
    error.add(answer, f);
    if (error.result().negative) error.negate();
    const double distance = error.rounded_up();
    if (bound > 0) closest = std::max(closest, distance / bound);
    tally.expect(f.is_finite(answer) && distance <= bound, [&] {
      return fmt::format("{} terms, trial {}: error {:.4g}, bound {:.4g}", size, t, distance, bound);
    });
  }
  tally.result().figures.push_back({"largest error/bound", closest, ""});
  return tally.result();
}

// --- distances ---------------------------------------------------------------------------------------------

// Every pair of codes of an 8-bit format, against walking from one to the other by next_up().
CaseResult ulp_case(const FormatSpec& f) {
  Expectations tally("next_up(), one step at a time", wrong_judge);
  for (std::uint64_t want = 0; want < std::uint64_t{1} << f.bits; ++want) {
    if (f.is_nan(want)) continue;
    std::int64_t steps = 0;
    for (auto code = std::optional(want); code; code = next_up(*code, f), ++steps) {
      const auto measured = compare::ulp_steps(want, *code, f);
      tally.expect(
          measured == compare::Steps{steps} && compare::ulp_steps(*code, want, f) == -compare::Steps{steps},
          [&] { return fmt::format("{} from {:#x} to {:#x}: {} steps", f.dtype, want, *code, steps); });
    }
  }
  return tally.result();
}

// --- plants ------------------------------------------------------------------------------------------------

constexpr std::size_t m = 24, n = 17, k = 40;

// D = A B in bfloat16 with float32 sums, its truth and its bound.
struct Product {
  std::vector<bf16_t> a, b;
  std::vector<float> right;
  std::vector<double> truth, bound;

  Product(const Arithmetic& arithmetic, std::uint64_t seed)
      : a(m * k), b(k * n), right(m * n), truth(m * n), bound(m * n) {
    const CounterRandom random(seed);
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = bf16_t(random.normal(i));
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = bf16_t(random.normal(a.size() + i));
    GemmProblem problem;
    problem.a = code_matrix(a.data(), m, k);
    problem.b = code_matrix(b.data(), k, n);
    gemm(arithmetic, problem, mutable_code_matrix(right.data(), m, n));
    for (std::size_t i = 0; i < m * n; ++i) {
      const ElementTruth t = gemm_truth(arithmetic, problem, formats::float32, 0, i / n, i % n);
      truth[i] = decode(encode(t.exact, formats::float64).code, formats::float64);
      bound[i] = t.bound;
    }
  }
};

compare::Comparison judged_by(const char* policy, const Product& p, const std::vector<float>& got) {
  compare::Options options;
  options.policy = compare::find_policy(compare::default_policies(), policy, "judge");
  options.threads = 1;
  const compare::Shape shape{m, n};
  return compare::judge(
      {got.data(), formats::float32, shape},
      {.codes = {p.right.data(), formats::float32, shape}, .truth = p.truth, .bound = p.bound}, options);
}

// Every bit of several values, one at a time: FAILED by bits, at its place; by the bound if and only if it is
// above it.
CaseResult bits_case(const Arithmetic& arithmetic, const RunContext& context) {
  const Product p(arithmetic, context.seed);
  const CounterRandom random(context.seed, 5);
  Expectations tally("every bit, one at a time", wrong_judge);
  std::uint64_t seen_by_bound = 0;
  for (std::uint64_t e = 0; e < trials(context, 12); ++e) {
    const auto i = static_cast<std::size_t>(random.below(m * n, e));
    for (int bit = 0; bit < 32; ++bit) {
      std::vector<float> got = p.right;
      got[i] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(got[i]) ^ (std::uint32_t{1} << bit));
      const compare::Comparison by_bits = judged_by("bit-equal", p, got),
                                by_bound = judged_by("bound", p, got);
      const auto text = [&] { return fmt::format("bit {} of value {}: {}", bit, i, by_bits.where.text); };
      tally.expect(by_bits.verdict == compare::Verdict::disagree && by_bits.outside == 1 && by_bits.worst &&
                       by_bits.worst->index == i,
                   text);
      tally.expect(
          by_bits.where.text.starts_with(fmt::format("1 of 1 at [{},{}]; bit {} ({}) ", i / n, i % n, bit,
                                                     bit == 31   ? "sign"
                                                     : bit >= 23 ? "exponent"
                                                                 : "significand")),
          text);
      const bool above = !std::isfinite(got[i]) || std::fabs(got[i] - p.truth[i]) > p.bound[i];
      seen_by_bound += above ? 1 : 0;
      tally.expect(
          (by_bound.verdict == compare::Verdict::disagree) == above && by_bound.outside == (above ? 1U : 0U),
          text);
    }
  }
  tally.result().figures.push_back({"above the bound", static_cast<double>(seen_by_bound), "bits"});
  return tally.result();
}

// Errors of a program: each FAILED by bits and by the bound, and called by its name.
CaseResult plants_case(const Arithmetic& arithmetic, const Arithmetic& bf16, const RunContext& context) {
  Expectations tally("planted errors", wrong_judge);
  const Product p(arithmetic, context.seed);
  const auto plant = [&](std::string_view name, std::string_view says, const auto& value_of) {
    std::vector<float> got = p.right;
    for (std::size_t i = 0; i < got.size(); ++i) got[i] = value_of(i, i / n, i % n);
    for (const char* policy : {"bit-equal", "bound"}) {
      const compare::Comparison c = judged_by(policy, p, got);
      tally.expect(
          c.verdict == compare::Verdict::disagree && c.where.text.find(says) != std::string::npos, [&] {
            return fmt::format("{} under {}: {} {}", name, policy, verdict_name(c.verdict), c.where.text);
          });
    }
  };
  using std::size_t;
  const std::vector<float>& right = p.right;
  plant("a dropped tail", "in column 16 = last of n=17: tail of a 16-wide tile?; got is zero there",
        [&](size_t i, size_t, size_t col) { return col == 16 ? 0.0F : right[i]; });
  plant("rows never written", "in rows 16..23 = last 8 of m=24: tail of a 16-wide tile?; got is zero there",
        [&](size_t i, size_t row, size_t) { return row >= 16 ? 0.0F : right[i]; });
  plant("a tile off by one", "in the 8x8 tile of rows 8..15, columns 0..7; got is want 8 columns on",
        [&](size_t i, size_t row, size_t col) { return row / 8 == 1 && col < 8 ? right[i + 8] : right[i]; });
  plant("a matrix by columns", "got is want written column by column",
        [&](size_t i, size_t, size_t) { return right[i % m * n + i / m]; });
  plant("a missing factor", "got is want times 0.5",
        [&](size_t i, size_t, size_t) { return right[i] * 0.5F; });
  plant("a bias", "constant down each column",
        [&](size_t i, size_t, size_t col) { return right[i] + 2 + static_cast<float>(col); });
  std::vector<float> narrow(m * n);
  GemmProblem problem;
  problem.a = code_matrix(p.a.data(), m, k);
  problem.b = code_matrix(p.b.data(), k, n);
  gemm(bf16, problem, mutable_code_matrix(narrow.data(), m, n));
  plant("a bfloat16 accumulator", "bfloat16 on the way?",
        [&](size_t i, size_t, size_t) { return narrow[i]; });

  for (const char* policy : {"bit-equal", "bound"}) {
    const compare::Comparison c = judged_by(policy, p, right);
    tally.expect(c.verdict == compare::Verdict::agree,
                 [&] { return fmt::format("the right result under {}: {}", policy, c.reason); });
  }
  return tally.result();
}

const ArithmeticRegistry& chains() {
  static const ArithmeticRegistry registry = [] {
    ArithmeticRegistry r;
    add_chains(r);
    return r;
  }();
  return registry;
}

}  // namespace

std::vector<Case> judge_cases(const RunContext& context) {
  const std::string seed = std::to_string(context.seed);
  std::vector<Case> cases;
  for (const FormatSpec* f :
       {&formats::bfloat16, &formats::float16, &formats::float8_e4m3fn, &formats::float32}) {
    cases.push_back({"exact_dot/" + std::string(f->dtype),
                     {{"trials", std::to_string(trials(context, 400))}, {"seed", seed}},
                     [f](const RunContext& c) { return exact_dot_case(*f, c); }});
  }
  for (const Arithmetic* arithmetic : chains().list()) {
    cases.push_back({"bound/" + arithmetic->info().name,
                     {{"trials", std::to_string(trials(context, 300))}, {"seed", seed}},
                     [arithmetic](const RunContext& c) { return bound_case(*arithmetic, c); }});
  }
  for (const FormatSpec* f : formats::all) {
    if (f->bits > 8) continue;
    cases.push_back({"ulp/" + std::string(f->dtype),
                     {{"codes", std::to_string(1 << f->bits)}},
                     [f](const RunContext&) { return ulp_case(*f); }});
  }
  const Arithmetic& float32 = chains().find("chain_f32_fused");
  const Arithmetic& bf16 = chains().find("chain_bf16_fused");
  cases.push_back({"plants/bits",
                   {{"values", std::to_string(trials(context, 12))}, {"seed", seed}},
                   [&float32](const RunContext& c) { return bits_case(float32, c); }});
  cases.push_back({"plants/programs", {{"seed", seed}}, [&float32, &bf16](const RunContext& c) {
                     return plants_case(float32, bf16, c);
                   }});
  return cases;
}

}  // namespace assay::suites
