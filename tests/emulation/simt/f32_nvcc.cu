// f32 as nvcc compiles it.
#include "tests/emulation/simt/f32_kernels.cuh"
