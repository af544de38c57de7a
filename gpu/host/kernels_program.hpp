// The program assay-kernels-gpu, over any device: the options, the runs, the files.
#pragma once

#include <functional>
#include <iosfwd>

#include "gpu/host/device.hpp"

namespace assay::gpu {

// `choose` makes GPU number `index` the current one and says what it is; Unavailable if there is none. Returns the
// exit code: 0 recorded, 1 recorded, but two runs differ or a kernel failed, 2 usage, 3 nothing was recorded, 4 an
// error of ours.
int run_kernels_program(int argc, const char* const* argv, const std::function<DeviceInfo(int index)>& choose,
                        std::ostream& out, std::ostream& err);

}  // namespace assay::gpu
