// How fast a comparison is, in bytes of both arrays a second. One thread, so that the figure is a thread's.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "reference/core/random.hpp"
#include "reference/formats/convert.hpp"
#include "validation/compare/comparator.hpp"

namespace {

using namespace assay;

constexpr std::size_t size = std::size_t{1} << 24;  // beyond the caches

std::vector<float> values(std::uint64_t seed) {
  const CounterRandom random(seed);
  std::vector<float> x(size);
  for (std::size_t i = 0; i < size; ++i) x[i] = static_cast<float>(random.uniform(i) * 2 - 1);
  return x;
}

std::vector<bf16_t> rounded(const std::vector<float>& x) {
  std::vector<bf16_t> y(x.size());
  convert_array(std::span<const float>(x), std::span<bf16_t>(y));
  return y;
}

compare::Codes codes(const std::vector<float>& x) {
  return {x.data(), formats::float32, {4096, x.size() / 4096}};
}
compare::Codes codes(const std::vector<bf16_t>& x) {
  return {x.data(), formats::bfloat16, {4096, x.size() / 4096}};
}

compare::Policy tolerance() {
  compare::Policy p;
  p.name = "tolerance";
  p.kind = compare::PolicyKind::tolerance;
  p.rtol = 0x1p-8;
  p.because = "one rounding to bfloat16";
  return p;
}

void run(benchmark::State& state, const compare::Codes& got, const compare::Expected& want,
         const compare::Options& options, std::size_t bytes) {
  compare::Options one_thread = options;
  one_thread.threads = 1;
  for (auto _ : state) {
    const compare::Comparison c = judge(got, want, one_thread);
    benchmark::DoNotOptimize(c.bit_equal);
    if (c.verdict != compare::Verdict::agree) state.SkipWithError(c.reason.c_str());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(bytes));
  state.counters["values/s"] =
      benchmark::Counter(static_cast<double>(size), benchmark::Counter::kIsIterationInvariantRate);
}

void bf16_against_float32_all_equal(benchmark::State& state) {
  const std::vector<float> want = values(1);
  const std::vector<bf16_t> got = rounded(want);
  compare::Options options;
  options.convert = true;
  run(state, codes(got), {.codes = codes(want)}, options, size * 6);
}

void float32_all_equal(benchmark::State& state) {
  const std::vector<float> want = values(1), got = want;
  run(state, codes(got), {.codes = codes(want)}, {}, size * 8);
}

void bf16_all_equal(benchmark::State& state) {
  const std::vector<bf16_t> want = rounded(values(1)), got = want;
  run(state, codes(got), {.codes = codes(want)}, {}, size * 4);
}

// Every value has an error: the rounding to bfloat16.
void bf16_against_float32_tolerance(benchmark::State& state) {
  const std::vector<float> want = values(1);
  const std::vector<bf16_t> got = rounded(want);
  compare::Options options;
  options.policy = tolerance();
  run(state, codes(got), {.codes = codes(want)}, options, size * 6);
}

void float32_within_a_bound(benchmark::State& state) {
  const std::vector<float> want = values(1);
  std::vector<float> got = want;
  std::vector<double> truth(size), bound(size);
  const CounterRandom random(2);
  for (std::size_t i = 0; i < size; ++i) {
    truth[i] = want[i];
    bound[i] = 0x1p-20;
    got[i] += static_cast<float>(random.uniform(i) * 0x1p-21);
  }
  compare::Options options;
  options.policy = compare::find_policy(compare::default_policies(), "bound", "bench");
  run(state, codes(got), {.codes = codes(want), .truth = truth, .bound = bound}, options, size * 8);
}

BENCHMARK(bf16_against_float32_all_equal)->Unit(benchmark::kMillisecond);
BENCHMARK(bf16_all_equal)->Unit(benchmark::kMillisecond);
BENCHMARK(float32_all_equal)->Unit(benchmark::kMillisecond);
BENCHMARK(bf16_against_float32_tolerance)->Unit(benchmark::kMillisecond);
BENCHMARK(float32_within_a_bound)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
