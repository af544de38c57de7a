// Edges per second of every inference kernel, beside Eigen's sparse product on the same images.
//
//     build/bin/spdnn_bench [--benchmark_filter=ell_avx512]
//
// 1024 neurons x 120 layers. `nominal` counts every edge of every image, `executed` those of the rows that were
// computed. Eigen's figures share the cut: it drops zeros after each layer, so rows of zeros cost it nothing either.
// `vs_Eigen` is the ratio of nominal rates, all on the same number of threads. Images: MNIST's training images if
// ASSAY_DATA has them (the peer takes the first 6,000), generated digits otherwise.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "reference/core/cpu.hpp"
#include "reference/core/dispatch.hpp"
#include "reference/core/idx.hpp"
#include "reference/core/parallel.hpp"
#include "reference/spdnn/challenge_files.hpp"
#include "reference/spdnn/challenge_network.hpp"
#include "reference/spdnn/digits.hpp"
#include "reference/spdnn/inference.hpp"
#include "reference/spdnn/inputs.hpp"
#include "reference/spdnn/simple_inference.hpp"

namespace {
using namespace assay;
using namespace assay::spdnn;

constexpr std::int32_t neurons = 1024;
constexpr int layer_count = 120;
constexpr std::size_t few_images = 6000;  // for what takes minutes on all

struct Problem {
  std::string source;
  BitMatrix images;
  networks::Network network;
  double eigen_nominal = 0;
};

Problem make_problem() {
  Problem p;
  const char* const data = std::getenv("ASSAY_DATA");
  const std::filesystem::path file =
      data == nullptr ? ""
                      : find_plain_or_gzipped(std::filesystem::path(data) / "mnist/train-images-idx3-ubyte");
  p.source = file.empty() ? "generated" : "mnist";
  p.images = interpolate(file.empty() ? generate_digits(few_images) : read_idx_images(file), 32).pixels;
  p.network = challenge_network(neurons, layer_count);
  return p;
}

void run_kernel(benchmark::State& state, const Kernel& kernel, const Problem& problem) {
  const Plan plan(kernel, problem.network, {Cut::zero_rows});
  const BitRows rows = problem.images.first(kernel.lanes == 1 ? few_images : problem.images.rows());
  Inference result;
  double seconds = 0;
  for (auto _ : state) {
    result = execute(plan, rows);
    state.SetIterationTime(result.seconds);
    seconds += result.seconds;
  }
  const double runs = static_cast<double>(state.iterations());
  const double nominal = runs * static_cast<double>(result.nominal_edges) / seconds;
  state.counters["nominal"] = nominal;
  state.counters["executed"] = runs * static_cast<double>(result.executed_edges) / seconds;
  if (problem.eigen_nominal > 0)
    state.counters["vs_Eigen"] = nominal / problem.eigen_nominal;  // not filtered out
  state.SetLabel(problem.source + ", " + std::to_string(rows.rows) + " images, " +
                 std::to_string(result.threads) + " threads");
}

void run_eigen(benchmark::State& state, Problem& problem) {
  const BitRows rows = problem.images.first(few_images);
  double seconds = 0;
  for (auto _ : state) {
    const SimpleInference result = simple_inference(rows, problem.network);
    state.SetIterationTime(result.seconds);
    seconds += result.seconds;
  }
  const double edges = static_cast<double>(rows.rows) * layer_count * 32.0 * neurons;
  problem.eigen_nominal = static_cast<double>(state.iterations()) * edges / seconds;
  state.counters["nominal"] = problem.eigen_nominal;
  state.counters["vs_Eigen"] = 1;
  state.SetLabel(problem.source + ", " + std::to_string(rows.rows) + " images, " +
                 std::to_string(default_threads()) + " threads");
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  Problem problem = make_problem();
  // First: the kernels report their ratio to it.
  benchmark::RegisterBenchmark("Eigen", [&](benchmark::State& s) { run_eigen(s, problem); })
      ->UseManualTime()
      ->Unit(benchmark::kSecond)
      ->Iterations(1);
  for (const Kernel& kernel : all_kernels()) {
    if (!cpu_has(kernel.needs)) continue;
    benchmark::RegisterBenchmark(std::string(kernel.name).c_str(),
                                 [&](benchmark::State& s) { run_kernel(s, kernel, problem); })
        ->UseManualTime()
        ->Unit(benchmark::kSecond)
        ->Iterations(kernel.lanes == 1 ? 1 : 10);
  }
  benchmark::AddCustomContext("cpu", cpu_model());
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
