// What judge() counts, against loops that say it once more; its rules for formats, NaN, zeros and emptiness;
// its places.
#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/storage.hpp"
#include "validation/compare/comparator.hpp"
#include "validation/compare/ulp.hpp"

using namespace assay;
using namespace assay::compare;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

Codes codes(const std::vector<float>& x, Shape shape) {
  return {x.data(), formats::float32, std::move(shape)};
}
Codes codes(const std::vector<bf16_t>& x, Shape shape) {
  return {x.data(), formats::bfloat16, std::move(shape)};
}

Policy named(const char* name) { return find_policy(default_policies(), name, "test"); }
Policy tolerance(double atol, double rtol, std::uint64_t ulps = 0) {
  Policy p;
  p.name = "tolerance";
  p.kind = PolicyKind::tolerance;
  p.atol = atol;
  p.rtol = rtol;
  p.ulps = ulps;
  p.because = "a test";
  return p;
}
Options with(Policy policy) {
  Options o;
  o.policy = std::move(policy);
  return o;
}

Comparison compared(const std::vector<float>& got, const std::vector<float>& want, Shape shape,
                    const Options& options = {}) {
  return judge(codes(got, shape), {.codes = codes(want, shape)}, options);
}

std::vector<float> normal(std::size_t n, std::uint64_t seed) {
  const CounterRandom random(seed);
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<float>(random.normal(i));
  return x;
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_CASE(counts_agree_with_a_plain_loop_whatever_the_number_of_threads) {
  // Several chunks, a tail, every class, a third of the values moved.
  constexpr std::size_t rows = 999, cols = 701, n = rows * cols;
  std::vector<float> want = normal(n, 1), got;
  const CounterRandom random(2);
  for (std::size_t i = 0; i < n; i += 97) want[i] = 0;
  for (std::size_t i = 50; i < n; i += 9973) want[i] = -0.0F;
  for (std::size_t i = 60; i < n; i += 10007) want[i] = 0x1p-140F;
  got = want;
  for (std::size_t i = 0; i < n; i += 3) {
    const auto steps = static_cast<std::uint32_t>(random.below(40, i));
    got[i] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(got[i]) + steps);
  }
  std::uint64_t equal = 0, zeros = 0, subnormal = 0;
  double largest = 0, most_ulps = 0, sum = 0;
  std::size_t largest_at = 0;
  UlpHistogram histogram;
  for (std::size_t i = 0; i < n; ++i) {
    const auto g = std::bit_cast<std::uint32_t>(got[i]), w = std::bit_cast<std::uint32_t>(want[i]);
    equal += g == w ? 1 : 0;
    zeros += want[i] == 0 ? 1 : 0;
    subnormal += std::fpclassify(want[i]) == FP_SUBNORMAL ? 1 : 0;
    const double error = std::fabs(static_cast<double>(got[i]) - static_cast<double>(want[i]));
    if (error > largest) {
      largest = error;
      largest_at = i;
    }
    const auto steps = static_cast<double>(*ulp_steps(w, g, formats::float32));
    most_ulps = std::max(most_ulps, std::fabs(steps));
    sum += steps;
    std::size_t bin = 0;
    for (double d = std::fabs(steps); d >= 1; d /= 2) ++bin;
    ++(steps < 0 ? histogram.below : histogram.above)[bin];
  }
  for (const int threads : {1, 2, 3}) {
    Options options;
    options.threads = threads;
    const Comparison c = compared(got, want, {rows, cols}, options);
    BOOST_TEST((c.verdict == Verdict::disagree));
    BOOST_TEST(c.values == n);
    BOOST_TEST(c.bit_equal == equal);
    BOOST_TEST(c.differ == n - equal);
    BOOST_TEST(c.outside == n - equal);
    BOOST_TEST(c.zeros_would_pass == zeros);
    BOOST_TEST(c.want.zero() == zeros);
    BOOST_TEST(c.want.subnormal == subnormal);
    BOOST_TEST(c.max_absolute.value == largest);
    BOOST_TEST(c.max_absolute.index == largest_at);
    BOOST_TEST(c.max_ulps.value == most_ulps);
    BOOST_TEST(c.mean_ulps == sum / static_cast<double>(n));
    BOOST_TEST((c.ulps == histogram));
    BOOST_TEST(c.measured == n);
    std::uint64_t in_map = 0;
    for (const std::uint32_t cell : c.map.cells) in_map += cell;
    BOOST_TEST(in_map == n - equal);
    BOOST_TEST(c.nmse > 0);
    const Comparison one = compared(got, want, {rows, cols}, Options{.threads = 1});
    BOOST_TEST(c.nmse == one.nmse);
    BOOST_TEST(c.cosine == one.cosine);
    BOOST_TEST(c.where.text == one.where.text);
  }
}

