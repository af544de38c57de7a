// The order of a sum as a person types it.
#pragma once

#include <string>
#include <string_view>

#include "reference/exact/schedule.hpp"

namespace assay::judge {

// "any", "sequential", "pairwise", "pairwise:128", "blocked:LANES", "blocked:LANES:PANEL". InputError that names
// `option` for an unknown name, UsageError for numbers that do not go with it.
SumOrder parse_order(std::string_view option, const std::string& typed);

}  // namespace assay::judge
