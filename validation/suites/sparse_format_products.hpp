// Cases of suite `sparse`: products of matrices as each format stores them.
#pragma once

#include <vector>

#include "validation/suites/suite.hpp"

namespace assay::suites {

void add_format_product_cases(const RunContext& context, std::vector<Case>& cases);

}  // namespace assay::suites