BOOST_AUTO_TEST_CASE(figures_of_the_page_of_policy_are_those_of_the_values) {
  // want 3.078125, got 2.75 as bfloat16: the numbers of the documentation.
  const std::vector<bf16_t> want(4, bf16_t::from_code(0x4045));
  std::vector<bf16_t> got = want;
  got[2] = bf16_t::from_code(0x4030);
  const Comparison c = judge(codes(got, {2, 2}), {.codes = codes(want, {2, 2})}, {});
  BOOST_REQUIRE(c.worst.has_value());
  BOOST_TEST(c.worst->index == 2U);
  BOOST_TEST(*c.worst->ulps == -21);
  BOOST_TEST(c.would_pass.atol == 0.328125);
  BOOST_TEST(c.would_pass.rtol == 0.328125 / 3.078125);
  BOOST_TEST(c.would_pass.ulps == 21);
}

BOOST_AUTO_TEST_CASE(what_would_have_passed_passes_and_anything_less_does_not) {
  const std::vector<float> want = normal(500, 3);
  std::vector<float> got = want;
  const CounterRandom random(4);
  for (std::size_t i = 0; i < got.size(); ++i)
    got[i] *= static_cast<float>(1 + 1e-3 * (random.uniform(i) - 0.5));
  const WouldPass w = compared(got, want, {500}).would_pass;
  const auto passes = [&](const Policy& p) { return compared(got, want, {500}, with(p)).outside == 0; };
  BOOST_TEST(passes(tolerance(w.atol, 0)));
  BOOST_TEST(!passes(tolerance(std::nextafter(w.atol, 0), 0)));
  BOOST_TEST(passes(tolerance(0, std::nextafter(w.rtol, 1))));
  BOOST_TEST(!passes(tolerance(0, w.rtol * (1 - 1e-12))));
  BOOST_TEST(passes(tolerance(0, 0, static_cast<std::uint64_t>(w.ulps))));
  BOOST_TEST(!passes(tolerance(0, 0, static_cast<std::uint64_t>(w.ulps) - 1)));
}

BOOST_AUTO_TEST_CASE(formats_that_differ_are_a_fault_under_bit_equal_unless_conversion_is_meant) {
  const std::vector<float> want = normal(10000, 5);
  std::vector<bf16_t> got(want.size());
  for (std::size_t i = 0; i < want.size(); ++i) got[i] = bf16_t(want[i]);
  const auto run = [&](const Options& o) {
    return judge(codes(got, {100, 100}), {.codes = codes(want, {100, 100})}, o);
  };
  BOOST_CHECK_THROW(run({}), ContractError);
  Options convert;
  convert.convert = true;
  BOOST_TEST((run(convert).verdict == Verdict::agree));
  BOOST_TEST(run(convert).max_absolute.value == 0);
  convert.rounding = Rounding::toward_zero;
  BOOST_TEST((run(convert).verdict == Verdict::disagree));
  // Values are compared with want as it is: half an ulp of bfloat16 is the largest relative error.
  const Comparison by_value = run(with(tolerance(0, 0x1p-8)));
  BOOST_TEST((by_value.verdict == Verdict::agree));
  BOOST_TEST(by_value.max_absolute.value > 0);
  BOOST_TEST(by_value.bit_equal == got.size());
  BOOST_TEST((run(with(named("correctly-rounded"))).verdict == Verdict::agree));
  got[77] = bf16_t::from_code(static_cast<std::uint16_t>(got[77].code ^ 1));
  BOOST_TEST(run(with(named("correctly-rounded"))).outside == 1U);
  BOOST_TEST(run(with(named("correctly-rounded"))).worst->index == 77U);
}

