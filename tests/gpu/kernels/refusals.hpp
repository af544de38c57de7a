// What launchers say to arguments that no run function passes on.
#pragma once

#include <string>
#include <vector>

namespace assay {

// The text of the ContractError for each of a list of wrong arguments; "nothing" where there was none.
std::vector<std::string> refusals_of_spmm_csr();
std::vector<std::string> refusals_of_sddmm_csr();
std::vector<std::string> refusals_of_convert_bf16();

}  // namespace assay
