// CUDA programs that check themselves, rewritten and compiled by the build.
#include <boost/test/unit_test.hpp>

#include <string>

#include "tests/validation/shell.hpp"

namespace {
void runs(const std::string& program) {
  for (const char* const threads : {"1", "3"}) {
    const assay::shell::Outcome outcome = assay::shell::run(
        std::string("OMP_NUM_THREADS=") + threads + " '" ASSAY_SIMT_PROGRAMS "/simt_" + program + "'");
    BOOST_TEST(outcome.exit_code == 0,
               program << " on " << threads << " threads: " << outcome.out << outcome.err);
  }
}
}  // namespace

BOOST_AUTO_TEST_CASE(reductions) { runs("reductions"); }
BOOST_AUTO_TEST_CASE(errors) { runs("errors"); }
BOOST_AUTO_TEST_CASE(intrinsics) { runs("intrinsics"); }
BOOST_AUTO_TEST_CASE(wmma) { runs("wmma"); }
BOOST_AUTO_TEST_CASE(wmma_bits) { runs("wmma_bits"); }
BOOST_AUTO_TEST_CASE(groups) { runs("groups"); }
BOOST_AUTO_TEST_CASE(group_sums) { runs("group_sums"); }
BOOST_AUTO_TEST_CASE(atomics) { runs("atomics"); }
BOOST_AUTO_TEST_CASE(pipelines) { runs("pipelines"); }
BOOST_AUTO_TEST_CASE(cooperative) { runs("cooperative"); }
BOOST_AUTO_TEST_CASE(nested) { runs("nested"); }
BOOST_AUTO_TEST_CASE(endless) { runs("endless"); }
BOOST_AUTO_TEST_CASE(ptx) { runs("ptx"); }
BOOST_AUTO_TEST_CASE(async) { runs("async"); }
BOOST_AUTO_TEST_CASE(assertions) { runs("assertions"); }
BOOST_AUTO_TEST_CASE(halves) { runs("halves"); }
BOOST_AUTO_TEST_CASE(headers) { runs("headers"); }
BOOST_AUTO_TEST_CASE(integers) { runs("integers"); }
