// What CUDA has here is in texture_references.h.
#pragma once

#include "emulation/simt/include/cuda_runtime_api.h"
