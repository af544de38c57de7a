// Matrix products of the x86 units and of CUDA's cores, every path, as shares of the peak of multiply-adds that the
// same run measures; beside them the CPU's own instructions and oneDNN's float32 product.
//
// `share` is of the AVX-512 peak (of AVX2's without AVX-512), for as many threads as the product uses. One thread is
// timed by its own CPU time, two by the clock: those need an idle machine.
#include <benchmark/benchmark.h>

#ifdef ASSAY_ONEDNN
#include <dnnl.h>
#endif

#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

#include "emulation/units/unit.hpp"
#include "emulation/units/x86/live_x86.hpp"
#include "reference/core/cpu.hpp"
#include "reference/core/dispatch.hpp"
#include "reference/core/parallel.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/storage.hpp"
#include "tests/bench/fma_peak.hpp"

using namespace assay;

namespace {

void count(benchmark::State& state, double flop, int threads) {
  state.counters["GFLOP/s"] = benchmark::Counter(flop * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  if (fma_peak() != 0) {
    state.counters["share"] =
        benchmark::Counter(flop / fma_peak() / threads, benchmark::Counter::kIsIterationInvariantRate);
  }
}

std::vector<std::uint32_t> normal_codes(std::size_t n, const FormatSpec& f, std::uint64_t stream) {
  const CounterRandom random(1, stream);
  std::vector<std::uint32_t> codes((n * code_bytes(f) + 3) / 4);
  for (std::size_t i = 0; i < n; ++i) {
    detail::store_code(codes.data(), static_cast<std::ptrdiff_t>(i), code_bytes(f),
                       encode(random.normal(i), f).code);
  }
  return codes;
}

void gemm(benchmark::State& state, const Unit& unit, const UnitPath& path, int threads) {
  if (const std::string why = why_unavailable(path.needs); !why.empty()) {
    state.SkipWithError(why.c_str());
    return;
  }
  const ThreadScope team(threads);
  const auto n = static_cast<std::size_t>(state.range(0));
  const auto stride = static_cast<std::ptrdiff_t>(n);
  const FormatSpec& f = unit.info().inputs.front().first;
  const std::vector<std::uint32_t> a = normal_codes(n * n, f, 1), b = normal_codes(n * n, f, 2);
  std::vector<std::uint32_t> d(n * n * code_bytes(unit.info().accumulator) / 4);
  for (auto _ : state) {
    unit.gemm_by(path.name, {a.data(), n, n, stride, 1, f}, {b.data(), n, n, stride, 1, f}, {},
                 {d.data(), n, n, stride, 1, unit.info().accumulator});
  }
  count(state, 2.0 * static_cast<double>(n * n * n), threads);
}

void instruction_peak(benchmark::State& state, std::uint64_t (*run)(std::uint64_t), Isa needs) {
  if (const std::string why = why_unavailable(needs); !why.empty()) {
    state.SkipWithError(why.c_str());
    return;
  }
  double flop = 0;
  for (auto _ : state) flop = static_cast<double>(run(100'000));
  count(state, flop, 1);
}

// Lanes of VDPBF16PS a second through generator, instruction and emulation, on all threads.
void live_check(benchmark::State& state, X86Class kind) {
  if (const std::string why = why_unavailable(Isa::avx512bf16); !why.empty()) {
    state.SkipWithError(why.c_str());
    return;
  }
  const ThreadScope team(hardware_threads());
  constexpr std::uint64_t lanes = 10'000'000;
  for (auto _ : state) benchmark::DoNotOptimize(check_vdpbf16ps_live({kind, 1, 0, lanes}).mismatches);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(lanes));
}

#ifdef ASSAY_ONEDNN
void onednn_sgemm(benchmark::State& state, int threads) {
  const ThreadScope team(threads);
  const auto n = static_cast<std::size_t>(state.range(0));
  std::vector<float> a(n * n, 1.0F), b(n * n, 1.0F), d(n * n);
  const auto size = static_cast<dnnl_dim_t>(n);
  for (auto _ : state)
    dnnl_sgemm('N', 'N', size, size, size, 1.0F, a.data(), size, b.data(), size, 0.0F, d.data(), size);
  count(state, 2.0 * static_cast<double>(n * n * n), threads);
}
#endif

}  // namespace

int main(int argc, char** argv) {
  ArithmeticRegistry registry;
  add_fma_chain_units(registry);
  benchmark::Initialize(&argc, argv);
  benchmark::RegisterBenchmark("peak/fma_avx512", instruction_peak, fma_peak_avx512, Isa::avx512);
  benchmark::RegisterBenchmark("peak/fma_avx2", instruction_peak, fma_peak_avx2, Isa::avx2);
  benchmark::RegisterBenchmark("peak/vdpbf16ps", instruction_peak, vdpbf16ps_peak, Isa::avx512bf16);
  for (const X86ClassInfo& c : x86_classes()) {
    benchmark::RegisterBenchmark(("check_vdpbf16ps_live/" + std::string(c.name)).c_str(), live_check, c.id)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
  for (const Arithmetic* member : registry.list()) {
    const Unit& unit = *as_unit(*member);
    for (const UnitPath& path : unit.paths()) {
      for (const int threads : {1, 2}) {
        const bool wide = path.needs.includes(Isa::avx2);
        if (threads > 1 && (!wide || threads > hardware_threads())) continue;
        auto* const b = benchmark::RegisterBenchmark(
            (unit.info().name + "/" + std::string(path.name) + "/threads:" + std::to_string(threads)).c_str(),
            [&unit, path, threads](benchmark::State& state) { gemm(state, unit, path, threads); });
        b->Arg(wide ? 1024 : path.name == "definition" ? 32 : 256)->Unit(benchmark::kMillisecond);
        if (threads > 1) b->UseRealTime();
      }
    }
  }
#ifdef ASSAY_ONEDNN
  for (const int threads : {1, 2}) {
    if (threads > hardware_threads()) continue;
    auto* const b = benchmark::RegisterBenchmark(("onednn_sgemm/threads:" + std::to_string(threads)).c_str(),
                                                 onednn_sgemm, threads);
    b->Arg(1024)->Unit(benchmark::kMillisecond);
    if (threads > 1) b->UseRealTime();
  }
#endif
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
