// CUDA has such a header. What is in it is in the dialect's cuda_runtime.h.
#pragma once

#include "emulation/simt/include/cuda_runtime.h"