BOOST_AUTO_TEST_CASE(a_narrow_want_is_widened_exactly) {
  const std::vector<bf16_t> want{bf16_t(1.5F), bf16_t(-2.25F), bf16_t(0x1p-130F)};
  const std::vector<float> got{1.5F, -2.25F, 0x1p-130F};
  Options convert;
  convert.convert = true;
  BOOST_TEST((judge(codes(got, {3}), {.codes = codes(want, {3})}, convert).verdict == Verdict::agree));
}

BOOST_AUTO_TEST_CASE(nan_against_nan_follows_the_policy) {
  const float other = std::bit_cast<float>(0x7FC00001U);
  const std::vector<float> want{1, not_a_number, 2}, got{1, other, 2};
  const Comparison strict = compared(got, want, {3});
  BOOST_TEST(strict.outside == 1U);
  BOOST_TEST(strict.class_mismatches == 0U);
  BOOST_TEST(strict.got.nan == 1U);
  BOOST_TEST((compared(want, want, {3}).verdict == Verdict::agree));
  BOOST_TEST((compared(got, want, {3}, with(named("bit-equal-any-nan"))).verdict == Verdict::agree));
  BOOST_TEST((compared(got, want, {3}, with(named("correctly-rounded"))).verdict == Verdict::agree));
  BOOST_TEST((compared(got, want, {3}, with(tolerance(1e-3, 0))).verdict == Verdict::agree));
  const Comparison lost = compared({1, 5, 2}, want, {3}, with(tolerance(1e30, 0)));
  BOOST_TEST(lost.outside == 1U);
  BOOST_TEST(lost.class_mismatches == 1U);
  BOOST_TEST(lost.would_pass.atol == infinity);
  BOOST_TEST(lost.worst->index == 1U);
}

BOOST_AUTO_TEST_CASE(infinities_must_be_the_same) {
  const auto inf = static_cast<float>(infinity);
  const std::vector<float> want{inf, 1, 2};
  const Policy loose = tolerance(1e300, 0);
  BOOST_TEST((compared(want, want, {3}, with(loose)).verdict == Verdict::agree));
  BOOST_TEST(compared({-inf, 1, 2}, want, {3}, with(loose)).outside == 1U);
  BOOST_TEST(compared({3e38F, 1, 2}, want, {3}, with(loose)).outside == 1U);
  BOOST_TEST(compared({inf, inf, 2}, want, {3}, with(loose)).outside == 1U);
}

BOOST_AUTO_TEST_CASE(zeros_of_either_sign_differ_under_bit_equal_alone) {
  const std::vector<float> want{-0.0F, 1}, got{0.0F, 1};
  BOOST_TEST(compared(got, want, {2}).outside == 1U);
  BOOST_TEST(compared(got, want, {2}).max_ulps.value == 0);
  BOOST_TEST((compared(got, want, {2}, with(named("correctly-rounded"))).verdict == Verdict::agree));
  BOOST_TEST((compared(got, want, {2}, with(tolerance(0, 0, 1))).verdict == Verdict::agree));
}

