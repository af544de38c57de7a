// The order of a sum as a person types it.
#pragma once

#include <string>

#include "reference/exact/schedule.hpp"

namespace assay::judge {

// "any", "sequential", "pairwise", "pairwise:128", "blocked:LANES", "blocked:LANES:PANEL". InputError that names
// --order for anything else.
SumOrder parse_order(const std::string& typed);

}  // namespace assay::judge
