// The GPU that a program uses.
#pragma once

#include "gpu/host/device.hpp"

namespace assay::gpu {

// Makes GPU number `index` the current one. Unavailable if there is no driver, no such GPU, or no device code of this
// program that it runs; no other call fails before. Defined in cuda_choice.cu.
DeviceInfo choose_cuda_device(int index);

}  // namespace assay::gpu