BOOST_AUTO_TEST_CASE(a_bound_is_kept_to_the_last_bit) {
  const std::vector<double> truth{1, 1, 1, 1}, bound{0x1p-23, 0x1p-23, 0, infinity};
  const std::vector<float> want{1, 1, 1, 1};
  const auto outside = [&](const std::vector<float>& got) {
    return judge(codes(got, {4}), {.codes = codes(want, {4}), .truth = truth, .bound = bound},
                 with(named("bound")))
        .outside;
  };
  const float up = 1 + 0x1p-23F, two = 1 + 0x1p-22F;
  BOOST_TEST(outside({1, 1, 1, 1}) == 0U);
  BOOST_TEST(outside({up, 1, 1, 1}) == 0U);
  BOOST_TEST(outside({two, 1, 1, 1}) == 1U);
  BOOST_TEST(outside({1, 1, up, 1}) == 1U);
  BOOST_TEST(outside({1, 1, 1, not_a_number}) == 0U);  // the bound says that anything may happen there
  BOOST_TEST(outside({1, not_a_number, 1, 1}) == 1U);
  Options looser = with(named("bound"));
  looser.policy.factor = 2;
  looser.policy.because = "a test";
  const std::vector<float> got{two, 1, 1, 1};
  BOOST_TEST(
      judge(codes(got, {4}), {.codes = codes(want, {4}), .truth = truth, .bound = bound}, looser).outside ==
      0U);
}

BOOST_AUTO_TEST_CASE(the_remainder_of_the_truth_counts) {
  // The exact value is 1 + 2^-53 + 2^-60, which rounds up: of 1 float64 alone would call the error 2^-53.
  const std::vector<double> truth{1 + 0x1p-52, 2}, remainder{-0x1p-53 + 0x1p-60, 0}, tight{0x1p-53, 1},
      enough{0x1p-53 + 0x1p-60, 1}, want{1 + 0x1p-52, 2}, got{1, 2};
  const auto outside = [&](const std::vector<double>& bound) {
    return judge({got.data(), formats::float64, {2}},
                 {.codes = {want.data(), formats::float64, {2}},
                  .truth = truth,
                  .remainder = remainder,
                  .bound = bound},
                 with(named("bound")))
        .outside;
  };
  BOOST_TEST(outside(tight) == 1U);
  BOOST_TEST(outside(enough) == 0U);
}

BOOST_AUTO_TEST_CASE(a_result_that_may_round_to_infinity_may_be_infinite) {
  const std::vector<double> truth{65500, 1}, bound{100, 0.1};
  const auto code = [](double x) { return static_cast<std::uint16_t>(encode(x, formats::float16).code); };
  const std::vector<std::uint16_t> want{code(65500), code(1)};
  const auto outside = [&](std::uint16_t first) {
    const std::vector<std::uint16_t> got{first, want[1]};
    return judge({got.data(), formats::float16, {2}},
                 {.codes = {want.data(), formats::float16, {2}}, .truth = truth, .bound = bound},
                 with(named("bound")))
        .outside;
  };
  BOOST_TEST(outside(0x7C00) == 0U);
  BOOST_TEST(outside(0xFC00) == 1U);
  BOOST_TEST(outside(0x7E00) == 1U);
}

BOOST_AUTO_TEST_CASE(a_set_of_results_decides_alone) {
  const FormatSpec& f = formats::float16;
  const std::uint16_t top = 0x7BFF;
  const double exact = 65504, bound = 48;
  const auto outside = [&](std::uint16_t got, const ResultSet& set) {
    return judge({&got, f, {1}},
                 {.codes = {&top, f, {1}},
                  .truth = {&exact, 1},
                  .bound = {&bound, 1},
                  .results = {&set, 1},
                  .specials = {.negative_infinity = 0xFC00, .positive_infinity = 0x7C00, .nan = 0x7E00}},
                 with(named("bound")))
        .outside;
  };
  const ResultSet one{.low = 0x7BFF, .high = 0x7BFF},
      two{.low = 0x7BFE, .high = 0x7BFF, .positive_infinity = true};
  BOOST_TEST(outside(0x7BFF, one) == 0U);
  BOOST_TEST(outside(0x7BFE, one) == 1U);
  BOOST_TEST(outside(0x7C00, one) == 1U);
  BOOST_TEST(outside(0x7BFE, two) == 0U);
  BOOST_TEST(outside(0x7C00, two) == 0U);
  BOOST_TEST(outside(0xFC00, two) == 1U);
  BOOST_TEST(outside(0x7E01, two) == 1U);
  BOOST_TEST(outside(0x7E01, {.nan = true}) == 0U);
  // The exact result, rounded once, is right whatever the set.
  BOOST_TEST(outside(0x7BFF, {.positive_infinity = true}) == 0U);
  const ResultSet nothing{.judged = false};
  const std::uint16_t any = 0x1234;
  const Comparison c =
      judge({&any, f, {1}},
            {.codes = {&top, f, {1}}, .truth = {&exact, 1}, .bound = {&bound, 1}, .results = {&nothing, 1}},
            with(named("bound")));
  BOOST_TEST(c.outside == 0U);
  BOOST_TEST(c.not_judged == 1U);
  BOOST_TEST((c.verdict == Verdict::vacuous));
}

