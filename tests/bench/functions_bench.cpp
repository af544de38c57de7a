// Time of one call of the correctly rounded functions of float32, of the double ones, and of the host's libm, which is
// not correctly rounded, on the same 4096 arguments. One thread.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "reference/core/random.hpp"
#include "reference/exact/functions.hpp"

namespace {

using namespace assay;

template <class T>
void unary(const std::string& name, T (*function)(T), double low, double high) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    const CounterRandom random(1);
    std::vector<T> x(4096);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(low + (high - low) * random.uniform(i));
    for (auto _ : state) {
      for (const T value : x) benchmark::DoNotOptimize(function(value));
    }
    state.counters["time of a call"] =
        benchmark::Counter(4096, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  });
}

#define BOTH(f, low, high)                                               \
  unary<float>(#f "/float32", functions::f, low, high);                  \
  unary<float>(                                                          \
      #f "/float32 libm", [](float x) { return std::f(x); }, low, high); \
  unary<double>(#f "/float64", functions::f, low, high);                 \
  unary<double>(                                                         \
      #f "/float64 libm", [](double x) { return std::f(x); }, low, high)
#define OURS(f, low, high)                              \
  unary<float>(#f "/float32", functions::f, low, high); \
  unary<double>(#f "/float64", functions::f, low, high)

void add_all() {
  BOTH(exp, -20, 20);
  BOTH(exp2, -20, 20);
  OURS(exp10, -10, 10);
  BOTH(expm1, -5, 5);
  BOTH(log, 0, 100);
  BOTH(log2, 0, 100);
  BOTH(log10, 0, 100);
  BOTH(log1p, 0, 10);
  BOTH(sin, -10, 10);
  BOTH(cos, -10, 10);
  BOTH(tan, -10, 10);
  OURS(sinpi, -3, 3);
  OURS(cospi, -3, 3);
  BOTH(asin, -1, 1);
  BOTH(acos, -1, 1);
  BOTH(atan, -5, 5);
  BOTH(sinh, -10, 10);
  BOTH(cosh, -10, 10);
  BOTH(tanh, -5, 5);
  BOTH(asinh, -10, 10);
  BOTH(acosh, 1, 10);
  BOTH(atanh, -1, 1);
  OURS(rsqrt, 0, 100);
  BOTH(cbrt, -100, 100);
  OURS(rcbrt, 1, 100);
  BOTH(erf, -4, 4);
  BOTH(erfc, -4, 10);
  OURS(sigmoid, -10, 10);
  unary<float>("sin/float32 to 2^100", functions::sin, -0x1p100, 0x1p100);
  unary<float>(
      "sin/float32 to 2^100 libm", [](float x) { return std::sin(x); }, -0x1p100, 0x1p100);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  add_all();
  benchmark::RunSpecifiedBenchmarks();
}
