#include "tests/gpu/host/peer_contest.hpp"

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

#include "gpu/host/kernel_contest.cuh"

namespace assay::gpu {
namespace {

PeerAlgorithm refusing(const char* name, const char* why) {
  return {name, [why]() -> std::function<void()> { throw PeerError(why); }};
}

}  // namespace

std::vector<KernelTime> times_with_peers() {
  TimesOptions options;
  options.seconds = 0;
  options.small = true;
  options.least_repetitions = 2;
  TimedProblem p;
  p.kernel = "made/up";
  p.text = "100 numbers";
  const std::vector<float> right(100, 2.0F);
  std::vector<float> wrong = right;
  wrong.back() += 0.5F;
  const DeviceArray<float> y(right.size());
  const auto write = [&y](const std::vector<float>& from) {
    ASSAY_CUDA(cudaMemcpy(y.data(), from.data(), from.size() * sizeof(float), cudaMemcpyHostToDevice));
  };
  const KernelClock clock(options, 4);
  std::vector<KernelTime> times;
  KernelContest contest(p, clock, times, 100, 800);
  contest.add_output({y, sampled_elements(y.size(), 64, options.seed)});
  contest.time_ours([&] { write(right); });
  contest.time_peer("cuAbc", {refusing("A", "cuabcCreate: no"),
                              {"B", [&]() -> std::function<void()> { return [&] { write(wrong); }; }}});
  contest.time_peer(
      "cuDef",
      {{"C", []() -> std::function<void()> { return [] { throw PeerError("cudefRun: not supported"); }; }}});
  contest.time_peer("cuGhi",
                    {refusing("D", "no library"), refusing("E", "no library"), refusing("F", "no function")});
  return times;
}

}  // namespace assay::gpu
