// assay-probe-gpu: the probe of probe_program.hpp on a real GPU.
#include <iostream>

#include "gpu/host/device.hpp"
#include "gpu/host/probe_program.hpp"

int main(int argc, char** argv) {
  return assay::gpu::run_probe_program(argc, argv, assay::gpu::open_cuda_device, std::cout, std::cerr);
}
