// What CUDA has here is in texture_indirect_functions.h. References to textures, which CUDA 12 removed, are not.
#pragma once

#include "emulation/simt/include/cuda_runtime_api.h"
