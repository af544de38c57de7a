// A CUDA program run with every access to memory, basic block, barrier and warp operation counted, by source line.
#pragma once

#include "validation/report/simt_results.hpp"
#include "validation/simt/program.hpp"

namespace assay::simt {

// Builds the program with call-outs, runs it on one thread of the CPU and reads what it counted; result.run says how it
// ended, and a program without kernels has no lines. InputError and CompileError as build() has them; Unavailable
// without addr2line and objdump of binutils.
SimtProfile profile_program(const RunRequest& request);

}  // namespace assay::simt
