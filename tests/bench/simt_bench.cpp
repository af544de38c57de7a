// The executor of CUDA threads: nanoseconds a switch, a barrier, a shuffle, and a thread that never waits; and a
// kernel, CSR times dense through shared memory by blocks of 256 threads, beside the same additions in plain C++.
//
//     build/bin/simt_bench
//
// All on one OS thread. `switch`: fibres of which each switches to the next one; Boost.Context's beside it, where the
// build found that library.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "emulation/simt/fibre.hpp"
#include "emulation/simt/launch.hpp"
#include "emulation/simt/warp.hpp"
#include "reference/core/random.hpp"
#include "validation/suites/simt/kernels.hpp"

#if defined(ASSAY_BOOST_CONTEXT)
#include <boost/context/detail/fcontext.hpp>
#endif

namespace {

using namespace assay::simt;

constexpr std::size_t stack_bytes = 1 << 16;

void count(benchmark::State& state, double each_round) {
  state.counters["each"] = benchmark::Counter(
      each_round, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

// --- switches --------------------------------------------------------------------------------------------------------

constexpr int rounds = 1000;

struct Ring {
  Fibre host{};
  std::vector<std::unique_ptr<Fibre>> all{};
  std::size_t at = 0;
  long left = 0;
};
void go_round(void* argument) {
  auto& ring = *static_cast<Ring*>(argument);
  for (;;) {
    Fibre& self = *ring.all[ring.at];
    if (--ring.left < 0) {
      self.switch_to(ring.host);
      continue;
    }
    ring.at = ring.at + 1 == ring.all.size() ? 0 : ring.at + 1;
    self.switch_to(*ring.all[ring.at]);
  }
}
void switches(benchmark::State& state) {
  Ring ring;
  const auto n = static_cast<std::size_t>(state.range(0));
  for (std::size_t i = 0; i < n; ++i)
    ring.all.push_back(std::make_unique<Fibre>(stack_bytes, i, go_round, &ring));
  for (auto _ : state) {
    ring.left = rounds * state.range(0);
    ring.host.switch_to(*ring.all[ring.at]);
  }
  count(state, static_cast<double>(rounds * state.range(0)));
}
BENCHMARK(switches)->Arg(2)->Arg(32)->Arg(256)->Arg(1024);

#if defined(ASSAY_BOOST_CONTEXT)
namespace context = boost::context::detail;
struct BoostRing {
  std::vector<context::fcontext_t> all{};
  context::fcontext_t host = nullptr;
  std::size_t at = 0;
  long left = 0;
};
BoostRing* boost_ring = nullptr;
constexpr std::size_t from_host = ~std::size_t{0};
void keep(const context::transfer_t& came) {
  const auto from = reinterpret_cast<std::size_t>(came.data);
  (from == from_host ? boost_ring->host : boost_ring->all[from]) = came.fctx;
}
[[gnu::noinline]] void next_of_boost() {
  BoostRing& ring = *boost_ring;
  const std::size_t from = ring.at;
  ring.at = from + 1 == ring.all.size() ? 0 : from + 1;
  keep(context::jump_fcontext(ring.all[ring.at], reinterpret_cast<void*>(from)));
}
void go_round_of_boost(context::transfer_t came) {
  keep(came);
  for (;;) {
    BoostRing& ring = *boost_ring;
    if (--ring.left < 0) {
      keep(context::jump_fcontext(ring.host, reinterpret_cast<void*>(ring.at)));
      continue;
    }
    next_of_boost();
  }
}
void switches_of_boost(benchmark::State& state) {
  BoostRing ring;
  boost_ring = &ring;
  std::vector<std::vector<char>> stacks(static_cast<std::size_t>(state.range(0)),
                                        std::vector<char>(stack_bytes));
  for (auto& stack : stacks)
    ring.all.push_back(context::make_fcontext(stack.data() + stack.size(), stack.size(), go_round_of_boost));
  for (auto _ : state) {
    ring.left = rounds * state.range(0);
    const context::transfer_t came =
        context::jump_fcontext(ring.all[ring.at], reinterpret_cast<void*>(from_host));
    keep(came);
  }
  count(state, static_cast<double>(rounds * state.range(0)));
}
BENCHMARK(switches_of_boost)->Arg(2)->Arg(32)->Arg(256)->Arg(1024);
#endif

// --- what threads do -------------------------------------------------------------------------------------------------

template <class Body>
void run(benchmark::State& state, unsigned blocks, const Body& body, double each_round) {
  const auto threads = static_cast<unsigned>(state.range(0));
  for (auto _ : state) {
    if (!launch(blocks, threads, 0, body, {.threads = 1}).empty()) state.SkipWithError("the launch failed");
  }
  count(state, each_round);
}
void barriers(benchmark::State& state) {
  run(
      state, 1,
      [] {
        for (int i = 0; i < rounds; ++i) Block::current()->barrier(0, false, Vote::none);
      },
      static_cast<double>(rounds * state.range(0)));
}
BENCHMARK(barriers)->Arg(32)->Arg(256)->Arg(1024);
void shuffles(benchmark::State& state) {
  run(
      state, 1,
      [] {
        unsigned value = threadIdx.x;
        for (int i = 0; i < rounds; ++i) value = shuffle_xor(0xFFFFFFFF, value, 1, 32);
        benchmark::DoNotOptimize(value);
      },
      static_cast<double>(rounds * state.range(0)));
}
BENCHMARK(shuffles)->Arg(256);
void threads_that_never_wait(benchmark::State& state) {
  constexpr unsigned blocks = 1000;
  std::vector<float> y(blocks * static_cast<std::size_t>(state.range(0)), 1.0F);
  run(
      state, blocks,
      [&] {
        const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
        y[i] = y[i] * 0.5F + 1;
      },
      static_cast<double>(blocks * state.range(0)));
}
BENCHMARK(threads_that_never_wait)->Arg(256);

// --- a kernel --------------------------------------------------------------------------------------------------------

// 1024 x 1024 at 90 % zeros, times 256 columns.
struct Spmm {
  static constexpr std::int32_t rows = 1024, columns = 1024, n = 256;
  std::vector<std::int32_t> offsets{0}, indices{};
  std::vector<float> values{}, x, bias, y;

  Spmm() : x(std::size_t{columns} * n, 0.5F), bias(rows, 0.25F), y(std::size_t{rows} * n) {
    const assay::CounterRandom random(1);
    for (std::int32_t i = 0; i < rows; ++i) {
      for (std::int32_t j = 0; j < columns; ++j) {
        if (random.below(10, static_cast<std::uint64_t>(i * columns + j)) == 0) indices.push_back(j);
      }
      offsets.push_back(static_cast<std::int32_t>(indices.size()));
    }
    values.assign(indices.size(), 1.5F);
  }
  double multiply_adds() const { return static_cast<double>(indices.size()) * n; }
};
void spmm_of_threads(benchmark::State& state) {
  Spmm s;
  LaunchOptions options;
  options.threads = 1;
  const assay::suites::SpmmOperands operands{Spmm::rows,      Spmm::n,    s.offsets.data(), s.indices.data(),
                                             s.values.data(), s.x.data(), s.bias.data(),    s.y.data()};
  for (auto _ : state) {
    if (!assay::suites::launch_spmm(operands, options).empty()) state.SkipWithError("the kernel failed");
  }
  count(state, s.multiply_adds());
}
BENCHMARK(spmm_of_threads)->Unit(benchmark::kMillisecond);
// One output after another. The calls of fma keep the compiler from vectors.
void multiply(Spmm& s) {
  for (std::size_t i = 0; i < Spmm::rows; ++i) {
    for (std::size_t j = 0; j < Spmm::n; ++j) {
      float sum = 0;
      for (auto e = static_cast<std::size_t>(s.offsets[i]); e < static_cast<std::size_t>(s.offsets[i + 1]);
           ++e)
        sum = std::fma(s.values[e], s.x[static_cast<std::size_t>(s.indices[e]) * Spmm::n + j], sum);
      s.y[i * Spmm::n + j] = std::max(sum + s.bias[i], 0.0F);
    }
  }
}
void spmm_of_plain_code(benchmark::State& state) {
  Spmm s;
  for (auto _ : state) multiply(s);
  count(state, s.multiply_adds());
}
BENCHMARK(spmm_of_plain_code)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
