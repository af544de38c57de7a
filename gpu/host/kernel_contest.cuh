// One timed problem: its contestants, one after another, and samples of what each wrote.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gpu/host/kernel_clock.cuh"
#include "gpu/host/kernel_peers.hpp"
#include "gpu/host/timed_problems.hpp"
#include "gpu/kernels/device_array.cuh"

namespace assay::gpu {

// An array of the device that contestants write, of codes of `width` bytes, and the elements of it that are sampled.
class TimedOutput {
 public:
  template <class T>
  TimedOutput(const DeviceArray<T>& array, std::vector<std::pair<std::uint64_t, std::uint64_t>> elements)
      : data_(reinterpret_cast<unsigned char*>(array.data())),
        bytes_(array.size() * sizeof(T)),
        width_(sizeof(T)),
        elements_(std::move(elements)) {}

  // Every byte 0xA5: what no kernel writes is seen.
  void poison() const { ASSAY_CUDA(cudaMemset(data_, 0xA5, bytes_)); }
  std::size_t width() const { return width_; }
  void append_samples(std::vector<TimedSample>& to) const;

 private:
  unsigned char* data_;
  std::size_t bytes_, width_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> elements_;  // of the array, and the place
};

// Elements 0, count - 1 and others at random, `how_many` of them; their places begin at `first_place`.
std::vector<std::pair<std::uint64_t, std::uint64_t>> sampled_elements(std::uint64_t count, int how_many,
                                                                      std::uint64_t seed,
                                                                      std::uint64_t first_place = 0);

class KernelContest {
 public:
  KernelContest(const TimedProblem& problem, const KernelClock& clock, std::vector<KernelTime>& times,
                double flops, double bytes)
      : problem_(problem), clock_(clock), times_(times), flops_(flops), bytes_(bytes) {}

  void add_output(TimedOutput output) { outputs_.push_back(std::move(output)); }

  template <class Launch>
  void time_ours(const Launch& launch) {
    poison();
    KernelTime& t = add(std::string(assay_contestant));
    set(t, clock_.time(launch));
    t.samples = samples();
  }
  // There is no time of Assay's kernel on this GPU.
  void refuse_ours(std::string why) { add(std::string(assay_contestant)).why_not = std::move(why); }
  void time_peer(const std::string& contestant, const std::vector<PeerAlgorithm>& algorithms);
  // The same bytes, half of them read and half written.
  void time_copy();

 private:
  KernelTime& add(std::string contestant);
  static void set(KernelTime& t, const Timing& timing) {
    t.seconds = timing.median;
    t.least = timing.least;
    t.repetitions = timing.repetitions;
  }
  void poison() const {
    for (const TimedOutput& output : outputs_) output.poison();
  }
  std::vector<TimedSample> samples() const;
  std::string distance_from_ours(const std::vector<TimedSample>& theirs) const;

  const TimedProblem& problem_;
  const KernelClock& clock_;
  std::vector<KernelTime>& times_;
  double flops_, bytes_;
  std::vector<TimedOutput> outputs_{};
};

// What kernel_times.cu hands out to the files of its kernels.
void time_spmm_csr(const TimedProblem& p, const TimesOptions& options, const KernelClock& clock,
                   std::vector<KernelTime>& times);
void time_sddmm_csr(const TimedProblem& p, const TimesOptions& options, const KernelClock& clock,
                    std::vector<KernelTime>& times);
void time_spmm_bsr(const TimedProblem& p, const TimesOptions& options, const KernelClock& clock,
                   std::vector<KernelTime>& times);

namespace timed_kernels {

// What fills an array of the device: number i of it is place i of a key.
struct F32 {
  using Number = float;
  __host__ __device__ static float at(OperandKey key, std::uint64_t place) { return operand_f32(key, place); }
};
struct AnyF32 {
  using Number = float;
  __host__ __device__ static float at(OperandKey key, std::uint64_t place) {
    return operand_any_f32(key, place);
  }
};
struct Bf16 {
  using Number = std::uint16_t;
  __host__ __device__ static std::uint16_t at(OperandKey key, std::uint64_t place) {
    return operand_bf16(key, place);
  }
};

inline constexpr unsigned fill_threads = 256;

template <class Numbers>
__global__ void __launch_bounds__(fill_threads)
    fill(typename Numbers::Number* to, std::size_t count, OperandKey key) {
  const std::size_t i = std::size_t{blockIdx.x} * fill_threads + threadIdx.x;
  if (i < count) to[i] = Numbers::at(key, i);
}

}  // namespace timed_kernels

template <class Numbers>
DeviceArray<typename Numbers::Number> timed_array(std::size_t count, OperandKey key) {
  DeviceArray<typename Numbers::Number> out(count);
  const unsigned blocks =
      blocks_in_x((count + timed_kernels::fill_threads - 1) / timed_kernels::fill_threads, "fill");
  timed_kernels::fill<Numbers><<<blocks, timed_kernels::fill_threads, 0, nullptr>>>(out.data(), count, key);
  ASSAY_CUDA(cudaGetLastError());
  return out;
}

}  // namespace assay::gpu
