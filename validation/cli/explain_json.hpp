// An explanation for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "validation/report/explanation_text.hpp"

namespace assay::cli {

// Of explain_parts().
nlohmann::ordered_json explain_json(const ExplainedQuestion& q,
                                    const std::vector<diagnose::Explanation>& all);
nlohmann::ordered_json explain_json(const ExplainedQuestion& q, const ConvertedSample& sample,
                                    const diagnose::ConversionExplanation& e);

}  // namespace assay::cli
