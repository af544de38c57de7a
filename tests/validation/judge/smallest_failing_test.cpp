// Minimal failing subsets of planted failures.
#include "validation/judge/smallest_failing.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <numeric>
#include <set>
#include <vector>

#include "reference/core/random.hpp"

using namespace assay;
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
