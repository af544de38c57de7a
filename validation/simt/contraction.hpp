// Where it matters whether a compiler contracts: the lines of a program whose a * b + c may be rounded once or twice.
#pragma once

#include <string>
#include <vector>

#include "validation/report/simt_results.hpp"
#include "validation/simt/program.hpp"

namespace assay::simt {

// The lines at which the host's compiler makes one rounding of a product and a sum where it may (`--fmad on`), in
// order, each once: found by building the program with and without, and comparing their multiply-adds. nvcc contracts
// there by default, and may at others. Lines of host code are among them. Unavailable without objdump and addr2line of
// binutils; InputError and CompileError as build() has them.
std::vector<SimtPlace> contracted_lines(const std::vector<std::string>& files, const BuildOptions& options);

// "contraction not modelled: ..." of a program that was built with `fuse` or without, for its notes.
std::string contraction_note(bool fuse, const std::vector<SimtPlace>& lines);

}  // namespace assay::simt