BOOST_AUTO_TEST_CASE(percentiles_are_at_most_two_percent_high_and_the_maximum_is_exact) {
  constexpr std::size_t n = 100000;
  std::vector<float> want(n, 1);
  std::vector<double> truth(n), bound(n, 1);
  for (std::size_t i = 0; i < n; ++i) truth[i] = 1 - static_cast<double>(i) / (2 * n);
  const Comparison c = judge(codes(want, {n}), {.codes = codes(want, {n}), .truth = truth, .bound = bound},
                             with(named("bound")));
  BOOST_REQUIRE(c.over_bound.has_value());
  BOOST_TEST(c.over_bound->p50 >= 0.25);
  BOOST_TEST(c.over_bound->p50 <= 0.25 * 1.02);
  BOOST_TEST(c.over_bound->p99 >= 0.495);
  BOOST_TEST(c.over_bound->p99 <= 0.5);
  BOOST_TEST(c.over_bound->max.index == n - 1);
}

BOOST_AUTO_TEST_CASE(agreement_that_proves_nothing_is_vacuous) {
  const std::vector<float> zeros(6, 0), small(6, 1e-9F), mixed{1, 0, 0, 0, 0, 0};
  BOOST_TEST((compared(zeros, zeros, {6}).verdict == Verdict::vacuous));
  Options expected;
  expected.expects_zero = true;
  BOOST_TEST((compared(zeros, zeros, {6}, expected).verdict == Verdict::agree));
  // A tolerance or a bound above every value: zeros would pass, whoever expects what.
  BOOST_TEST((compared(small, small, {6}, with(tolerance(1e-6, 0))).verdict == Verdict::vacuous));
  BOOST_TEST((compared(small, small, {6}).verdict == Verdict::agree));
  const std::vector<double> truth(6, 1e-9), wide(6, 1), none(6, infinity);
  for (const std::vector<double>* bound : {&wide, &none}) {
    const Comparison c =
        judge(codes(small, {6}), {.codes = codes(small, {6}), .truth = truth, .bound = *bound},
              with(named("bound")));
    BOOST_TEST((c.verdict == Verdict::vacuous));
    BOOST_TEST(c.zeros_would_pass == 6U);
  }
  const Comparison some = compared(mixed, mixed, {6});
  BOOST_TEST((some.verdict == Verdict::agree));
  BOOST_TEST(some.zeros_would_pass == 5U);
}

BOOST_AUTO_TEST_CASE(an_empty_output_is_vacuous_and_a_scalar_is_not) {
  for (const Shape& shape : {Shape{0}, Shape{0, 33}, Shape{4, 0}, Shape{0, 0, 7}}) {
    const Comparison c = compared({}, {}, shape);
    BOOST_TEST((c.verdict == Verdict::vacuous));
    BOOST_TEST(c.values == 0U);
    BOOST_TEST(holds(c.reason, "empty"));
  }
  BOOST_TEST((compared({3}, {3}, {}).verdict == Verdict::agree));
  BOOST_TEST((compared({3}, {4}, {}).verdict == Verdict::disagree));
}

