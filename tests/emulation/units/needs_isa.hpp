// Precondition of a test case that needs an instruction of this CPU: without it the case is skipped, with the reason.
#pragma once

#include <boost/test/unit_test.hpp>

#include "reference/core/dispatch.hpp"

namespace assay::test {

struct NeedsIsa {
  Isa isa;
  boost::test_tools::assertion_result operator()(boost::unit_test::test_unit_id) const {
    boost::test_tools::assertion_result can(cpu_has(isa));
    if (!can) can.message() << why_unavailable(isa);
    return can;
  }
};

}  // namespace assay::test
