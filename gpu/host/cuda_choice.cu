#include "gpu/host/cuda_choice.hpp"

#include <cuda_runtime.h>

#include <fstream>
#include <string>
#include <vector>

#include "gpu/kernels/device_array.cuh"
#include "reference/core/error.hpp"

namespace assay::gpu {
namespace {

__global__ void describe_image(int* image) {
#if defined(__CUDA_ARCH__)
  image[0] = __CUDA_ARCH__;
#endif
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  image[1] = 1;
#endif
}

// "580.65.06" of "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  ..."
std::string driver_version() {
  std::ifstream in("/proc/driver/nvidia/version");
  for (std::string word; in >> word;) {
    const bool version =
        word.find_first_not_of("0123456789.") == std::string::npos && word.find('.') != std::string::npos;
    if (version) return word;
  }
  return "";
}

}  // namespace

DeviceInfo choose_cuda_device(int index) {
  DeviceInfo info;
  int count = 0;
  ASSAY_CUDA(cudaDriverGetVersion(&info.driver_cuda));
  if (info.driver_cuda == 0) throw Unavailable("no GPU: no NVIDIA driver is loaded");
  if (const cudaError_t status = cudaGetDeviceCount(&count); status != cudaSuccess) {
    throw Unavailable(std::string("no GPU: ") + cudaGetErrorString(status));
  }
  if (index < 0 || index >= count) {
    throw Unavailable("no GPU number " + std::to_string(index) + ": the driver has " + std::to_string(count));
  }
  ASSAY_CUDA(cudaSetDevice(index));
  cudaDeviceProp properties{};
  ASSAY_CUDA(cudaGetDeviceProperties(&properties, index));
  info.name = properties.name;
  info.capability_major = properties.major;
  info.capability_minor = properties.minor;
  ASSAY_CUDA(cudaRuntimeGetVersion(&info.runtime));
  info.driver = driver_version();
  info.device_compiler = "nvcc " + std::to_string(__CUDACC_VER_MAJOR__) + "." +
                         std::to_string(__CUDACC_VER_MINOR__) + "." + std::to_string(__CUDACC_VER_BUILD__);
  const DeviceArray<int> image(std::vector<int>{0, 0});
  describe_image<<<1, 1>>>(image.data());
  if (const cudaError_t status = cudaGetLastError(); status == cudaErrorNoKernelImageForDevice) {
    throw Unavailable("no device code for " + info.name + " (compute capability " +
                      std::to_string(info.capability_major) + "." + std::to_string(info.capability_minor) +
                      "): this program was compiled for " ASSAY_CUDA_ARCHITECTURES);
  } else {
    require_success(status, "describe_image", __FILE__, __LINE__);
  }
  const std::vector<int> said = image.on_host();
  info.image = said[0];
  info.has_wgmma = said[1] != 0;
  return info;
}

}  // namespace assay::gpu
