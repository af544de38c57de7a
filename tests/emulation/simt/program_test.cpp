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
boost::test_tools::assertion_result cpu_has_fma(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result answer(__builtin_cpu_supports("fma") != 0);
  answer.message() << "this CPU has no FMA";
  return answer;
}
}  // namespace

namespace simt_programs {  // whose names are those of the files

BOOST_AUTO_TEST_CASE(reductions) { runs("reductions"); }
BOOST_AUTO_TEST_CASE(errors) { runs("errors"); }
BOOST_AUTO_TEST_CASE(faults) { runs("faults"); }
BOOST_AUTO_TEST_CASE(intrinsics) { runs("intrinsics"); }
BOOST_AUTO_TEST_CASE(contraction) { runs("contraction"); }
BOOST_AUTO_TEST_CASE(contraction_fused, *boost::unit_test::precondition(cpu_has_fma)) {
  runs("contraction_fused");
}
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
BOOST_AUTO_TEST_CASE(memory) { runs("memory"); }
BOOST_AUTO_TEST_CASE(textures) { runs("textures"); }
BOOST_AUTO_TEST_CASE(older) { runs("older"); }
#ifdef ASSAY_SIMT_HAS_THRUST
BOOST_AUTO_TEST_CASE(thrust) { runs("thrust"); }
#endif
BOOST_AUTO_TEST_CASE(graphs) { runs("graphs"); }
BOOST_AUTO_TEST_CASE(graph_kernels) { runs("graph_kernels"); }
BOOST_AUTO_TEST_CASE(device) {
  runs("device");
  for (const char* const gpu : {"sm_70", "sm_75", "sm_80", "sm_86", "sm_89", "sm_100", "sm_120"}) {
    const std::string command =
        std::string("ASSAY_SIMT_ARCH=") + gpu + " '" ASSAY_SIMT_PROGRAMS "/simt_device'";
    const assay::shell::Outcome outcome = assay::shell::run(command);
    BOOST_TEST(outcome.exit_code == 0, gpu << ": " << outcome.out << outcome.err);
  }
  // As nvcc calls it for the features of this GPU alone.
  BOOST_TEST(assay::shell::run("ASSAY_SIMT_ARCH=sm_90a '" ASSAY_SIMT_PROGRAMS "/simt_async'").exit_code == 0);
  const assay::shell::Outcome outcome =
      assay::shell::run("ASSAY_SIMT_ARCH=sm_35 '" ASSAY_SIMT_PROGRAMS "/simt_errors'");
  BOOST_TEST(outcome.exit_code == 2);
  BOOST_TEST(outcome.err.find("ASSAY_SIMT_ARCH=sm_35: not one of sm_70") != std::string::npos, outcome.err);
}

}  // namespace simt_programs
