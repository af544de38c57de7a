// What a program has run, for whoever started it: written when it ends, to the file that ASSAY_SIMT_RECORD names.
//
//   launch TIMES GRID BLOCK WHERE     of each place that launches, by grid and block
//   note TEXT                         what of its bits is not known to be a GPU's
#pragma once

#include <string>

#include "emulation/simt/include/vector_types.h"

namespace assay::simt {

// Nothing where no record was asked for.
void record_launch(const std::string& where, const dim3& grid, const dim3& block);

}  // namespace assay::simt
