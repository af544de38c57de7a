// The exit code of a run: every combination of what can happen, against the precedence 4 > 2 > 1 > 3 > 0.
#include "validation/cli/verdict.hpp"
#include "validation/report/run_report.hpp"

#include <boost/test/unit_test.hpp>

using namespace assay;

namespace {

// The rule again, as the sentence that states it: the first that holds.
int by_the_sentence(const Counts& c, bool strict) {
  if (c.errors_ours != 0) return 4;
  if (c.errors_input != 0) return 2;
  if (c.failed != 0 || c.errors_under_test != 0) return 1;
  if (c.passed == 0) return 3;
  return strict && (c.vacuous != 0 || c.skipped != 0) ? 1 : 0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_combination) {
  int wrong = 0;
  for (unsigned mask = 0; mask < 256; ++mask) {
    const auto one_if = [mask](unsigned bit) -> std::size_t { return mask >> bit & 1; };
    Counts c;
    c.passed = one_if(0);
    c.failed = one_if(1);
    c.vacuous = one_if(2);
    c.skipped = one_if(3);
    c.errors_ours = one_if(4);
    c.errors_under_test = one_if(5);
    c.errors_input = one_if(6);
    const bool strict = one_if(7) != 0;
    wrong += cli::exit_code(c, strict) != by_the_sentence(c, strict);
    wrong += verdict_text(c, strict).empty();
  }
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(some_by_hand) {
  Counts passed_and_skipped{.passed = 5, .skipped = 2};
  BOOST_TEST(cli::exit_code(passed_and_skipped, false) == 0);
  BOOST_TEST(cli::exit_code(passed_and_skipped, true) == 1);
  BOOST_TEST(cli::exit_code({.skipped = 2}, false) == 3);
  BOOST_TEST(cli::exit_code({.skipped = 2}, true) == 3);
  BOOST_TEST(cli::exit_code({}, false) == 3);
  BOOST_TEST(cli::exit_code({.vacuous = 1}, false) == 3);
  BOOST_TEST(cli::exit_code({.failed = 1, .errors_input = 1}, false) == 2);
  BOOST_TEST(cli::exit_code({.failed = 1, .errors_ours = 1, .errors_input = 1}, false) == 4);
  BOOST_TEST(verdict_text(passed_and_skipped, false) != verdict_text({.passed = 5}, false));
}
