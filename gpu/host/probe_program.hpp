// The command line of assay-probe-gpu, over any device. Read by nvcc too: C++17.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>

#include "gpu/host/device.hpp"

namespace assay::gpu {

// Exit codes as `assay`: 0 recorded; 1 recorded, but answers depend on the place in the tile; 2 usage, or a place that
// cannot be written; 3 no GPU that runs any of the sets; 4 the device failed. `open` is called when a GPU is needed,
// not before.
int run_probe_program(int argc, const char* const* argv,
                      const std::function<std::unique_ptr<Device>(int)>& open, std::ostream& out,
                      std::ostream& err);

}  // namespace assay::gpu
