// For cases that limit the address space of a process.
#pragma once

#include <boost/test/unit_test.hpp>

namespace assay::tests {

// The shadow memory of a sanitizer takes terabytes of addresses, so no limit leaves room for it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool can_limit_addresses = false;
#else
inline constexpr bool can_limit_addresses = true;
#endif

// A precondition of Boost.Test.
struct CanLimitAddresses {
  boost::test_tools::assertion_result operator()(boost::unit_test::test_unit_id) const {
    boost::test_tools::assertion_result can(can_limit_addresses);
    if (!can) can.message() << "a sanitizer's shadow memory leaves no room for a limit of addresses";
    return can;
  }
};

}  // namespace assay::tests
