#define BOOST_TEST_MODULE core_cpu
#include <boost/test/unit_test.hpp>

#include <sys/resource.h>

#include <fstream>
#include <string>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"

using namespace assay;

// A second source for the same facts: the kernel's list of flags.
BOOST_AUTO_TEST_CASE(cpuid_agrees_with_the_operating_system) {
  std::ifstream in("/proc/cpuinfo");
  std::string flags;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("flags")) {
      flags = line + " ";
      break;
    }
  }
  if (flags.empty()) {
    BOOST_TEST_MESSAGE("SKIPPED: /proc/cpuinfo shows no flags");
    return;
  }
  const auto has = [&flags](const std::string& flag) {
    return flags.find(" " + flag + " ") != std::string::npos;
  };
  BOOST_TEST(cpu_has(Isa::scalar));
  BOOST_TEST(cpu_has(Isa::f16c) == has("f16c"));
  BOOST_TEST(cpu_has(Isa::avx2) == (has("avx2") && has("fma") && has("bmi2")));
  BOOST_TEST(cpu_has(Isa::avx512) ==
             (has("avx512f") && has("avx512bw") && has("avx512dq") && has("avx512vl")));
  BOOST_TEST(cpu_has(Isa::avx512bf16) == has("avx512_bf16"));
  BOOST_TEST(cpu_has(Isa::amx_bf16) == has("amx_bf16"));
}

BOOST_AUTO_TEST_CASE(names_and_order) {
  for (const Isa isa : all_isas()) BOOST_TEST((parse_isa(isa_name(isa), "--isa") == isa));
  BOOST_CHECK_THROW(parse_isa("avx1024", "--isa"), InputError);
  BOOST_TEST(isa_within(Isa::scalar, Isa::avx2));
  BOOST_TEST(!isa_within(Isa::avx512, Isa::avx2));
  BOOST_TEST(hardware_threads() >= 1);
  BOOST_TEST(available_memory_bytes() > std::uint64_t{1} << 20);
  BOOST_TEST(cpu_model().find("family") != std::string::npos);
}

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
