// Functions of the driver's types, as make_cudaExtent: cuda_runtime_api.h has them.
#pragma once

#include "emulation/simt/include/cuda_runtime_api.h"
