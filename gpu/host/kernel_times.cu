#include "gpu/host/kernel_times.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>

#include "gpu/host/kernel_contest.cuh"
#include "gpu/kernels/autosparse_f32.cuh"
#include "gpu/kernels/convert_bf16.cuh"
#include "gpu/kernels/gemm_bf16.cuh"
#include "gpu/kernels/spdnn_run.hpp"
#include "reference/autosparse/gradient.hpp"
#include "reference/core/error.hpp"
#include "reference/core/random.hpp"

namespace assay::gpu {

// Of gemm_bf16_run.cu: what is timed is what the product has.
extern template void gemm_bf16(const GemmBf16<std::uint16_t>&, cudaStream_t);

void TimedOutput::append_samples(std::vector<TimedSample>& to) const {
  for (const auto& [element, place] : elements_) {
    TimedSample sample{place, 0};
    ASSAY_CUDA(cudaMemcpy(&sample.code, data_ + element * width_, width_, cudaMemcpyDeviceToHost));
    to.push_back(sample);
  }
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> sampled_elements(std::uint64_t count, int how_many,
                                                                      std::uint64_t seed,
                                                                      std::uint64_t first_place) {
  const CounterRandom random(seed, count + 77);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> all;
  for (int i = 0; i < how_many && count != 0; ++i) {
    const std::uint64_t element = i == 0   ? 0
                                  : i == 1 ? count - 1
                                           : random.below(count, static_cast<std::uint64_t>(i));
    all.emplace_back(element, first_place + element);
  }
  return all;
}

KernelTime& KernelContest::add(std::string contestant) {
  KernelTime t;
  t.kernel = problem_.kernel;
  t.problem = problem_.text;
  t.contestant = std::move(contestant);
  t.flops = flops_;
  t.bytes = bytes_;
  times_.push_back(std::move(t));
  return times_.back();
}

std::vector<TimedSample> KernelContest::samples() const {
  std::vector<TimedSample> all;
  for (const TimedOutput& output : outputs_) output.append_samples(all);
  return all;
}

void KernelContest::time_peer(const std::string& contestant, const std::vector<PeerAlgorithm>& algorithms) {
  KernelTime& t = add(contestant);
  std::string reasons;
  for (const PeerAlgorithm& algorithm : algorithms) {
    try {
      poison();
      const std::function<void()> launch = algorithm.prepare();
      const Timing timing = clock_.time(launch);
      ASSAY_CUDA(cudaGetLastError());
      if (t.repetitions != 0 && timing.median >= t.seconds) continue;
      set(t, timing);
      t.samples = samples();
      t.detail = algorithm.name;
    } catch (const std::runtime_error& error) {  // the peer's; ours do not run here
      cudaGetLastError();
      const std::string why = error.what();
      if (reasons.find(why) == std::string::npos) reasons += (reasons.empty() ? "" : "; ") + why;
    }
  }
  if (t.repetitions == 0) {
    t.why_not = reasons;
  } else {
    t.detail += distance_from_ours(t.samples);
    if (!reasons.empty()) t.detail += "; not timed: " + reasons;
  }
}

// Of products: their results are float32 or bf16.
std::string KernelContest::distance_from_ours(const std::vector<TimedSample>& theirs) const {
  const auto ours = std::ranges::find_if(times_, [&](const KernelTime& t) {
    return t.kernel == problem_.kernel && t.problem == problem_.text && t.contestant == assay_contestant;
  });
  if (ours == times_.end() || ours->samples.size() != theirs.size() || outputs_.empty()) return "";
  const int shift = outputs_.front().width() == 2 ? 16 : 0;
  const auto value = [shift](const TimedSample& s) {
    return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(s.code << shift)));
  };
  double largest = 0, distance = 0;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    largest = std::max(largest, std::abs(value(ours->samples[i])));
    const double d = std::abs(value(theirs[i]) - value(ours->samples[i]));
    if (!(d <= distance)) distance = d;  // a NaN stays
  }
  char text[100];
  std::snprintf(text, sizeof text, ", its samples at most %.3g from Assay's, whose largest is %.3g", distance,
                largest);
  return text;
}

void KernelContest::time_copy() {
  const auto half = static_cast<std::size_t>(bytes_ / 2);
  const DeviceArray<unsigned char> from(half), to(half);
  ASSAY_CUDA(cudaMemset(from.data(), 0x3C, half));
  KernelTime& t = add("device copy");
  t.flops = 0;
  set(t, clock_.time([&] {
    ASSAY_CUDA(cudaMemcpyAsync(to.data(), from.data(), half, cudaMemcpyDeviceToDevice, nullptr));
  }));
}

