// A problem with peers that a test makes up.
#pragma once

#include <vector>

#include "gpu/host/kernel_times.hpp"

namespace assay::gpu {

// Assay and three peers over 100 floats: one whose first algorithm cannot be prepared and whose second adds 0.5 to the
// last number, one that fails when it is launched, one without algorithms that work.
std::vector<KernelTime> times_with_peers();

}  // namespace assay::gpu
