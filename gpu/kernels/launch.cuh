// What launchers of kernels share: errors with names, and the sizes of grids.
//
// A launcher throws ContractError for arguments that no kernel could take and DeviceError for what the device refuses;
// it waits for nothing. Read by nvcc and by the executor of emulation/simt.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "reference/core/error.hpp"

namespace assay::gpu {

// A call of the CUDA runtime, or a kernel, has failed.
class DeviceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void require_success(cudaError_t error, const char* call, const char* file, int line) {
  if (error == cudaSuccess) return;
  throw DeviceError(std::string(call) + ": " + cudaGetErrorString(error) + " (" + cudaGetErrorName(error) +
                    "), " + file + ":" + std::to_string(line));
}
#define ASSAY_CUDA(call) ::assay::gpu::require_success((call), #call, __FILE__, __LINE__)

// An array of a kernel: not null unless it is empty, and aligned. `what` is "KERNEL: ARRAY".
inline void require_array(const void* p, std::size_t count, std::size_t alignment, const char* what) {
  if (count == 0) return;
  if (p == nullptr)
    throw ContractError(std::string(what) + " is null, and " + std::to_string(count) + " elements are read");
  if (reinterpret_cast<std::uintptr_t>(p) % alignment != 0)
    throw ContractError(std::string(what) + " is not aligned to " + std::to_string(alignment) + " bytes");
}

// A grid of so many blocks in x. ContractError beyond what a launch can have.
inline unsigned blocks_in_x(std::size_t blocks, const char* kernel) {
  if (blocks > 2147483647)
    throw ContractError(std::string(kernel) + ": " + std::to_string(blocks) +
                        " blocks, and a grid has at most 2147483647");
  return static_cast<unsigned>(blocks);
}

}  // namespace assay::gpu
