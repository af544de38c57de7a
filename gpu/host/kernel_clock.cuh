// The clock of kernel_times.hpp on a CUDA device.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include "gpu/host/kernel_times.hpp"
#include "gpu/kernels/device_array.cuh"

namespace assay::gpu {

class CudaEvent {
 public:
  CudaEvent() { ASSAY_CUDA(cudaEventCreate(&event_)); }
  ~CudaEvent() { cudaEventDestroy(event_); }
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;
  operator cudaEvent_t() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

struct Timing {
  double median = 0, least = 0;
  int repetitions = 0;
};

class KernelClock {
 public:
  // Of options.seconds every contestant has the same share.
  KernelClock(const TimesOptions& options, std::size_t contestants)
      : options_(options),
        share_(options.seconds / static_cast<double>(std::max<std::size_t>(contestants, 1))),
        swept_(swept_bytes(options.small)) {}

  // What `launch` puts on stream 0; throws what it throws.
  template <class Launch>
  Timing time(const Launch& launch) const {
    return repeat(launch, [&](int i) {
      ASSAY_CUDA(cudaMemsetAsync(swept_.data(), i & 0xFF, swept_.size(), nullptr));
      ASSAY_CUDA(cudaEventRecord(begin_, nullptr));
      launch();
      ASSAY_CUDA(cudaEventRecord(end_, nullptr));
      ASSAY_CUDA(cudaEventSynchronize(end_));
      float milliseconds = 0;
      ASSAY_CUDA(cudaEventElapsedTime(&milliseconds, begin_, end_));
      return static_cast<double>(milliseconds) * 1e-3;
    });
  }

  // By the host's clock: what returns when all is done.
  template <class Work>
  Timing time_on_host(const Work& work) const {
    return repeat(work, [&](int) {
      const auto begin = std::chrono::steady_clock::now();
      work();
      return seconds_since(begin);
    });
  }

 private:
  using Moment = std::chrono::steady_clock::time_point;

  static double seconds_since(Moment begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  static std::size_t swept_bytes(bool small) {
    if (small) return 4096;
    int device = 0, l2 = 0;
    ASSAY_CUDA(cudaGetDevice(&device));
    ASSAY_CUDA(cudaDeviceGetAttribute(&l2, cudaDevAttrL2CacheSize, device));
    return std::max<std::size_t>(4 * static_cast<std::size_t>(std::max(l2, 0)), 1 << 20);
  }

  template <class Launch, class Once>
  Timing repeat(const Launch& launch, const Once& once) const {
    const Moment begin = std::chrono::steady_clock::now();
    for (int i = 0; i < (options_.small ? 0 : 2); ++i) launch();
    ASSAY_CUDA(cudaDeviceSynchronize());
    std::vector<double> seconds;
    for (int i = 0; i < options_.most_repetitions; ++i) {
      if (i >= options_.least_repetitions && seconds_since(begin) >= share_) break;
      seconds.push_back(once(i));
    }
    std::ranges::sort(seconds);
    const std::size_t half = seconds.size() / 2;
    const double median = seconds.size() % 2 == 1 ? seconds[half] : (seconds[half - 1] + seconds[half]) / 2;
    return {median, seconds.front(), static_cast<int>(seconds.size())};
  }

  TimesOptions options_;
  double share_;
  DeviceArray<unsigned char> swept_;
  CudaEvent begin_{}, end_{};
};

}  // namespace assay::gpu
