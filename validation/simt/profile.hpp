// A CUDA program run with every access to memory, basic block, barrier and warp operation counted, by source line.
#pragma once

#include <string>
#include <vector>

#include "validation/report/simt_results.hpp"
#include "validation/simt/program.hpp"

namespace assay::simt {

// Builds the program with call-outs, runs it on one thread of the CPU and reads what it counted. The program's output
// goes where options.standard_output says, and result.run says how it ended; a program that does not end well has no
// lines. InputError and CompileError as build() has them; Unavailable without addr2line and objdump of binutils.
SimtProfile profile_program(const std::vector<std::string>& files, const std::vector<std::string>& arguments,
                            const BuildOptions& build, const RunOptions& options);

}  // namespace assay::simt
