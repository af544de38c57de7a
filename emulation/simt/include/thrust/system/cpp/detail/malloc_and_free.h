// Of Thrust, in place of its own: device_malloc() gives device memory.
#pragma once

#include <thrust/detail/config.h>
#include <thrust/detail/raw_pointer_cast.h>
#include <thrust/system/cpp/detail/execution_policy.h>
// Programs have it from the system for CUDA.
#include <thrust/system_error.h>

#include "emulation/simt/include/cuda_runtime_api.h"

THRUST_NAMESPACE_BEGIN
namespace system {
namespace cpp {
namespace detail {

template <class Policy>
void* malloc(execution_policy<Policy>&, std::size_t bytes) {
  void* memory = nullptr;
  return cudaMalloc(&memory, bytes) == cudaSuccess ? memory : nullptr;
}
template <class Policy, class Pointer>
void free(execution_policy<Policy>&, Pointer memory) {
  cudaFree(thrust::raw_pointer_cast(memory));
}

}  // namespace detail
}  // namespace cpp
}  // namespace system
THRUST_NAMESPACE_END
