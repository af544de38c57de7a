// For cases that count the threads of a process.
#pragma once

#include <boost/test/unit_test.hpp>

namespace assay::tests {

#if defined(__SANITIZE_THREAD__)
inline constexpr bool threads_are_the_programs = false;
#else
inline constexpr bool threads_are_the_programs = true;
#endif

// A precondition of Boost.Test.
struct ThreadsAreThePrograms {
  boost::test_tools::assertion_result operator()(boost::unit_test::test_unit_id) const {
    boost::test_tools::assertion_result are(threads_are_the_programs);
    if (!are) are.message() << "the thread sanitizer gives every process a thread of its own";
    return are;
  }
};

}  // namespace assay::tests