namespace {

constexpr int samples_in_all = 64;

AutosparseLayer timed_layer(std::size_t count, const DeviceArray<float>& w, const DeviceArray<float>& t) {
  AutosparseLayer layer;
  layer.channels = 1;
  layer.per_channel = count;
  layer.w = w.data();
  layer.thresholds = t.data();
  return layer;
}

void time_autosparse(const TimedProblem& p, const TimesOptions& options, const KernelClock& clock,
                     std::vector<KernelTime>& times) {
  const TimedKeys keys(p, options.seed);
  const std::size_t n = p.cols;
  const std::vector<float> thresholds{autosparse::threshold_of(timed_s)}, s{timed_s};
  const DeviceArray<float> w = timed_array<timed_kernels::F32>(n, keys.a),
                           device_t(std::span<const float>{thresholds}), device_s(std::span<const float>{s}),
                           result(n);
  const AutosparseLayer layer = timed_layer(n, w, device_t);
  const auto count = static_cast<double>(n);
  if (p.kind == TimedKind::autosparse_forward) {
    const DeviceArray<std::uint8_t> mask(n);
    KernelContest contest(p, clock, times, count, 9 * count);
    contest.add_output({result, sampled_elements(n, samples_in_all / 2, options.seed)});
    contest.add_output({mask, sampled_elements(n, samples_in_all / 2, options.seed + 1, n)});
    contest.time_ours([&] { autosparse_forward({layer, result.data(), mask.data()}, nullptr); });
    contest.time_copy();
    return;
  }
  const DeviceArray<float> g = timed_array<timed_kernels::F32>(n, keys.b);
  AutosparseBackward task{layer, g.data(), static_cast<float>(timed_alpha), static_cast<float>(timed_lambda),
                          result.data()};
  const DeviceArray<double> ds(1), workspace(task.workspace_bytes() / sizeof(double));
  task.s = device_s.data();
  task.lambda_s = timed_lambda_s;
  task.ds = ds.data();
  task.workspace = workspace.data();
  // Of the sums of pieces each is written and read once.
  KernelContest contest(p, clock, times, 4 * count,
                        12 * count + 2 * static_cast<double>(task.workspace_bytes()));
  contest.add_output({result, sampled_elements(n, samples_in_all - 1, options.seed)});
  contest.add_output({ds, {{0, n}}});
  contest.time_ours([&] { autosparse_backward(task, nullptr); });
  contest.time_copy();
}

void time_conversion(const TimedProblem& p, const TimesOptions& options, const KernelClock& clock,
                     std::vector<KernelTime>& times) {
  const TimedKeys keys(p, options.seed);
  const DeviceArray<float> x = timed_array<timed_kernels::AnyF32>(p.cols, keys.a);
  const DeviceArray<std::uint16_t> codes(p.cols);
  KernelContest contest(p, clock, times, 0, 6 * static_cast<double>(p.cols));
  contest.add_output({codes, sampled_elements(p.cols, samples_in_all, options.seed)});
  const ConvertBf16 task{x.data(), reinterpret_cast<__nv_bfloat16*>(codes.data()), p.cols, p.rounding,
                         options.seed};
  contest.time_ours([&] { convert_bf16(task, nullptr); });
  contest.time_copy();
}

void time_gemm(const TimedProblem& p, const TimesOptions& options, const KernelClock& clock,
               std::vector<KernelTime>& times) {
  const TimedKeys keys(p, options.seed);
  const DeviceArray<std::uint16_t> a = timed_array<timed_kernels::Bf16>(p.rows * p.cols, keys.a),
                                   b = timed_array<timed_kernels::Bf16>(p.cols * p.n, keys.b),
                                   d(p.rows * p.n);
  const double numbers = static_cast<double>(a.size() + b.size() + d.size());
  KernelContest contest(p, clock, times, 2 * static_cast<double>(p.rows * p.n) * static_cast<double>(p.cols),
                        2 * numbers);
  contest.add_output({d, sampled_elements(d.size(), samples_in_all, options.seed)});
  const GemmBf16<std::uint16_t> task{p.rows, p.n, p.cols, a.data(), p.cols, b.data(), p.n, d.data(), p.n};
  contest.time_ours([&] { gemm_bf16(task, nullptr); });
  const auto dense = [](std::uint64_t rows, std::uint64_t cols, const DeviceArray<std::uint16_t>& data) {
    return PeerDense{static_cast<std::int64_t>(rows), static_cast<std::int64_t>(cols), data.data()};
  };
  contest.time_peer("cublas dense", cublas_gemm(PeerType::bf16, dense(p.rows, p.cols, a),
                                                dense(p.cols, p.n, b), dense(p.rows, p.n, d)));
}

// Images are made once for both designs: thousands of them take seconds.
struct TimedImages {
  std::uint64_t rows = 0, cols = 0;
  spdnn::BitMatrix pixels{};
};

void time_spdnn(const TimedProblem& p, const TimesOptions& options, const KernelClock& clock,
                TimedImages& images, std::vector<KernelTime>& times) {
  if (images.rows != p.rows || images.cols != p.cols)
    images = {p.rows, p.cols, timed_images(p, options.seed)};
  SpdnnDeviceOptions how;
  ASSAY_CUDA(cudaGetDevice(&how.ordinal));
  how.design = p.kind == TimedKind::spdnn_fused ? SpdnnDesign::fused : SpdnnDesign::tiled;
  how.widest = static_cast<std::int64_t>(p.cols);
  how.skip_zero_rows = true;
  const std::unique_ptr<ComputeDevice> device = make_cuda_device(how);
  double nonzeros = 0;
  for (const networks::Layer& layer : timed_network(p).layers) {
    device->add_layer(layer);
    nonzeros += static_cast<double>(layer.weights.nnz());
  }
  spdnn::Inference last;
  const Timing timing =
      clock.time_on_host([&] { last = device->infer(images.pixels.view(), InferOptions{}); });
  KernelTime t;
  t.kernel = p.kernel;
  t.problem = p.text;
  t.contestant = assay_contestant;
  t.seconds = timing.median;
  t.least = timing.least;
  t.repetitions = timing.repetitions;
  t.flops = 2 * static_cast<double>(last.executed_edges);
  // Weights with their index of 16 bits, and the images.
  t.bytes = 6 * nonzeros + static_cast<double>(p.rows * p.cols) / 8;
  t.edges = static_cast<double>(last.nominal_edges);
  t.detail = device->kernel();
  t.categories = categories_of(last.categories);
  times.push_back(std::move(t));
}

void time_problem(const TimedProblem& p, const TimesOptions& options, const KernelClock& clock,
                  TimedImages& images, std::vector<KernelTime>& times) {
  switch (p.kind) {
    case TimedKind::autosparse_forward:
    case TimedKind::autosparse_backward: return time_autosparse(p, options, clock, times);
    case TimedKind::convert_bf16: return time_conversion(p, options, clock, times);
    case TimedKind::spmm_csr_f32:
    case TimedKind::spmm_csr_bf16: return time_spmm_csr(p, options, clock, times);
    case TimedKind::sddmm_csr_f32:
    case TimedKind::sddmm_csr_bf16: return time_sddmm_csr(p, options, clock, times);
    case TimedKind::gemm_bf16: return time_gemm(p, options, clock, times);
    case TimedKind::spmm_bsr_mma:
    case TimedKind::spmm_bsr_wgmma: return time_spmm_bsr(p, options, clock, times);
    case TimedKind::spdnn_tiled:
    case TimedKind::spdnn_fused: return time_spdnn(p, options, clock, images, times);
  }
}

}  // namespace

