// Of Thrust, in place of its own: what a device_vector owns is device memory for the runtime API too. The rest is the
// package's, with its algorithms for the host (THRUST_DEVICE_SYSTEM_CPP): device memory is the process's own.
#pragma once

#include <thrust/detail/config.h>
#include <thrust/mr/fancy_pointer_resource.h>
#include <thrust/mr/memory_resource.h>
#include <thrust/system/cpp/pointer.h>

#include <new>

#include "emulation/simt/include/cuda_runtime_api.h"

THRUST_NAMESPACE_BEGIN
namespace system {
namespace cpp {
namespace detail {

template <cudaError_t (*take)(void** memory, std::size_t bytes)>
class assay_simt_resource final : public thrust::mr::memory_resource<> {
 public:
  void* do_allocate(std::size_t bytes, std::size_t) override {
    void* memory = nullptr;
    if (bytes != 0 && take(&memory, bytes) != cudaSuccess) throw std::bad_alloc();
    return memory;
  }
  void do_deallocate(void* memory, std::size_t, std::size_t) override { cudaFree(memory); }
};
inline cudaError_t assay_simt_device(void** memory, std::size_t bytes) { return cudaMalloc(memory, bytes); }
inline cudaError_t assay_simt_managed(void** memory, std::size_t bytes) {
  return cudaMallocManaged(memory, bytes);
}

using native_resource =
    thrust::mr::fancy_pointer_resource<assay_simt_resource<assay_simt_device>, thrust::cpp::pointer<void>>;
using universal_native_resource = thrust::mr::fancy_pointer_resource<assay_simt_resource<assay_simt_managed>,
                                                                     thrust::cpp::universal_pointer<void>>;

}  // namespace detail

using memory_resource = detail::native_resource;
using universal_memory_resource = detail::universal_native_resource;
using universal_host_pinned_memory_resource = detail::universal_native_resource;

}  // namespace cpp
}  // namespace system
THRUST_NAMESPACE_END
