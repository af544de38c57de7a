// What became of a CUDA program or kernel on the CPU, as an HTML page.
#pragma once

#include <string>

#include "validation/report/run_report.hpp"
#include "validation/report/simt_results.hpp"

namespace assay {

// How it ran, its launches, what its bits are worth, and what it printed where that was kept.
std::string simt_run_page(const SimtRun& run, const RunHeader& header);
// The same, and its source with what each line did beside it.
std::string simt_profile_page(const SimtProfile& profile, const RunHeader& header);
std::string simt_check_page(const SimtCheck& check, const RunHeader& header);

}  // namespace assay
