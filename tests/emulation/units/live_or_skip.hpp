// main() of a program whose every case needs an instruction of this CPU: without it, ctest's SKIP and the reason.
#pragma once

#include <boost/test/unit_test.hpp>
#include <iostream>

#include "reference/core/cpu.hpp"
#include "reference/core/dispatch.hpp"

namespace assay::test {

inline int run_or_skip(Isa needs, boost::unit_test::init_unit_test_func init, int argc, char** argv) {
  if (const std::string why = why_unavailable(needs); !why.empty()) {
    std::cout << "SKIPPED: " << why << "\n";
    return 77;
  }
  std::cout << "against " << cpu_model() << "\n";
  return boost::unit_test::unit_test_main(init, argc, argv);
}

}  // namespace assay::test
