// What the ranked candidates of an explanation have in common, where they diverge, and what would separate them.
#pragma once

#include "validation/diagnose/explain/explain.hpp"

namespace assay::diagnose {

// Fills attributes, divergence and separations from the ranking, which is cut to what an explanation keeps.
void read_findings(const ExplainInput& input, const ExplainOptions& options, Explanation& result);

}  // namespace assay::diagnose