BOOST_AUTO_TEST_CASE(wrong_outputs_that_would_pass_are_named) {
  const std::vector<float> constant(9, 2), symmetric{1, 2, 3, 2, 4, 5, 3, 5, 6},
      plain{1, 2, 3, 4, 5, 6, 7, 8, 9};
  BOOST_TEST(compared(plain, plain, {3, 3}).weaknesses.empty());
  BOOST_TEST(compared(constant, constant, {3, 3}).weaknesses.size() == 3U);
  const auto weak = compared(symmetric, symmetric, {3, 3}).weaknesses;
  BOOST_REQUIRE(weak.size() == 1U);
  BOOST_TEST(holds(weak[0], "transposed"));
  Options options;
  options.stale = codes(plain, {3, 3});
  const auto stale = compared(plain, plain, {3, 3}, options).weaknesses;
  BOOST_REQUIRE(stale.size() == 1U);
  BOOST_TEST(holds(stale[0], "held before"));
}

BOOST_AUTO_TEST_CASE(misuse_is_a_contract_error) {
  const std::vector<float> x{1, 2};
  const std::vector<double> one{1}, negative{-1, 1}, invalid{std::nan(""), 1}, truth{1, 2};
  const auto throws = [&](const Expected& want, const Options& o) {
    BOOST_CHECK_THROW(judge(codes(x, {2}), want, o), ContractError);
  };
  throws({.codes = codes(x, {1, 2})}, {});
  throws({.codes = codes(x, {2})}, with(named("bound")));
  throws({.codes = codes(x, {2}), .truth = one}, {});
  throws({.codes = codes(x, {2}), .truth = truth, .remainder = one}, {});
  throws({.codes = codes(x, {2}), .bound = negative}, with(named("bound")));
  throws({.codes = codes(x, {2}), .bound = invalid}, with(named("bound")));
  throws({.codes = {nullptr, formats::float32, {2}}}, {});
  throws({.codes = codes(x, {2})}, with(tolerance(-1, 0)));
}

BOOST_AUTO_TEST_CASE(a_callers_flushing_does_not_reach_the_figures) {
  constexpr std::uint32_t flush_and_denormals_are_zero = 0x9FC0;
  const std::vector<float> want{0x1p-130F, 1}, got{0x1p-131F, 1};
  const MxcsrGuard guard(flush_and_denormals_are_zero);
  const Comparison c = compared(got, want, {2});
  BOOST_TEST(c.max_relative.value == 0.5);
  BOOST_TEST(mxcsr() == flush_and_denormals_are_zero);
}

// --- places ------------------------------------------------------------------------------------------------

namespace {

// want of 70 x 45 with `damage` done to a copy.
template <class Damage>
Where place_of(const Damage& damage, Shape shape = {70, 45}) {
  std::size_t n = 1;
  for (const std::size_t d : shape) n *= d;
  const std::vector<float> want = normal(n, 6);
  std::vector<float> got = want;
  const std::size_t rows = shape[shape.size() - 2], cols = shape.back();
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t line = i / cols;
    damage(got, want, i, line / rows, line % rows, i % cols);
  }
  return compared(got, want, shape).where;
}

// Adds 1 wherever the condition on (batch, row, column) holds.
template <class Condition>
Where place_where(const Condition& condition, Shape shape = {70, 45}) {
  return place_of(
      [&](std::vector<float>& got, const std::vector<float>&, std::size_t i, std::size_t b, std::size_t r,
          std::size_t c) {
        // Another amount each, so that nothing but the place is to be seen.
        if (condition(b, r, c)) got[i] += 1 + static_cast<float>(i % 7) / 3;
      },
      std::move(shape));
}

}  // namespace