std::vector<KernelTime> time_kernels(const TimesOptions& options) {
  if (!(options.seconds >= 0) || options.least_repetitions < 1 ||
      options.most_repetitions < options.least_repetitions)
    throw ContractError("time_kernels: " + std::to_string(options.seconds) + " seconds, " +
                        std::to_string(options.least_repetitions) + " to " +
                        std::to_string(options.most_repetitions) + " repetitions");
  int devices = 0;
  ASSAY_CUDA(cudaGetDeviceCount(&devices));  // the first call: no driver, no device
  const std::vector<TimedProblem> problems = timed_problems(options.small);
  std::size_t contestants = 0;
  for (const TimedProblem& p : problems) contestants += p.contestants.size();
  const KernelClock clock(options, contestants);
  TimedImages images;
  std::vector<KernelTime> times;
  for (const TimedProblem& p : problems) {
    const std::string name = p.kernel + ", " + p.text;
    options.progress(name, static_cast<double>(times.size()) / static_cast<double>(contestants));
    try {
      time_problem(p, options, clock, images, times);
    } catch (const ContractError& error) {
      throw ContractError(name + ": " + error.what());
    } catch (const DeviceError& error) {
      throw DeviceError(name + ": " + error.what());
    }
  }
  options.progress("", 1);
  return times;
}

}  // namespace assay::gpu
