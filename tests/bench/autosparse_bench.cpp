// AutoSparse's gradient path on one thread.
//
//     build/bin/autosparse_bench [--benchmark_filter=forward] [--benchmark_out=autosparse.json]
//
// The process is held to one processor; figures are medians of seven repetitions.
//
//   forward, backward  a layer of 64 Mi weights, which no cache holds: bytes read and written a second, and their share
//                      of what memcpy of such an array reads and writes, both timed in turn. `definition` is the plain
//                      loop that defines the bits, `plain loop` one compiled with -O3 for the CPU at hand, whose sum
//                      has the order of the loop
//   dX, dW             channels x weights x batch: 2 nnz batch flop (of a dense dW, 2 channels weights batch) over the
//                      time of the call, its share of the sparse kernel's own rate on the same operands as that likes
//                      them best, timed in turn, and what the plan costs, in products: the mask changes at every step
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "reference/autosparse/layer.hpp"
#include "reference/core/cpu.hpp"
#include "reference/core/large_memory.hpp"
#include "reference/core/random.hpp"
#include "tests/bench/autosparse_plain.hpp"
#include "tests/bench/fma_peak.hpp"
#include "tests/bench/medians.hpp"

namespace {

using namespace assay;
using namespace assay::autosparse;

using Clock = std::chrono::steady_clock;
double seconds_of(const std::function<void()>& work) {
  const auto begin = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// In turn, so that both meet the same machine.
struct Times {
  double own = 0, other = 0;
};
Times in_turn(benchmark::State& state, const std::function<void()>& own, const std::function<void()>& other) {
  own();
  other();
  Times sum;
  for (auto _ : state) {
    sum.other += seconds_of(other);
    const double seconds = seconds_of(own);
    state.SetIterationTime(seconds);
    sum.own += seconds;
  }
  const double n = static_cast<double>(state.iterations());
  return {sum.own / n, sum.other / n};
}

class Array {
 public:
  explicit Array(std::size_t n) : memory_(large_memory(n * sizeof(float))), size_(n) {}
  std::span<float> span() const { return {reinterpret_cast<float*>(memory_.get()), size_}; }
  float* data() const { return span().data(); }

 private:
  LargeMemory memory_;
  std::size_t size_;
};

constexpr std::size_t weights = std::size_t{1} << 26;
constexpr float threshold = 0.05F, alpha = 0.5F, lambda = 1e-4F;

struct Arrays {
  Array w{weights}, g{weights}, out{weights}, copy{weights};
  std::vector<bf16_t> narrow = std::vector<bf16_t>(weights);
  std::vector<std::uint8_t> mask = std::vector<std::uint8_t>(weights);

  Arrays() {
    const CounterRandom random(1);
    constexpr std::size_t period = 100003;
    for (std::size_t i = 0; i < weights; ++i) {
      w.data()[i] = i < period ? static_cast<float>(0.04 * random.normal(i)) : w.data()[i - period];
      g.data()[i] = i < period ? static_cast<float>(random.normal(period + i)) : g.data()[i - period];
    }
    std::memset(out.data(), 0, weights * sizeof(float));
    std::memset(copy.data(), 0, weights * sizeof(float));
  }
};
const Arrays& arrays() {
  static const Arrays all;
  return all;
}

void stream(benchmark::State& state, double bytes_each, const std::function<void()>& own) {
  const Arrays& a = arrays();
  const Times times =
      in_turn(state, own, [&] { std::memcpy(a.copy.data(), a.w.data(), weights * sizeof(float)); });
  const double n = static_cast<double>(weights);
  state.counters["GB/s"] = bytes_each * n / times.own * 1e-9;
  state.counters["memcpy"] = 8 * n / times.other * 1e-9;
  state.counters["share"] = (bytes_each / times.own) / (8 / times.other);
}

const LayerShape whole{1, weights};

void register_streams(
    const std::function<void(const std::string&, std::function<void(benchmark::State&)>)>& add) {
  std::vector<const GradientKernel*> kernels;
  for (const GradientKernel& kernel : gradient_kernels()) {
    if (cpu_has(kernel.needs)) kernels.push_back(&kernel);
  }
  kernels.push_back(&gradient_definition());
  for (const GradientKernel* const kernel : kernels) {
    const std::string name(kernel->name);
    add("forward/v " + name, [=](benchmark::State& state) {
      const Arrays& a = arrays();
      stream(state, 8, [&] {
        autosparse::forward<float>(a.w.span(), whole, std::vector{threshold}, a.out.span(), {}, 1, kernel);
      });
    });
    add("forward/v, mask " + name, [=](benchmark::State& state) {
      Arrays& a = const_cast<Arrays&>(arrays());
      stream(state, 9, [&] {
        autosparse::forward<float>(a.w.span(), whole, std::vector{threshold}, a.out.span(), a.mask, 1,
                                   kernel);
      });
    });
    add("forward/v in bf16 " + name, [=](benchmark::State& state) {
      Arrays& a = const_cast<Arrays&>(arrays());
      stream(state, 6, [&] {
        autosparse::forward(a.w.span(), whole, std::vector{threshold}, std::span(a.narrow), {}, 1, kernel);
      });
    });
    add("backward/dw, ds " + name, [=](benchmark::State& state) {
      const Arrays& a = arrays();
      std::vector<double> sums(1);
      stream(state, 12, [&] {
        backward<float>(a.w.span(), whole, std::vector{threshold}, a.g.span(), {alpha, lambda, 0},
                        a.out.span(), sums, 1, kernel);
      });
    });
  }
  add("forward/v plain loop", [](benchmark::State& state) {
    const Arrays& a = arrays();
    stream(state, 8, [&] { bench::plain_forward(a.w.data(), a.out.data(), weights, threshold); });
  });
  add("backward/dw, ds plain loop", [](benchmark::State& state) {
    const Arrays& a = arrays();
    stream(state, 12, [&] {
      benchmark::DoNotOptimize(
          bench::plain_backward(a.w.data(), a.g.data(), a.out.data(), weights, threshold, alpha, lambda));
    });
  });
}

// A layer, pruned to some sparsity, and a batch.
struct Step {
  LayerShape shape;
  std::int64_t batch, channels, inputs;
  std::vector<float> w, v, x, dy, turned_dy, dx, turned_dx, g, sampled;
  std::vector<std::uint8_t> mask, half;
  std::int64_t nnz = 0;

  Step(const LayerShape& s, std::int64_t b, int percent)
      : shape(s),
        batch(b),
        channels(static_cast<std::int64_t>(s.channels)),
        inputs(static_cast<std::int64_t>(s.per_channel)),
        w(s.size()),
        v(s.size()),
        mask(s.size()) {
    const CounterRandom random(2);
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(0.04 * random.normal(i));
    const auto kept = w.size() * static_cast<std::size_t>(100 - percent) / 100;
    const std::vector<float> t{budget_threshold<float>(w, kept)};
    autosparse::forward<float>(w, shape, t, v, mask);
    half = top_half<float>(w, shape, t);
    nnz = std::count(mask.begin(), mask.end(), 1);
    const auto fill = [&](std::vector<float>& all, std::int64_t n, std::uint64_t stream) {
      all.resize(static_cast<std::size_t>(n));
      for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = static_cast<float>(random.uniform(stream << 32 | i)) - 0.5F;
    };
    fill(x, batch * inputs, 1);
    fill(dy, batch * channels, 2);
    turned_dy.resize(dy.size());
    for (std::int64_t i = 0; i < batch; ++i) {
      for (std::int64_t o = 0; o < channels; ++o)
        turned_dy[static_cast<std::size_t>(o * batch + i)] = dy[static_cast<std::size_t>(i * channels + o)];
    }
    dx.resize(x.size());
    turned_dx.resize(x.size());
    g.resize(w.size());
  }
  sparse::DenseView dy_view() const { return {dy.data(), batch, channels, channels}; }
  sparse::DenseView turned_dy_view() const { return {turned_dy.data(), channels, batch, batch}; }
  sparse::DenseView x_view() const { return {x.data(), batch, inputs, inputs}; }
};

Step& step_of(const LayerShape& shape, std::int64_t batch, int percent) {
  static std::string now;
  static std::unique_ptr<Step> step;
  const std::string name = std::to_string(shape.channels) + " " + std::to_string(shape.per_channel) + " " +
                           std::to_string(percent);
  if (name != now) step = std::make_unique<Step>(shape, batch, percent);
  now = name;
  return *step;
}

void count(benchmark::State& state, double entries, double batch, const Times& times, double plan_seconds) {
  const double flop = 2 * entries * batch;
  state.counters["GFLOP/s"] = flop / times.own * 1e-9;
  state.counters["own"] = flop / times.other * 1e-9;
  state.counters["share"] = times.other / times.own;
  state.counters["plan"] = plan_seconds / times.own;
}

double median_seconds(const std::function<void()>& work) {
  std::vector<double> all;
  for (int i = 0; i < 5; ++i) all.push_back(seconds_of(work));
  std::nth_element(all.begin(), all.begin() + 2, all.end());
  return all[2];
}

void input_gradient(benchmark::State& state, Step& s) {
  const PrunedLayer layer(s.v, s.shape, {.batch = s.batch});
  const sparse::SpmmPlan plan(transposed_weights(s.v, s.shape), {.columns = s.batch});
  const double plan_seconds = median_seconds([&] {
    const sparse::SpmmPlan made(transposed_weights(s.v, s.shape),
                                {.columns = s.batch, .sharing = sparse::SpmmSharing::none});
    benchmark::DoNotOptimize(made.nnz());
  });
  const Times times = in_turn(
      state,
      [&] {
        layer.input_gradient(s.dy_view(), {s.dx.data(), s.batch, s.inputs, s.inputs}, 1);
      },
      [&] {
        plan.multiply(s.turned_dy_view(), {s.turned_dx.data(), s.inputs, s.batch, s.batch}, {}, 1);
      });
  count(state, static_cast<double>(s.nnz), static_cast<double>(s.batch), times, plan_seconds);
}

void weight_gradient(benchmark::State& state, Step& s, const std::vector<std::uint8_t>& places) {
  const WeightGradientPlan gradient(s.shape, places);
  const auto run = [&] {
    gradient.multiply(s.dy_view(), s.x_view(), {s.g.data(), s.channels, s.inputs, s.inputs}, 1);
  };
  sparse::CsrStructure structure{s.channels, s.inputs, {0}, {}};
  for (std::size_t i = 0; i < s.w.size(); ++i) {
    if (places.empty() || places[i] != 0)
      structure.column_indices.push_back(static_cast<std::int32_t>(i % s.shape.per_channel));
    if ((i + 1) % s.shape.per_channel == 0) structure.end_row();
  }
  const double entries = static_cast<double>(structure.nnz()), batch = static_cast<double>(s.batch);
  if (places.empty()) {
    sparse::Csr<float> turned;
    turned.structure = {s.channels, s.batch, {0}, {}};
    for (std::int64_t o = 0; o < s.channels; ++o) {
      for (std::int32_t b = 0; b < s.batch; ++b) turned.structure.column_indices.push_back(b);
      turned.structure.end_row();
    }
    turned.values = s.turned_dy;
    const sparse::SpmmPlan plan(turned, {.columns = s.inputs});
    const Times times = in_turn(state, run, [&] {
      plan.multiply(s.x_view(), {s.g.data(), s.channels, s.inputs, s.inputs}, {}, 1);
    });
    count(state, entries, batch, times, 0);
    return;
  }
  s.sampled.resize(structure.column_indices.size());
  const sparse::SddmmPlan plan(structure);
  const double plan_seconds = median_seconds([&] { WeightGradientPlan(s.shape, places); });
  const Times times =
      in_turn(state, run, [&] { plan.multiply(s.turned_dy_view(), s.x_view(), s.sampled, {}, 1); });
  count(state, entries, batch, times, plan_seconds);
}

void register_products(
    const std::function<void(const std::string&, std::function<void(benchmark::State&)>)>& add) {
  const struct {
    LayerShape shape;
    std::int64_t batch;
  } layers[] = {{{1024, 1024}, 256}, {{512, 4608}, 196}, {{2048, 2048}, 128}};
  for (const auto& [shape, batch] : layers) {
    const std::string size = std::to_string(shape.channels) + "x" + std::to_string(shape.per_channel) + "x" +
                             std::to_string(batch);
    for (const int percent : {80, 90, 95}) {
      const std::string cell = size + " " + std::to_string(percent) + " %";
      const auto step = [=, shape = shape, batch = batch]() -> Step& {
        return step_of(shape, batch, percent);
      };
      add("dX/" + cell, [=](benchmark::State& state) { input_gradient(state, step()); });
      add("dW of kept weights/" + cell,
          [=](benchmark::State& state) { weight_gradient(state, step(), step().mask); });
      if (percent != 80) continue;
      add("dW of the top half/" + size,
          [=](benchmark::State& state) { weight_gradient(state, step(), step().half); });
      add("dW/" + size, [=](benchmark::State& state) { weight_gradient(state, step(), {}); });
    }
  }
}

void print_table(const bench::Medians& medians) {
  const std::string peak = fma_peak() == 0 ? ""
                                           : ", peak " + std::to_string(static_cast<int>(fma_peak() * 1e-9)) +
                                                 " GFLOP/s of multiply-adds";
  std::printf("\n%s, one thread%s; medians\n", cpu_model().c_str(), peak.c_str());
  const char* head = "";
  for (const bench::Medians::Row& row : medians.rows()) {
    const bool streams = row.figures.contains("GB/s");
    const char* const wanted =
        streams ? "GB/s  of memcpy" : "GFLOP/s  of peak  of the kernel's own  plan, products";
    if (std::strcmp(head, wanted) != 0) std::printf("%-46s %s\n", "", head = wanted);
    if (streams) {
      std::printf("%-46s %5.1f %9.0f %%\n", row.name.c_str(), row.figures.at("GB/s"),
                  100 * row.figures.at("share"));
      continue;
    }
    std::printf("%-46s %7.1f %7.1f %% %18.0f %% %15.2f\n", row.name.c_str(), row.figures.at("GFLOP/s"),
                fma_peak() == 0 ? 0 : 100e9 * row.figures.at("GFLOP/s") / fma_peak(),
                100 * row.figures.at("share"), row.figures.at("plan"));
  }
}

}  // namespace

int main(int argc, char** argv) {
  bench::stay_on_one_processor();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const auto add = [](const std::string& name, const std::function<void(benchmark::State&)>& run) {
    benchmark::RegisterBenchmark(name.c_str(), run)
        ->Unit(benchmark::kMicrosecond)
        ->Repetitions(7)
        ->ReportAggregatesOnly(true)
        ->MinTime(0.05)
        ->UseManualTime();
  };
  register_streams(add);
  register_products(add);
  benchmark::AddCustomContext("cpu", cpu_model());
  bench::Medians medians;
  benchmark::RunSpecifiedBenchmarks(&medians);
  print_table(medians);
  return 0;
}
