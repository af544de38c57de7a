#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/exact/error_bound.hpp"
#include "tests/reference/exact/worst_cases.hpp"
#include "tests/reference/formats/printing.hpp"

namespace bdata = boost::unit_test::data;
using namespace assay;
using namespace assay::test;

namespace {

std::vector<SumOrder> orders() {
  return {SumOrder::sequential(), SumOrder::pairwise(),     SumOrder::pairwise(5),
          SumOrder::blocked(3),   SumOrder::blocked(8, 20), SumOrder::blocked(1, 16)};
}

// Every order, product format, flushing, output and class of data under one rounding: none may exceed its bound.
BOOST_DATA_TEST_CASE(never_exceeded,
                     bdata::make(std::vector<Rounding>(all_roundings.begin(), all_roundings.end())), mode) {
  const std::optional<FormatSpec> fused;
  const std::optional<FormatSpec> products[] = {fused, formats::float32, formats::bfloat16, formats::float16};
  const FormatSpec* accumulators[] = {&formats::float32, &formats::bfloat16, &formats::float16,
                                      &formats::float64};
  std::size_t judged = 0, exceeded = 0, infinite = 0;
  std::string worst_name;
  for (const FormatSpec* accumulator : accumulators) {
    for (const auto& product : products) {
      for (const SumOrder& order : orders()) {
        for (int flush = 0; flush < 4; ++flush) {
          const ChainSpec spec{.name = "chain",
                               .accumulator = *accumulator,
                               .product = product,
                               .order = order,
                               .rounding = mode,
                               .flush_inputs = (flush & 1) != 0,
                               .flush_results = (flush & 2) != 0};
          const auto arithmetic = make_chain(spec);
          for (const Operands kind : all_operands) {
            if (kind == Operands::with_specials) continue;
            for (const std::size_t n : {1U, 2U, 9U, 70U}) {
              const FormatSpec& input = n % 2 == 0 ? formats::float32 : formats::bfloat16;
              const auto [a, b] = make_operands(kind, n, input, input, n + static_cast<std::size_t>(flush));
              const std::optional<std::uint64_t> c =
                  n == 9 ? std::optional(encode(0.75, *accumulator).code) : std::nullopt;
              const FormatSpec& output = n == 2 ? formats::float16 : *accumulator;
              const std::uint64_t result = arithmetic->dot(a.view(), b.view(), c, output, n);
              const ExactDot truth = arithmetic->exact(a.view(), b.view(), c);
              // Saturating modes hide an overflow: leave out what might have come near one.
              double top = decode(accumulator->max_finite_code(), *accumulator);
              for (const FormatSpec& f : {product.value_or(*accumulator), output}) {
                top = std::min(top, decode(f.max_finite_code(), f));
              }
              if (!output.is_finite(result) || truth.magnitudes > top / 2) {
                ++infinite;
                continue;
              }
              ++judged;
              const double bound = arithmetic->bound(a.view(), b.view(), c, output);
              if (exceeds(exact_error(truth.value, result, output), bound)) {
                ++exceeded;
                worst_name = std::string(accumulator->dtype) + " " + arithmetic->info().products + " " +
                             arithmetic->info().order + " " + std::string(name(kind)) +
                             " n=" + std::to_string(n) + " flush=" + std::to_string(flush);
              }
            }
          }
        }
      }
    }
  }
  BOOST_TEST(judged > 4000U, judged << " judged, " << infinite << " near overflow");
  BOOST_TEST(exceeded == 0U, exceeded << " of " << judged << ", last " << worst_name);
}

// Long sums: the error that directed modes pile up, and stochastic ones do not.
BOOST_DATA_TEST_CASE(long_sums,
                     bdata::make(std::vector<Rounding>(all_roundings.begin(), all_roundings.end())), mode) {
  std::size_t exceeded = 0, judged = 0;
  for (const FormatSpec* accumulator : {&formats::float32, &formats::bfloat16}) {
    const auto arithmetic = make_chain({.name = "long", .accumulator = *accumulator, .rounding = mode});
    for (const Operands kind : {Operands::positive, Operands::normal, Operands::cancelling}) {
      for (const std::size_t n : {1000U, 20000U}) {
        const auto [a, b] = make_operands(kind, n, formats::bfloat16, formats::bfloat16, n);
        const std::uint64_t result = arithmetic->dot(a.view(), b.view());
        // Upward in bfloat16 each of the 20000 steps gains a last place: 1.008^20000 overflows.
        if (!accumulator->is_finite(result)) continue;
        ++judged;
        const ExactDot truth = arithmetic->exact(a.view(), b.view(), {});
        exceeded += exceeds(exact_error(truth.value, result, *accumulator),
                            arithmetic->bound(a.view(), b.view(), {}, *accumulator));
      }
    }
  }
  BOOST_TEST(judged >= 10U);
  BOOST_TEST(exceeded == 0U);
}

// The constructed cases stay within their bounds and come within a factor of 4.
BOOST_DATA_TEST_CASE(nearly_reached, bdata::make({&formats::float32, &formats::float16, &formats::bfloat16}),
                     accumulator) {
  std::size_t exceeded = 0;
  double least = 1;
  std::string least_name;
  for (const std::size_t n : {2U, 3U, 10U, 50U}) {
    for (const WorstCase& worst : worst_cases(*accumulator, n)) {
      const Judged judged = judge(worst);
      const double bound = bound_of(worst, judged.data);
      exceeded += exceeds(judged.error, bound);
      const double share = judged.error.rounded_up() / bound;
      if (share < least) {
        least = share;
        least_name = worst.name + " n=" + std::to_string(n);
      }
    }
  }
  BOOST_TEST(exceeded == 0U);
  BOOST_TEST(least >= 0.25, least_name << " reaches " << least << " of its bound");
}

// Trees of logarithmic height: a search from random data, one changed term at a time.
BOOST_AUTO_TEST_CASE(hill_climb) {
  for (const SumOrder& order : orders()) {
    WorstCase best{
        "climb",
        {.name = "climb", .accumulator = formats::bfloat16, .product = formats::bfloat16, .order = order},
        CodeArray(16, formats::bfloat16),
        CodeArray(16, formats::bfloat16)};
    const CounterRandom random(11);
    for (std::size_t i = 0; i < 16; ++i) {
      best.a.set(i, encode(1 + random.uniform(2 * i), formats::bfloat16).code);
      best.b.set(i, encode(1 + random.uniform(2 * i + 1), formats::bfloat16).code);
    }
    double best_share = 0;
    std::size_t exceeded = 0;
    for (std::uint64_t step = 0; step < 6000; ++step) {
      WorstCase next = best;
      const std::uint64_t at = random.below(16, 100 + 3 * step);
      const auto term = static_cast<std::uint64_t>(random.below(512, 101 + 3 * step));
      CodeArray& side = (random.u32(102 + 3 * step) & 1) != 0 ? next.a : next.b;
      side.set(at,
               encode(std::ldexp(1 + static_cast<double>(term % 128) / 128, -static_cast<int>(term / 128)),
                      formats::bfloat16)
                   .code);
      const Judged judged = judge(next);
      const double bound = bound_of(next, judged.data);
      exceeded += exceeds(judged.error, bound);
      const double share = judged.error.rounded_up() / bound;
      if (share >= best_share) {
        best_share = share;
        best = next;
      }
    }
    BOOST_TEST(exceeded == 0U);
    BOOST_TEST_INFO(order_name(order));
    BOOST_TEST(best_share >= 0.25);
  }
}

BOOST_AUTO_TEST_CASE(forms_of_the_design) {
  const double u = 0x1p-24;
  TermSums data{.terms = 100, .magnitudes = 1};
  Accumulation how;
  BOOST_TEST(sum_bound(how, data).value == 99 * u);
  how.rounding = Rounding::toward_zero;
  BOOST_TEST(sum_bound(how, data).value == 99 * 2 * u);
  how.rounding = Rounding::stochastic;
  BOOST_TEST(sum_bound(how, data).value >= std::expm1(99 * std::log1p(2 * u)));
  BOOST_TEST(sum_bound(how, data).value <= std::expm1(99 * std::log1p(2 * u)) * (1 + 1e-13));
  how.rounding = Rounding::nearest_even;
  BOOST_TEST(dot_bound(how, data).relative == 100 * u);
  BOOST_TEST(dot_bound(how, data).absolute == (1 + 100 * u) * 100 * 0x1p-150);
  how.rounding = Rounding::toward_negative;
  BOOST_TEST(dot_bound(how, data).absolute >= (1 + 100 * 2 * u) * 100 * 0x1p-149);
  BOOST_TEST(dot_bound(how, data).absolute <= (1 + 101 * 2 * u) * 100 * 0x1p-149);
  how.rounding = Rounding::nearest_even;
  how.flush = true;
  BOOST_TEST(dot_bound(how, data).absolute >= 100 * 0x1p-126);
  // One term is exact, none is nothing; c makes one more.
  how.flush = false;
  BOOST_TEST(sum_bound(how, {.terms = 1, .magnitudes = 5}).value == 0);
  BOOST_TEST(dot_bound(how, {.terms = 0, .magnitudes = 0}).value == 0);
  data.addend = true;
  BOOST_TEST(dot_bound(how, data).relative == 101 * u);
  // Known orders sharpen it.
  how.order = SumOrder::pairwise();
  BOOST_TEST(dot_bound(how, data).relative <= 10 * u);
  // Sums of a wider format are rounded on entering.
  how.order = SumOrder::any();
  BOOST_TEST(sum_bound(how, {.terms = 100, .magnitudes = 1}, formats::float64).relative == 100 * u);
  BOOST_TEST(sum_bound(how, {.terms = 100, .magnitudes = 1}, formats::bfloat16).relative == 99 * u);
  BOOST_TEST(sum_bound(how, {.terms = 2, .magnitudes = 1e39}).may_overflow);
  BOOST_TEST(!sum_bound(how, {.terms = 2, .magnitudes = 1e38}).may_overflow);
}

// mean: the division's rounding is inside its bound, and comes near it.
BOOST_AUTO_TEST_CASE(means) {
  std::size_t exceeded = 0;
  double nearest = 0;
  const Accumulation how{.order = SumOrder::sequential()};
  const auto chain = make_chain({.name = "mean"});
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const std::size_t n = 1 + seed % 13;
    const auto [x, unused] = make_operands(Operands::positive, n, formats::float32, formats::float32, seed);
    const CodeArray ones = coded(std::vector<double>(n, 1.0), formats::float32);
    const auto code = static_cast<std::uint32_t>(chain->dot(x.view(), ones.view()));
    const float mean = std::bit_cast<float>(code) / static_cast<float>(n);
    const ExactSum sum = exact_sum(x.view());
    // n |mean - truth| <= n bound, so that nothing is divided.
    ExactSum error = sum;
    error.add_product(-static_cast<double>(mean), static_cast<double>(n));
    if (error.result().negative) error.negate();
    const double bound =
        mean_bound(how, {.terms = n, .magnitudes = sum.magnitude_up()}, formats::float32).value;
    ExactSum excess = error;
    excess.add_product(-bound, static_cast<double>(n));
    exceeded += !excess.result().negative && !excess.result().is_zero();
    nearest = std::max(nearest, error.rounded_up() / (bound * static_cast<double>(n)));
  }
  BOOST_TEST(exceeded == 0U);
  BOOST_TEST(nearest >= 0.25);
}

