// What CUDA has here is in surface_indirect_functions.h. References to surfaces, which CUDA 12 removed, are not.
#pragma once

#include "emulation/simt/include/cuda_runtime_api.h"