BOOST_AUTO_TEST_CASE(places_are_named) {
  using std::size_t;
  const auto all = [](size_t, size_t, size_t) { return true; };
  BOOST_TEST(place_where([](size_t, size_t r, size_t c) { return r == 3 && c == 4; }).text ==
             "1 of 1 at [3,4]");
  BOOST_TEST(place_where([](size_t, size_t, size_t c) { return c == 7; }).text == "70 of 70 in column 7");
  BOOST_TEST(place_where([](size_t, size_t r, size_t) { return r == 9; }).text == "45 of 45 in row 9");
  BOOST_TEST(place_where([](size_t, size_t, size_t c) { return c >= 32; }).text ==
             "910 of 910 in columns 32..44 = last 13 of n=45: tail of a 32-wide tile?");
  BOOST_TEST(place_where([](size_t, size_t r, size_t) { return r >= 64; }).text ==
             "270 of 270 in rows 64..69 = last 6 of m=70: tail of a 64-wide tile?");
  BOOST_TEST(place_where([](size_t, size_t r, size_t c) { return r / 16 == 2 && c / 16 == 1; }).text ==
             "256 of 256 in the 16x16 tile of rows 32..47, columns 16..31");
  BOOST_TEST(place_where([](size_t, size_t, size_t c) { return c / 8 == 2; }).text ==
             "560 of 560 in columns 16..23 = one 8-wide tile");
  BOOST_TEST(place_where([](size_t, size_t, size_t c) { return c % 8 == 3; }).text ==
             "420 of 420 in columns 3 mod 8");
  BOOST_TEST(place_where([](size_t, size_t r, size_t) { return r % 2 == 1; }).text ==
             "1575 of 1575 in rows 1 mod 2");
  BOOST_TEST(place_where([](size_t b, size_t, size_t) { return b == 2; }, {4, 9, 11}).text ==
             "99 of 99 in batch 2 of 4");
  BOOST_TEST(place_where(all).kind == "everywhere");
  BOOST_TEST(place_where([](size_t, size_t, size_t c) { return c == 32; }, {64, 33}).text ==
             "64 of 64 in column 32 = last of n=33: tail of a 32-wide tile?");
  BOOST_TEST(place_where([](size_t, size_t, size_t c) { return c == 44; }).text ==
             "70 of 70 in column 44 = last of n=45");
  // Rectangles of any size, aligned or not.
  const auto block = [](size_t top, size_t bottom, size_t left, size_t right) {
    return place_where(
        [=](size_t, size_t r, size_t c) { return r >= top && r <= bottom && c >= left && c <= right; },
        {128, 128});
  };
  BOOST_TEST(block(10, 19, 30, 39).text == "100 of 100 in rows 10..19, columns 30..39");
  BOOST_TEST(block(64, 127, 32, 63).text == "2048 of 2048 in rows 64..127, columns 32..63 = one 64x32 tile");
  BOOST_TEST(block(0, 15, 0, 7).text == "128 of 128 in rows 0..15, columns 0..7 = one 16x8 tile");
  BOOST_TEST(block(5, 5, 8, 15).text == "8 of 8 in row 5, columns 8..15");
  BOOST_TEST(block(10, 19, 30, 39).kind == "block");
  BOOST_TEST(place_where([](size_t, size_t r,
                            size_t c) { return (r / 10 == 1 && c / 10 == 3) || (r == 100 && c == 3); },
                         {128, 128})
                 .text == "100 of 101 in rows 10..19, columns 30..39");
  BOOST_TEST(place_where([](size_t b, size_t r, size_t c) { return b == 1 && r / 4 == 1 && c / 3 == 1; },
                         {3, 40, 40})
                 .text == "12 of 12 in rows 4..7, columns 3..5 of batch 1");
  // A place is named while a few values lie elsewhere.
  BOOST_TEST(place_where([](size_t, size_t r, size_t c) { return c == 7 || (r == 1 && c == 2); }).text ==
             "70 of 71 in column 7");
}

