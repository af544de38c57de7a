// How long the CUDA kernels take on a GPU beside what they are compared with, and samples of what they wrote.
//
// How: operands lie on the device before the clock runs, and so does what is made of them once (offsets, the order of
// rows, the rows of SDDMM's tiles; the peers' descriptors, workspaces and preprocessing). Before each repetition a
// buffer of four times the L2 cache is overwritten, so that operands come from memory. A repetition is one launch
// between two events, for every contestant alike, so a time holds the few microseconds that a launch takes. Two
// launches warm up; the median of the repetitions counts. A peer with several algorithms counts by its fastest, which
// `detail` names. SpDNN: the host's clock around an inference, from inputs in the host's memory to categories there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::gpu {

// An output: its place, as predicted() of timed_problems.hpp takes it, and its code.
struct TimedSample {
  std::uint64_t place = 0, code = 0;

  friend bool operator==(const TimedSample&, const TimedSample&) = default;
};

// Of an inference on a sparse network: how many categories there are, and a hash of them in order (FNV-1a of their
// bytes, low first).
struct TimedCategories {
  std::uint64_t count = 0, hash = 0;

  friend bool operator==(const TimedCategories&, const TimedCategories&) = default;
};

inline constexpr std::string_view assay_contestant = "assay";

struct KernelTime {
  std::string kernel{};   // "spmm/csr_f32"
  std::string problem{};  // "4096x4096 density 0.1 n=512"
  std::string
      contestant{};    // "assay", "cusparse CSR", "cusparse BSR", "cusparse blocked-ELL", "cublas dense",
                       // "device copy"
  double seconds = 0;  // the median of the repetitions
  double least = 0;
  int repetitions = 0;
  double flops = 0;  // of what is stored, for every contestant: a dense product's are those of the sparse one
  double bytes = 0;  // each operand once, as Assay's kernel has it; a copy reads and writes half of them each
  double edges = 0;  // SpDNN: images times nonzeros of all layers
  std::string detail{};  // the algorithm of a peer, how far its samples lie from Assay's, the device's kernel
  std::string why_not{};  // why there is no time: "libcusparse.so.12: cannot open shared object file"
  // 64 outputs of the last repetition: of Assay, and of peers at the same places.
  std::vector<TimedSample> samples{};
  std::optional<TimedCategories> categories{};  // SpDNN
};

struct TimesOptions {
  double seconds = 60;  // of repetitions, shared by all contestants alike; making operands takes its own time
  bool small = false;   // tiny shapes, for tests under the executor
  std::uint64_t seed = 1;
  int least_repetitions = 5, most_repetitions = 1000;  // whatever the seconds say
  // The kernel and problem that begin, and the fraction done.
  std::function<void(std::string_view, double)> progress = [](std::string_view, double) {};
};

// Every contestant of every problem of timed_problems(), in order, on CUDA's current device. ContractError for options
// out of range; DeviceError, which names kernel and problem, where a call of CUDA or a launch of Assay's kernels fails.
// What fails in a peer is its why_not.
std::vector<KernelTime> time_kernels(const TimesOptions& options);

}  // namespace assay::gpu
