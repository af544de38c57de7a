// Launches by calls: cudaLaunchKernel and kin, cooperative ones.
//
// Not here: clusters of several blocks, launches that depend on events.
#pragma once

#include <cstddef>

#include "emulation/simt/include/assay_simt.h"
#include "emulation/simt/include/cuda_runtime_api.h"

// What of the configuration the dialect does not have gives cudaErrorNotSupported, with a text.
cudaError_t assay_simt_launch_of(const cudaLaunchConfig_t* config, assay_simt::Launch& launch);

template <class... P>
cudaError_t cudaLaunchKernel(void (*kernel)(P...), dim3 grid, dim3 block, void** arguments,
                             std::size_t shared_bytes = 0, cudaStream_t stream = nullptr) {
  const assay_simt::Launch launch(grid, block, shared_bytes, stream, "cudaLaunchKernel", 0);
  return static_cast<cudaError_t>(assay_simt::launch_by_pointers(kernel, launch, arguments));
}
template <class... P>
cudaError_t cudaLaunchCooperativeKernel(void (*kernel)(P...), dim3 grid, dim3 block, void** arguments,
                                        std::size_t shared_bytes = 0, cudaStream_t stream = nullptr) {
  assay_simt::Launch launch(grid, block, shared_bytes, stream, "cudaLaunchCooperativeKernel", 0);
  return static_cast<cudaError_t>(assay_simt::launch_by_pointers(kernel, launch.cooperative(), arguments));
}
template <class... P, class... A>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(P...), A&&... arguments) {
  assay_simt::Launch launch(1, 1, 0, nullptr, "cudaLaunchKernelEx", 0);
  if (const cudaError_t error = assay_simt_launch_of(config, launch); error != cudaSuccess) return error;
  const auto bind = [&](P... values) { return launch.run_body([kernel, values...] { kernel(values...); }); };
  return static_cast<cudaError_t>(bind(static_cast<A&&>(arguments)...));
}

// By the address alone: cudaErrorInvalidDeviceFunction unless the kernel is registered.
cudaError_t cudaLaunchKernel(const void* kernel, dim3 grid, dim3 block, void** arguments,
                             std::size_t shared_bytes = 0, cudaStream_t stream = nullptr);
cudaError_t cudaLaunchCooperativeKernel(const void* kernel, dim3 grid, dim3 block, void** arguments,
                                        std::size_t shared_bytes = 0, cudaStream_t stream = nullptr);
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* kernel, void** arguments);
template <class... P>
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, void (*kernel)(P...), void** arguments) {
  assay_simt::Launch launch(1, 1, 0, nullptr, "cudaLaunchKernelExC", 0);
  if (const cudaError_t error = assay_simt_launch_of(config, launch); error != cudaSuccess) return error;
  return static_cast<cudaError_t>(assay_simt::launch_by_pointers(kernel, launch, arguments));
}
