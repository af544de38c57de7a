// No result of a legal order fails. The orders are those of the second implementation (tests/support), which knows
// nothing of bounds: random trees over random operands, alpha, C and bias wherever they may enter.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <vector>

#include "tests/support/judged_operation.hpp"
#include "validation/report/comparison_report.hpp"

using namespace assay;
using oracle::Claim;
using oracle::Dice;
using oracle::JudgedOperation;

namespace {

struct Tally {
  std::uint64_t results = 0, failed = 0, not_judged = 0, unnamed = 0;
  std::string first;
};

// Does the first line of the verdict, and its JSON, tell how many values were not judged?
bool names_what_was_not_judged(const compare::Comparison& c) {
  const std::string line = comparison_headline(compare::verdict_name(c.verdict), "fuzz", c);
  const std::string count = fmt::format("{} of {} values NOT JUDGED", c.not_judged, c.values);
  return (line.find(count) != std::string::npos) == (c.not_judged > 0) &&
         parse_comparison(json_comparison(c)).not_judged == c.not_judged;
}

void count_failures(const JudgedOperation& operation, const std::vector<Claim>& claims, Tally& tally) {
  const compare::Comparison c = operation.judge(claims);
  tally.results += claims.size();
  tally.not_judged += c.not_judged;
  tally.failed += c.outside;
  tally.unnamed += names_what_was_not_judged(c) ? 0 : 1;
  if (c.outside == 0) return;
  for (const Claim& claim : claims) {
    if (!operation.is_outside(claim)) continue;
    fmt::print("{}", operation.reproduction(claim));
    if (tally.first.empty()) tally.first = operation.reproduction(claim);
  }
}

// Several orders of each output. Where the format has no code for a NaN nothing is claimed.
std::vector<Claim> legal_results(const JudgedOperation& operation, Dice& dice) {
  constexpr int orders = 4;
  std::vector<Claim> claims;
  for (std::size_t i = 0; i < operation.sums().size(); ++i) {
    for (int order = 0; order < orders; ++order) {
      if (const auto code = oracle::random_result(operation.sums()[i], dice)) claims.push_back({i, *code});
    }
  }
  return claims;
}

void no_legal_result_fails(std::uint64_t seed, std::uint64_t operations) {
  Tally tally;
  for (std::uint64_t number = 0; number < operations; ++number) {
    const JudgedOperation operation(oracle::random_operation(seed, number));
    Dice dice(seed + 1000, number);
    count_failures(operation, legal_results(operation, dice), tally);
  }
  fmt::print("seed {}: {} operations, {} legal results, {} outside, {} not judged\n", seed, operations,
             tally.results, tally.failed, tally.not_judged);
  BOOST_TEST(tally.failed == 0U, tally.first);
  BOOST_TEST(tally.unnamed == 0U);
  BOOST_TEST(tally.results > operations);
}

}  // namespace

BOOST_AUTO_TEST_CASE(random_orders_pass) { no_legal_result_fails(1, 1500); }

BOOST_AUTO_TEST_CASE(many_random_orders_pass, *boost::unit_test::label("exhaustive")) {
  for (std::uint64_t seed = 2; seed < 30; ++seed) no_legal_result_fails(seed, 4000);
}

// Whatever the mode, the format and the policy of overflow: the exact result, rounded once, is right.
BOOST_AUTO_TEST_CASE(exact_results_rounded_once_pass) {
  Tally tally;
  std::size_t other_codes = 0;
  for (std::uint64_t number = 0; number < 1500; ++number) {
    const JudgedOperation operation(oracle::random_operation(100, number));
    std::vector<Claim> claims;
    for (std::size_t i = 0; i < operation.sums().size(); ++i) {
      const oracle::Sum& s = operation.sums()[i];
      const auto code = oracle::output_code(s, oracle::exact_sum(s));
      if (!code) continue;
      claims.push_back({i, *code});
      const bool same = oracle::is_same_value(*code, operation.exact_code(i), operation.format());
      if (same) continue;
      ++other_codes;
      fmt::print("the exact result is another: {}", operation.reproduction(claims.back()));
    }
    count_failures(operation, claims, tally);
  }
  BOOST_TEST(tally.failed == 0U, tally.first);
  BOOST_TEST(other_codes == 0U);
}
