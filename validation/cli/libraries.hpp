// The libraries that this program was built with.
#pragma once

#include <vector>

#include "validation/report/doctor_report.hpp"

namespace assay::cli {

std::vector<Library> libraries();

}  // namespace assay::cli
