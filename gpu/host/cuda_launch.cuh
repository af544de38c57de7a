// The device code of the probe, by object: launchers of the kernels, and the check of every CUDA call.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "gpu/host/device.hpp"

namespace assay::gpu {

inline void check_cuda(cudaError_t status, const char* call, const char* file, int line) {
  if (status == cudaSuccess) return;
  throw std::runtime_error(std::string(call) + " at " + file + ":" + std::to_string(line) + ": " +
                           cudaGetErrorName(status) + ", " + cudaGetErrorString(status));
}
#define ASSAY_CUDA(call) ::assay::gpu::check_cuda((call), #call, __FILE__, __LINE__)

// Device pointers of one job; the shapes of TileJob and RowJob.
struct DevicePointers {
  const std::uint64_t* a;
  const std::uint64_t* b;
  const std::uint64_t* c;
  std::uint64_t* d;
};

// These return before the kernel ends. A launch that fails shows in cudaGetLastError(), which the caller asks.
void launch_tensor_core(TensorCore instruction, std::size_t tiles, int chunks, const DevicePointers& p);
// One for each build of cuda_cores.cu. False if the operation belongs to another.
namespace contracted {
bool launch_cuda_core(CudaCore operation, std::size_t rows, int k, const DevicePointers& p);
}
namespace separate {
bool launch_cuda_core(CudaCore operation, std::size_t rows, int k, const DevicePointers& p);
}
namespace contracted_ftz {
bool launch_cuda_core(CudaCore operation, std::size_t rows, int k, const DevicePointers& p);
}
namespace separate_ftz {
bool launch_cuda_core(CudaCore operation, std::size_t rows, int k, const DevicePointers& p);
}

}  // namespace assay::gpu
