// The oracle's speed: exact dot products, sums and bounds, in one thread.
#include <benchmark/benchmark.h>

#include <string>
#include <string_view>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/exact/chain.hpp"
#include "reference/exact/exact_dot.hpp"
#include "reference/exact/exact_gemm.hpp"
#include "reference/formats/storage.hpp"

using namespace assay;

namespace {

template <class T>
std::vector<T> normal_values(std::size_t n, std::uint64_t stream) {
  const CounterRandom random(1, stream);
  std::vector<T> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = T(random.normal(i));
  return values;
}

template <class T>
void dot_product(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<T> a = normal_values<T>(n, 1), b = normal_values<T>(n, 2);
  for (auto _ : state) benchmark::DoNotOptimize(exact_dot(a.data(), b.data(), n).rounded_up());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_TEMPLATE(dot_product, float)->Arg(64)->Arg(1024)->Arg(65536);
BENCHMARK_TEMPLATE(dot_product, double)->Arg(64)->Arg(1024)->Arg(65536);
BENCHMARK_TEMPLATE(dot_product, bf16_t)->Arg(1024)->Arg(65536);
BENCHMARK_TEMPLATE(dot_product, f16_t)->Arg(1024)->Arg(65536);
BENCHMARK_TEMPLATE(dot_product, f8_e4m3_t)->Arg(1024)->Arg(65536);

template <class T>
void sum_of_values(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<T> x = normal_values<T>(n, 1);
  for (auto _ : state) benchmark::DoNotOptimize(exact_sum(code_vector(x.data(), n)).rounded_up());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_TEMPLATE(sum_of_values, float)->Arg(65536);
BENCHMARK_TEMPLATE(sum_of_values, double)->Arg(65536);

// A chain's dot product: the host's arithmetic (chain_f32_fused) and the definition (chain_f32_rz).
void chain(benchmark::State& state, const char* name) {
  ArithmeticRegistry registry;
  add_chains(registry);
  const Arithmetic& arithmetic = registry.find(name);
  constexpr std::size_t n = 1024;
  const std::vector<float> a = normal_values<float>(n, 1), b = normal_values<float>(n, 2);
  for (auto _ : state)
    benchmark::DoNotOptimize(arithmetic.dot(code_vector(a.data(), n), code_vector(b.data(), n)));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n));
}
BENCHMARK_CAPTURE(chain, chain_f32, "chain_f32");
BENCHMARK_CAPTURE(chain, chain_f32_fused, "chain_f32_fused");
BENCHMARK_CAPTURE(chain, chain_f32_rz, "chain_f32_rz");
BENCHMARK_CAPTURE(chain, chain_bf16_sr, "chain_bf16_sr");

// Truth and bound of one output: what a check costs for each element.
void truth_and_bound(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const auto arithmetic = make_chain({.name = "chain_f32"});
  const std::vector<float> a = normal_values<float>(n, 1), b = normal_values<float>(n, 2);
  const CodeVector x = code_vector(a.data(), n), y = code_vector(b.data(), n);
  for (auto _ : state) benchmark::DoNotOptimize(arithmetic->bound(x, y, {}, formats::float32));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(truth_and_bound)->Arg(64)->Arg(1024);

// Sums and magnitudes of all outputs of a product, a tile at a time: products a second.
template <class T>
void gemm_sums(benchmark::State& state, const WindowSumsKernel& kernel) {
  if (const std::string why = why_unavailable(kernel.needs); !why.empty()) {
    state.SkipWithError(why.c_str());
    return;
  }
  constexpr std::size_t m = 256, n = 256, k = 1024;
  const auto arithmetic = make_chain({.name = "chain_f32"});
  const std::vector<T> a = normal_values<T>(m * k, 1), b = normal_values<T>(n * k, 2);
  for (auto _ : state) {
    const ExactGemm gemm(*arithmetic, code_matrix(a.data(), m, k), code_matrix(b.data(), n, k).transposed(),
                         {}, {.threads = 1, .kernel = &kernel});
    ExactGemm::Workspace space;
    double all = 0;
    for (std::size_t i = 0; i < m; i += ExactGemm::tile_size) {
      for (std::size_t j = 0; j < n; j += ExactGemm::tile_size) {
        gemm.tile(i, ExactGemm::tile_size, j, ExactGemm::tile_size, space,
                  [&](std::size_t, std::size_t, const GemmSum& sum) { all += sum.dot.magnitudes; });
      }
    }
    benchmark::DoNotOptimize(all);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(m * n * k));
}
constexpr auto gemm_sums_float32 = &gemm_sums<float>;
constexpr auto gemm_sums_bfloat16 = &gemm_sums<bf16_t>;
#define WINDOW_SUMS(name, needs, lanes, description)                              \
  BENCHMARK_CAPTURE(gemm_sums_float32, name, window_sums_kernels().named(#name)); \
  BENCHMARK_CAPTURE(gemm_sums_bfloat16, name, window_sums_kernels().named(#name));
#include "reference/exact/window_sums.def"
#undef WINDOW_SUMS

}  // namespace

BENCHMARK_MAIN();
