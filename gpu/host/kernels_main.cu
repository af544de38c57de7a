// assay-kernels-gpu: kernels_program.hpp on a real GPU.
#include <iostream>

#include "gpu/host/cuda_choice.hpp"
#include "gpu/host/kernel_times.hpp"
#include "gpu/host/kernels_program.hpp"

int main(int argc, char** argv) {
  return assay::gpu::run_kernels_program(
      argc, argv, {assay::gpu::choose_cuda_device, assay::gpu::time_kernels}, std::cout, std::cerr);
}
