// The shared object's side of cuda_plugin.hpp.
#include "gpu/host/cuda_plugin.hpp"

extern "C" {

// NOLINTNEXTLINE: names for dlsym().
extern const char* const assay_cuda_version;
const char* const assay_cuda_version = ASSAY_VERSION;

assay::gpu::ComputeDevice* assay_cuda_device(const assay::gpu::SpdnnDeviceOptions& options);
assay::gpu::ComputeDevice* assay_cuda_device(const assay::gpu::SpdnnDeviceOptions& options) {
  return assay::gpu::make_cuda_device(options).release();
}
}
