#include <boost/test/unit_test.hpp>

#include <sys/resource.h>

#include <string>

#include "reference/core/cpu.hpp"
#include "tests/support/address_space.hpp"

using namespace assay;

BOOST_AUTO_TEST_CASE(this_machine) {
  BOOST_TEST(hardware_threads() >= 1);
  BOOST_TEST(available_memory_bytes() > std::uint64_t{1} << 20);
  BOOST_TEST(cpu_model().find("family") != std::string::npos);
}

BOOST_TEST_DECORATOR(*boost::unit_test::precondition(tests::CanLimitAddresses{}))
BOOST_AUTO_TEST_CASE(a_limit_of_the_process_is_known) {
  rlimit before{};
  BOOST_REQUIRE(getrlimit(RLIMIT_AS, &before) == 0);
  rlimit tight = before;
  tight.rlim_cur = std::uint64_t{1} << 20;  // below what the process has, which keeps that
  BOOST_REQUIRE(setrlimit(RLIMIT_AS, &tight) == 0);
  std::uint64_t left = 1;
  // Without memory even the question may fail; that is no answer above the limit.
  try {
    left = available_memory_bytes();
  } catch (const std::bad_alloc&) {
    left = 0;
  }
  BOOST_REQUIRE(setrlimit(RLIMIT_AS, &before) == 0);
  BOOST_TEST(left == 0U);
}

BOOST_AUTO_TEST_CASE(the_guard_restores_mxcsr) {
  const std::uint32_t before = mxcsr();
  {
    const MxcsrGuard guard(0x9FC0);
    BOOST_TEST((mxcsr() & 0xFFC0) == 0x9FC0U);
  }
  BOOST_TEST(mxcsr() == before);
}
