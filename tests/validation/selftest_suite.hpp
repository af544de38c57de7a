// Suites whose cases pass, fail, crash, hang and lie on purpose: what the runner must survive.
#pragma once

#include <vector>

#include "validation/suites/suite.hpp"

namespace assay::selftest {

// "selftest" has a case for every way to end but hanging; "slow" one that hangs; "calm" cases that pass, in numbers
// that depend on the scale; "none" has none.
std::vector<suites::Suite> all_suites();

// Cases that end only where two run at the same time: not for a run with one thread.
suites::Suite beside_suite();

// A case that passes between two that hang, all of one thread.
suites::Suite waiting_suite();

}  // namespace assay::selftest