// Each operation on bounds is no less than the exact one and at most one step above it.
BOOST_AUTO_TEST_CASE(upward_is_upward) {
  std::size_t below = 0, far = 0;
  for (const Operands kind : {Operands::positive, Operands::wide, Operands::subnormal, Operands::normal}) {
    const auto [a, b] = make_operands(kind, 2000, formats::float64, formats::float64, 3);
    for (std::size_t i = 0; i < 2000; ++i) {
      const double x = std::fabs(decode(a.code(i), formats::float64)),
                   y = std::fabs(decode(b.code(i), formats::float64));
      ExactSum sum, product;
      sum.add(x);
      sum.add(y);
      product.add_product(x, y);
      for (const auto& [got, exact_up] : {std::pair(upward::add(x, y), sum.rounded_up()),
                                          std::pair(upward::multiply(x, y), product.rounded_up())}) {
        below += got < exact_up;
        far += got > std::nextafter(exact_up, std::numeric_limits<double>::infinity());
      }
      if (y == 0) continue;
      const double q = upward::divide(x, y);
      ExactSum rest;  // q y - x
      rest.add_product(q, y);
      rest.add(-x);
      below += std::isfinite(q) && rest.result().negative;
    }
  }
  BOOST_TEST(below == 0U);
  BOOST_TEST(far == 0U);
  for (const double x : {0x1p-24, 0x1p-8, 0x1p-53}) {
    for (const std::uint64_t n : {0U, 1U, 2U, 3U, 1000U, 123456U}) {
      const double want = std::expm1(static_cast<double>(n) * std::log1p(x));
      const double got = upward::compound(x, n);
      BOOST_TEST((got >= want * (1 - 1e-14) && got <= want * (1 + 1e-12)));
      BOOST_TEST(got >= static_cast<double>(n) * x);
    }
  }
}

}  // namespace
