// Minimal failing subsets of planted failures, and cases of generate() that are what they promise.
#include "validation/judge/smallest_failing.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"
#include "validation/diagnose/program/generate.hpp"

using namespace assay;
using namespace assay::diagnose;
using namespace assay::judge;

namespace {

constexpr std::uint64_t seed = 20261121;

std::vector<std::size_t> first(std::size_t n) {
  std::vector<std::size_t> items(n);
  std::iota(items.begin(), items.end(), std::size_t{0});
  return items;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_needed_items_are_found_and_no_others) {
  const CounterRandom random(seed);
  std::size_t most_asked = 0;
  for (std::uint64_t trial = 0; trial < 300; ++trial) {
    const std::size_t n = 1 + random.below(100, 4 * trial),
                      wanted = random.below(std::min<std::size_t>(n, 5) + 1, 4 * trial + 1);
    std::set<std::size_t> needed;
    for (std::uint64_t i = 0; needed.size() < wanted; ++i) needed.insert(random.below(n, 1000 * trial + i));
    ShrinkBudget budget{.most = 100000};
    const auto fails = [&](const std::vector<std::size_t>& some) {
      return std::includes(some.begin(), some.end(), needed.begin(), needed.end());
    };
    const std::vector<std::size_t> found = smallest_failing(first(n), 0, fails, budget);
    BOOST_TEST((found == std::vector<std::size_t>(needed.begin(), needed.end())), "trial " << trial);
    most_asked = std::max<std::size_t>(most_asked, budget.asked);
  }
  BOOST_TEST_MESSAGE("seed " << seed << ": at most " << most_asked << " questions");
}

BOOST_AUTO_TEST_CASE(counts_shrink_to_their_limit_and_singly_minimal) {
  for (const std::size_t limit : {1U, 2U, 7U, 17U, 40U}) {
    ShrinkBudget budget;
    const auto fails = [&](const std::vector<std::size_t>& some) { return some.size() >= limit; };
    BOOST_TEST(smallest_failing(first(40), 1, fails, budget).size() == limit);
  }
  // Odd sizes alone fail: nothing can be taken from one.
  ShrinkBudget budget;
  const auto odd = [](const std::vector<std::size_t>& some) { return some.size() % 2 == 1; };
  BOOST_TEST(smallest_failing(first(31), 0, odd, budget).size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_budget_ends_the_search_with_what_fails) {
  ShrinkBudget budget{.most = 5};
  const auto fails = [](const std::vector<std::size_t>& some) { return some.size() >= 3; };
  const std::vector<std::size_t> found = smallest_failing(first(1000), 1, fails, budget);
  BOOST_TEST(budget.asked == 5U);
  BOOST_TEST(budget.spent());
  BOOST_TEST(fails(found));
}

BOOST_AUTO_TEST_CASE(integer_sums_are_exact_in_every_order) {
  for (const FormatSpec* out : {&formats::float32, &formats::bfloat16, &formats::float16}) {
    for (const CaseOperation operation : {CaseOperation::dot, CaseOperation::sum, CaseOperation::gemm}) {
      CaseSpec spec{
          .operation = operation, .values = CaseValues::integers, .m = 2, .n = 3, .most_terms = 100};
      spec.a = spec.b = formats::bfloat16;
      spec.output = *out;
      spec.with_c = operation != CaseOperation::sum;
      std::size_t nonzero = 0;
      for (std::size_t i = 0; i < 100; ++i) {
        const GeneratedCase c = generate(spec, i);
        for (std::size_t row = 0; row < c.m; ++row) {
          for (std::size_t col = 0; col < c.n; ++col) {
            double magnitudes = c.c.empty() ? 0 : std::fabs(decode(c.c[row * c.n + col], spec.accumulator));
            for (std::size_t k = 0; k < c.k; ++k) {
              const double a = decode(c.a[row * c.k + k], spec.a);
              const double b = c.b.empty() ? 1 : decode(c.b[k * c.n + col], spec.b);
              BOOST_TEST_REQUIRE(a == std::floor(a));
              BOOST_TEST_REQUIRE(b == std::floor(b));
              magnitudes += std::fabs(a * b);
              nonzero += a * b != 0 ? 1 : 0;
            }
            BOOST_TEST(magnitudes <= std::ldexp(1.0, std::min(out->precision, 24)));
          }
        }
      }
      BOOST_TEST(nonzero > 1000U);
    }
  }
}

BOOST_AUTO_TEST_CASE(cases_are_a_function_of_seed_and_index) {
  CaseSpec spec{.values = CaseValues::normal, .most_terms = 30};
  CaseSpec other = spec;
  other.seed = 2;
  std::set<std::size_t> lengths;
  for (std::size_t i = 0; i < 100; ++i) {
    BOOST_TEST((generate(spec, i).a == generate(spec, i).a));
    BOOST_TEST((generate(spec, i).a != generate(other, i).a));
    lengths.insert(generate(spec, i).k);
  }
  BOOST_TEST(lengths.size() > 20U);
  BOOST_TEST(*lengths.rbegin() <= 30U);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_made_is_refused) {
  CaseSpec spec{.values = CaseValues::integers, .least_terms = 257, .most_terms = 257};
  spec.output = formats::bfloat16;
  BOOST_TEST(!why_not(spec).empty());
  BOOST_CHECK_THROW(generate(spec, 0), ContractError);
  spec.least_terms = spec.most_terms = 256;
  BOOST_TEST(why_not(spec).empty());
  BOOST_TEST(!why_not(CaseSpec{.values = CaseValues::hard}).empty());
  BOOST_TEST(!why_not(CaseSpec{.least_terms = 3, .most_terms = 2}).empty());
}
