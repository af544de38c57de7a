// What a plan of a sparse product chose and why, as text and as JSON.
#pragma once

#include <string>

#include "validation/report/plan_results.hpp"

namespace assay {

std::string plan_text(const PlannedSpmm& plan);
// One object on one line, without the line feed.
std::string plan_json(const PlannedSpmm& plan);

}  // namespace assay
