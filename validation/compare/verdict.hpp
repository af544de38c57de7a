// The verdict that follows from the counts of a comparison.
#pragma once

#include <cstdint>

#include "validation/compare/comparison.hpp"

namespace assay::compare {

// Sets verdict and reason. `zero_truths`: how many of the expected values are zero. Agreement that zeros would have
// reached, or with a truth that is NaN everywhere, proves nothing.
void set_verdict(Comparison& c, std::uint64_t zero_truths, bool expects_zero);

}  // namespace assay::compare
