// What an arithmetic does besides the sum, in words.
#pragma once

#include <string>

#include "reference/exact/arithmetic.hpp"

namespace assay::judge {

// The fewest digits that bring the number back, as a float32 if it is one.
std::string scale_text(double scale);

// "alpha=0.7 beta=0.3", "mean".
std::string describe(const OwnScaling& scaling);

}  // namespace assay::judge