BOOST_AUTO_TEST_CASE(looks_are_named) {
  using Values = std::vector<float>;
  using std::size_t;
  const auto look = [](const auto& damage, Shape shape = {48, 48}) {
    return place_of(damage, std::move(shape)).text;
  };
  BOOST_TEST(holds(look([](Values& got, const Values& want, size_t i, size_t, size_t r, size_t c) {
                     got[i] = want[c * 48 + r];
                   }),
                   "got is want transposed"));
  BOOST_TEST(holds(look(
                       [](Values& got, const Values& want, size_t i, size_t, size_t r, size_t c) {
                         const size_t flat = r * 30 + c;
                         got[i] = want[flat % 20 * 30 + flat / 20];
                       },
                       {20, 30}),
                   "written column by column"));
  BOOST_TEST(holds(look([](Values& got, const Values&, size_t i, size_t, size_t r, size_t) {
                     if (r > 40) got[i] = 0;
                   }),
                   "got is zero there"));
  BOOST_TEST(holds(look([](Values& got, const Values& want, size_t i, size_t, size_t r, size_t c) {
                     if (r < 16 && c < 16) got[i] = want[i + 16];
                   }),
                   "got is want 16 columns on: a tile off by one?"));
  BOOST_TEST(holds(look([](Values& got, const Values& want, size_t i, size_t, size_t r, size_t c) {
                     if (r >= 8 && c < 16) got[i] = want[i - 48];
                   }),
                   "got is want one row back: an index off by one?"));
  BOOST_TEST(holds(look([](Values& got, const Values&, size_t i, size_t, size_t, size_t c) {
                     got[i] += 1 + static_cast<float>(c);
                   }),
                   "constant down each column: a bias left out?"));
  BOOST_TEST(holds(look([](Values& got, const Values&, size_t i, size_t, size_t r, size_t) {
                     got[i] += 1 + static_cast<float>(r % 5);
                   }),
                   "constant along each row"));
  BOOST_TEST(holds(look([](Values& got, const Values&, size_t i, size_t, size_t, size_t) { got[i] *= 0.5F; }),
                   "got is want times 0.5"));
  BOOST_TEST(holds(look([](Values& got, const Values&, size_t i, size_t, size_t, size_t) {
                     got[i] = static_cast<float>(bf16_t(got[i]));
                   }),
                   "8 bits of precision there: bfloat16 on the way?"));
  // Formats of one precision are told apart by their range alone.
  BOOST_TEST(holds(look([](Values& got, const Values&, size_t i, size_t, size_t, size_t) {
                     const FormatSpec& f = formats::float16;
                     got[i] = static_cast<float>(decode(encode(static_cast<double>(got[i]), f).code, f));
                   }),
                   "11 bits of precision there: float16 or tf32 on the way?"));
  const std::string wide = look([](Values& got, const Values&, size_t i, size_t, size_t r, size_t) {
    const double x = static_cast<double>(got[i]) * (r < 5 ? 0x1p30 : 1);
    got[i] = static_cast<float>(decode(encode(x, formats::tf32).code, formats::tf32));
  });
  BOOST_TEST(holds(wide, "11 bits of precision there: tf32 on the way?"));
  BOOST_TEST(holds(look([](Values& got, const Values&, size_t i, size_t, size_t, size_t c) {
                     if (c == 5) got[i] = -got[i];
                   }),
                   "bit 31 (sign) is flipped"));
  BOOST_TEST(holds(look([](Values& got, const Values&, size_t i, size_t, size_t, size_t c) {
                     if (c == 5) got[i] = not_a_number;
                   }),
                   "got is NaN there"));
}

BOOST_AUTO_TEST_CASE(what_the_memory_held_before_is_recognised) {
  const std::vector<float> want = normal(40 * 40, 7), before = normal(40 * 40, 8);
  std::vector<float> got = want;
  std::copy(before.begin() + 1200, before.end(), got.begin() + 1200);
  Options options;
  options.stale = codes(before, {40, 40});
  const Where w = compared(got, want, {40, 40}, options).where;
  BOOST_TEST(w.kind == "rows");
  BOOST_TEST(holds(w.text, "in rows 30..39 = last 10 of m=40; got is what the memory held before"));
}
