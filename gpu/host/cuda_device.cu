// The real GPU behind device.hpp.
#include <cuda_runtime.h>

#include "gpu/host/cuda_choice.hpp"
#include "gpu/host/cuda_launch.cuh"

namespace assay::gpu {
namespace {

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

class CudaDevice final : public Device {
 public:
  explicit CudaDevice(int index) : info_(choose_cuda_device(index)) {}

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
