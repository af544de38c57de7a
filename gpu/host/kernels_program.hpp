// The program assay-kernels-gpu, over any device: the options, the runs, the files.
#pragma once

#include <functional>
#include <iosfwd>
#include <vector>

#include "gpu/host/device.hpp"
#include "gpu/host/kernel_times.hpp"

namespace assay::gpu {

// A device that runs the kernels which the program is linked with.
struct KernelsDevice {
  // Makes GPU number `index` the current one and says what it is; Unavailable if there is none.
  std::function<DeviceInfo(int index)> choose;
  std::function<std::vector<KernelTime>(const TimesOptions&)> time_kernels;
  bool times_small = false;  // TimesOptions::small
};

// Returns the exit code: 0 recorded, 1 recorded, but two runs differ, a kernel failed, or a timed one wrote what its
// contract does not predict, 2 usage, 3 nothing was recorded, 4 an error of ours.
int run_kernels_program(int argc, const char* const* argv, const KernelsDevice& device, std::ostream& out,
                        std::ostream& err);

}  // namespace assay::gpu
