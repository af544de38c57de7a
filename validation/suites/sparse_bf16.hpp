// The cases of suite `sparse` for products in bfloat16.
#pragma once

#include <vector>

#include "validation/suites/suite.hpp"

namespace assay::suites {

void add_bf16_cases(const RunContext& context, std::vector<Case>& cases);

}  // namespace assay::suites
