// GEMM under NVIDIA's tensor cores, GFLOP/s of every path, on one thread and on all, and as a share of the FMA peak
// measured in the same run (once for each thread number, just before).
//
//     build/bin/units_nvidia_bench [--benchmark_filter=sm90.bf16/avx512]
//
// m = n = k = 512 for vectors, smaller for the scalar path; operands are standard normal, C is zero. A product and its
// addition are two operations. The mean and the best of the repetitions are given: the FMA peak is a best too, and on a
// machine that does other work the two part.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cmath>
#include <string>
#include <vector>

#include "emulation/units/unit.hpp"
#include "reference/core/cpu.hpp"
#include "reference/core/dispatch.hpp"
#include "reference/core/parallel.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"
#include "tests/bench/fma_peak.hpp"

namespace {
using namespace assay;

std::vector<unsigned char> normal_codes(std::size_t n, const FormatSpec& f, std::uint64_t stream) {
  const CounterRandom random(1, stream);
  std::vector<unsigned char> data(n * code_bytes(f));
  for (std::size_t i = 0; i < n; ++i) {
    detail::store_code(data.data(), static_cast<std::ptrdiff_t>(i), code_bytes(f),
                       encode(random.normal(i), f).code);
  }
  return data;
}

void run_gemm(benchmark::State& state, const Unit& unit, const UnitPath& path, int threads, double peak) {
  const std::size_t n = path.name == "definition" ? 64 : path.needs == Isa::scalar ? 256 : 512;
  const auto stride = static_cast<std::ptrdiff_t>(n);
  const auto& [fa, fb] = unit.info().inputs.front();
  const std::vector<unsigned char> a = normal_codes(n * n, fa, 1), b = normal_codes(n * n, fb, 2);
  const FormatSpec& fd = unit.info().accumulator;
  std::vector<unsigned char> d(n * n * code_bytes(fd));
  const ThreadScope team(threads);
  double seconds = 0, best = 1e9;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    unit.gemm_by(path.name, {a.data(), n, n, stride, 1, fa}, {b.data(), n, n, stride, 1, fb}, {},
                 {d.data(), n, n, stride, 1, fd});
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    state.SetIterationTime(taken.count());
    seconds += taken.count();
    best = taken.count() < best ? taken.count() : best;
  }
  const double flops = 2.0 * std::pow(static_cast<double>(n), 3);
  state.counters["GFLOP/s"] = flops * static_cast<double>(state.iterations()) / seconds * 1e-9;
  state.counters["best_GFLOP/s"] = flops / best * 1e-9;
  state.counters["best_peak_share_%"] = flops / best * 1e-7 / (peak * threads);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  ArithmeticRegistry registry;
  add_fused_sum_units(registry);
  const double peak = fma_peak() * 1e-9;
  benchmark::AddCustomContext("cpu", cpu_model());
  benchmark::AddCustomContext("FMA peak of one thread, GFLOP/s", std::to_string(peak));
  for (const Arithmetic* arithmetic : registry.list()) {
    const Unit& unit = *as_unit(*arithmetic);
    for (const UnitPath& path : unit.paths()) {
      if (!cpu_has(path.needs)) continue;
      for (const int threads : {1, hardware_threads()}) {
        const std::string name =
            unit.info().name + "/" + std::string(path.name) + "/threads:" + std::to_string(threads);
        benchmark::RegisterBenchmark(
            name.c_str(),
            [&unit, path, threads, peak](benchmark::State& s) { run_gemm(s, unit, path, threads, peak); })
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond)
            ->MinTime(0.3);
        if (hardware_threads() == 1) break;
      }
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
