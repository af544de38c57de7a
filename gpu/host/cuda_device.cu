// The real GPU behind device.hpp.
#include <cuda_runtime.h>

#include <fstream>
#include <utility>

#include "gpu/host/cuda_launch.cuh"
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

// Device memory of a scope.
template <class T>
class Buffer {
 public:
  explicit Buffer(std::size_t n) : n_(n) { ASSAY_CUDA(cudaMalloc(&data_, (n == 0 ? 1 : n) * sizeof(T))); }
  explicit Buffer(const std::vector<T>& host) : Buffer(host.size()) {
    ASSAY_CUDA(cudaMemcpy(data_, host.data(), n_ * sizeof(T), cudaMemcpyHostToDevice));
  }
  ~Buffer() { cudaFree(data_); }  // an error shows in the next call
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  T* get() const { return static_cast<T*>(data_); }
  // Every byte 0xAA: an element that no kernel writes is seen.
  void poison() { ASSAY_CUDA(cudaMemset(data_, 0xAA, n_ * sizeof(T))); }
  std::vector<T> host() const {
    std::vector<T> out(n_);
    ASSAY_CUDA(cudaMemcpy(out.data(), data_, n_ * sizeof(T), cudaMemcpyDeviceToHost));
    return out;
  }

 private:
  std::size_t n_;
  void* data_ = nullptr;
};

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

class CudaDevice final : public Device {
 public:
  explicit CudaDevice(int index) {
    int count = 0;
    ASSAY_CUDA(cudaDriverGetVersion(&info_.driver_cuda));
    if (info_.driver_cuda == 0) throw Unavailable("no GPU: no NVIDIA driver is loaded");
    if (const cudaError_t status = cudaGetDeviceCount(&count); status != cudaSuccess) {
      throw Unavailable(std::string("no GPU: ") + cudaGetErrorString(status));
    }
    if (index < 0 || index >= count) {
      throw Unavailable("no GPU number " + std::to_string(index) + ": the driver has " +
                        std::to_string(count));
    }
    ASSAY_CUDA(cudaSetDevice(index));
    cudaDeviceProp properties{};
    ASSAY_CUDA(cudaGetDeviceProperties(&properties, index));
    info_.name = properties.name;
    info_.capability_major = properties.major;
    info_.capability_minor = properties.minor;
    ASSAY_CUDA(cudaRuntimeGetVersion(&info_.runtime));
    info_.driver = driver_version();
    info_.device_compiler = "nvcc " + std::to_string(__CUDACC_VER_MAJOR__) + "." +
                            std::to_string(__CUDACC_VER_MINOR__) + "." + std::to_string(__CUDACC_VER_BUILD__);
    const Buffer<int> image(std::vector<int>{0, 0});
    describe_image<<<1, 1>>>(image.get());
    if (const cudaError_t status = cudaGetLastError(); status == cudaErrorNoKernelImageForDevice) {
      throw Unavailable("no device code for " + info_.name + " (compute capability " +
                        std::to_string(info_.capability_major) + "." +
                        std::to_string(info_.capability_minor) +
                        "): this program was compiled for " ASSAY_CUDA_ARCHITECTURES);
    } else {
      check_cuda(status, "describe_image", __FILE__, __LINE__);
    }
    const std::vector<int> said = image.host();
    info_.image = said[0];
    info_.has_wgmma = said[1] != 0;
  }

  DeviceInfo info() const override { return info_; }

  std::vector<std::uint64_t> run(const TileJob& job) override {
    return run(job.a, job.b, job.c, [&](const DevicePointers& p) {
      launch_tensor_core(job.instruction, job.tiles, static_cast<int>(job.chunks), p);
    });
  }

  std::vector<std::uint64_t> run(const RowJob& job) override {
    return run(job.a, job.b, job.c, [&](const DevicePointers& p) {
      const int k = static_cast<int>(job.k);
      if (!contracted::launch_cuda_core(job.operation, job.rows, k, p) &&
          !separate::launch_cuda_core(job.operation, job.rows, k, p) &&
          !contracted_ftz::launch_cuda_core(job.operation, job.rows, k, p) &&
          !separate_ftz::launch_cuda_core(job.operation, job.rows, k, p)) {
        throw std::logic_error("no such operation of the CUDA cores");
      }
    });
  }

 private:
  template <class Launch>
  static std::vector<std::uint64_t> run(const std::vector<std::uint64_t>& a,
                                        const std::vector<std::uint64_t>& b,
                                        const std::vector<std::uint64_t>& c, Launch launch) {
    if (c.empty()) return {};
    const Buffer<std::uint64_t> device_a(a), device_b(b), device_c(c);
    Buffer<std::uint64_t> device_d(c.size());
    device_d.poison();
    launch(DevicePointers{device_a.get(), device_b.get(), device_c.get(), device_d.get()});
    ASSAY_CUDA(cudaGetLastError());
    ASSAY_CUDA(cudaDeviceSynchronize());
    return device_d.host();
  }

  DeviceInfo info_;
};

}  // namespace

std::unique_ptr<Device> open_cuda_device(int index) { return std::make_unique<CudaDevice>(index); }

}  // namespace assay::gpu
