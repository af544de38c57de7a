// What became of a CUDA program or kernel on the CPU, as text and as JSON.
#pragma once

#include <string>

#include "validation/report/simt_results.hpp"

namespace assay {

// One object on one line, without the line feed.
std::string simt_run_json(const SimtRun& run);
std::string simt_check_text(const SimtCheck& check);
std::string simt_check_json(const SimtCheck& check);

std::string simt_profile_text(const SimtProfile& profile);
std::string simt_profile_json(const SimtProfile& profile);
// Float operations a byte of global memory that was moved; 0 where none was.
double simt_flops_a_byte(const SimtLine& line);
std::string simt_range_name(const SimtRange& range);  // for people, who see none without a name

}  // namespace assay
