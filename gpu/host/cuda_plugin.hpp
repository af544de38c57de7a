// CUDA's kernels for the command, which starts without a driver and without them: a shared object that is loaded when a
// GPU is asked for. It lies in lib/assay beside the program's folder, of a build as of an installation, and holds the
// objects that nvcc made and the CUDA runtime; its names are its own, so that the executor's runtime does not meet it.
#pragma once

#include <memory>

#include "gpu/kernels/compute_device.hpp"
#include "gpu/kernels/spdnn_run.hpp"

namespace assay::gpu {

// What the shared object hands out. The caller owns the device. Throws as make_cuda_device().
using MakePluginDevice = ComputeDevice*(const SpdnnDeviceOptions& options);
inline constexpr const char* plugin_file = "assay_cuda.so";
inline constexpr const char* plugin_version_name =
    "assay_cuda_version";  // a const char*, of the same version as this
inline constexpr const char* plugin_device_name = "assay_cuda_device";

// Unavailable, with the reason: a build without CUDA, another version of the shared object, no driver, no GPU.
std::unique_ptr<ComputeDevice> make_gpu_device(const SpdnnDeviceOptions& options);

}  // namespace assay::gpu
