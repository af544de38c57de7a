// Sparse times dense beside other libraries, in one process and on one thread.
//
//     build/bin/sparse_bench [--benchmark_filter=1024x1024x256] [--benchmark_out=sparse.json]
//
// The process is held to one processor. Every product is timed as a whole, by the clock: ours by SpmmPlan::multiply()
// with the plan's own choices. Figures are 2 nnz n flop over the median of seven repetitions, those of dense libraries
// too, so that they can be compared. `share` is of the peak of multiply-adds, measured in the same run. The last table
// has the losing cells first: ours over the best peer. ASSAY_PEERS names a folder with more libraries; oneDNN 3 of PyPI
// wants its OCL_ICD_FILENAMES too.
#include <benchmark/benchmark.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/random.hpp"
#include "reference/sparse/spmm.hpp"
#include "tests/bench/fma_peak.hpp"
#include "tests/bench/sparse_peers.hpp"

namespace {

using namespace assay;
using namespace assay::sparse;

struct AlignedFree {
  void operator()(float* p) const { std::free(p); }
};
using Floats = std::unique_ptr<float, AlignedFree>;
Floats floats(std::size_t n) {
  return Floats(static_cast<float*>(std::aligned_alloc(4096, (n * sizeof(float) / 4096 + 1) * 4096)));
}

struct Shape {
  int rows, cols, n;
};

struct Problem {
  std::string name;
  int sparsity = 0;  // per mille
  Csr<float> a;
  std::vector<int> row_offsets;
  Floats dense, x, y;
  PeerProblem peer;

  Problem(const Shape& s, int per_mille) : sparsity(per_mille) {
    name = std::to_string(s.rows) + "x" + std::to_string(s.cols) + "x" + std::to_string(s.n);
    const CounterRandom random(1, static_cast<std::uint64_t>(per_mille));
    const auto rows = static_cast<std::size_t>(s.rows), cols = static_cast<std::size_t>(s.cols),
               n = static_cast<std::size_t>(s.n);
    dense = floats(rows * cols);
    x = floats(cols * n);
    y = floats(rows * n);
    a.structure.rows = s.rows;
    a.structure.cols = s.cols;
    row_offsets.push_back(0);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < cols; ++j) {
        const std::uint64_t at = i * cols + j;
        const bool stored = random.uniform(2 * at) * 1000 >= per_mille;
        const float value = stored ? static_cast<float>(random.uniform(2 * at + 1)) - 0.5F : 0.0F;
        dense.get()[at] = value;
        if (!stored) continue;
        a.structure.column_indices.push_back(static_cast<std::int32_t>(j));
        a.values.push_back(value);
      }
      a.structure.end_row();
      row_offsets.push_back(static_cast<int>(a.nnz()));
    }
    for (std::size_t i = 0; i < cols * n; ++i) x.get()[i] = static_cast<float>(random.uniform(~i)) - 0.5F;
    std::fill_n(y.get(), rows * n, 0.0F);
    peer = {
        s.rows,      s.cols,  s.n,    row_offsets.data(), a.structure.column_indices.data(), a.values.data(),
        dense.get(), x.get(), y.get()};
  }
  double flop() const { return 2.0 * static_cast<double>(a.nnz()) * peer.n; }
};

// A benchmark for each cell; the problem is made when its first contender runs and kept until the next one's.
const Problem& problem_of(const Shape& s, int per_mille) {
  static std::unique_ptr<Problem> last;
  static std::string key;
  const std::string wanted = std::to_string(s.rows) + "/" + std::to_string(s.cols) + "/" +
                             std::to_string(s.n) + "/" + std::to_string(per_mille);
  if (key != wanted) {
    last = std::make_unique<Problem>(s, per_mille);
    key = wanted;
  }
  return *last;
}

void count(benchmark::State& state, const Problem& p) {
  state.counters["GFLOP/s"] =
      benchmark::Counter(p.flop() * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["share"] =
      benchmark::Counter(p.flop() / fma_peak(), benchmark::Counter::kIsIterationInvariantRate);
}

void run_ours(benchmark::State& state, const Shape& s, int per_mille, bool extras) {
  const Problem& p = problem_of(s, per_mille);
  const SpmmPlan plan(p.a, {.columns = s.n});
  const DenseView x{p.x.get(), s.cols, s.n, s.n};
  const MutableDenseView y{p.y.get(), s.rows, s.n, s.n};
  const std::vector<float> bias(static_cast<std::size_t>(s.rows), 0.25F);
  const SpmmExtras how =
      extras ? SpmmExtras{.bias_along = SpmmBias::rows, .bias = bias, .activation = SpmmActivation::relu}
             : SpmmExtras{};
  for (auto _ : state) plan.multiply(x, y, how, 1);
  state.SetLabel(std::string(plan.choice().kernel) + " depth " + std::to_string(plan.choice().depth));
  count(state, p);
}

void run_peer(benchmark::State& state, const Peer& peer, const Shape& s, int per_mille) {
  const Problem& p = problem_of(s, per_mille);
  const std::function<void()> product = peer.prepare(p.peer);
  if (!product) {
    state.SkipWithError("does not take it");
    return;
  }
  const std::size_t values = static_cast<std::size_t>(s.rows) * static_cast<std::size_t>(s.n);
  std::fill_n(p.y.get(), values, std::nanf(""));  // what another has left is no result
  for (auto _ : state) product();
  // One product in 256 values: a peer whose result is wrong is no peer.
  const SpmmPlan plan(p.a);
  const Floats want = floats(values);
  plan.multiply({p.x.get(), s.cols, s.n, s.n}, {want.get(), s.rows, s.n, s.n}, {}, 1);
  for (std::size_t i = 0; i < values; i += 255) {
    if (!(std::fabs(want.get()[i] - p.y.get()[i]) <= 1e-3F)) {
      state.SkipWithError("wrong result");
      return;
    }
  }
  count(state, p);
}

// Prints as usual, and keeps the medians for the table.
class Medians : public benchmark::ConsoleReporter {
 public:
  std::map<std::string, std::map<std::string, double>>
      cells;  // "1024x1024x256 80.0 %" -> contender -> GFLOP/s

  Medians() : benchmark::ConsoleReporter(benchmark::ConsoleReporter::OO_Tabular) {}
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Aggregate || run.aggregate_name != "median") continue;
      const std::string& name = run.run_name.function_name;
      const std::size_t slash = name.find('/');
      cells[name.substr(slash + 1)][name.substr(0, slash)] = run.counters.at("GFLOP/s");
    }
    ConsoleReporter::ReportRuns(runs);
  }
};

void print_table(const Medians& medians, const std::vector<std::string>& peers) {
  struct Row {
    std::string cell;
    double ours = 0, best = 0;
    double ratio() const { return best == 0 ? 0 : ours / best; }
  };
  std::vector<Row> rows;
  for (const auto& [cell, figures] : medians.cells) {
    Row row{cell};
    for (const auto& [name, figure] : figures) {
      if (name == "ours") row.ours = figure;
      if (!name.starts_with("ours")) row.best = std::max(row.best, figure);
    }
    rows.push_back(row);
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& x, const Row& y) { return x.ratio() < y.ratio(); });
  std::printf("\n%s, one thread, peak %.0f GFLOP/s; GFLOP/s of 2 nnz n, medians\n%-28s %8s %7s %9s",
              cpu_model().c_str(), fma_peak() * 1e-9, "ours over the best peer", "ours", "share", "ratio");
  for (const std::string& name : peers) std::printf(" %16s", name.c_str());
  std::printf(" %16s\n", "ours, bias+ReLU");
  for (const Row& row : rows) {
    std::printf("%-28s %8.1f %6.1f%% %9.2f", row.cell.c_str(), row.ours, 100e9 * row.ours / fma_peak(),
                row.ratio());
    const auto& figures = medians.cells.at(row.cell);
    const auto print = [&](const std::string& name) {
      const auto found = figures.find(name);
      found == figures.end() ? std::printf(" %16s", "-") : std::printf(" %16.1f", found->second);
    };
    for (const std::string& name : peers) print(name);
    print("ours+extras");
    std::printf("\n");
  }
}

// Some peers start threads of their own: all of them share the one processor that the process is held to.
void stay_on_one_processor() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) std::fprintf(stderr, "not held to one processor\n");
}

}  // namespace

int main(int argc, char** argv) {
  stay_on_one_processor();
  benchmark::Initialize(&argc, argv);
  const Shape shapes[] = {{1024, 1024, 64},   {1024, 1024, 128}, {1024, 1024, 256},
                          {1024, 1024, 1024}, {4096, 4096, 256}, {512, 4608, 196}};
  const int sparsities[] = {0, 100, 300, 500, 750, 800, 900, 950, 980};
  const std::vector<Peer> peers = sparse_peers();
  std::vector<std::string> here;
  for (const Peer& peer : peers) {
    if (peer.why_not.empty()) {
      here.push_back(peer.name);
    } else {
      std::fprintf(stderr, "%s: %s\n", peer.name.c_str(), peer.why_not.c_str());
    }
  }
  const auto set_up = [](benchmark::internal::Benchmark* one) {
    one->Unit(benchmark::kMicrosecond)
        ->Repetitions(7)
        ->ReportAggregatesOnly(true)
        ->MinTime(0.02)
        ->UseRealTime();
  };
  for (const Shape& s : shapes) {
    for (const int per_mille : sparsities) {
      char cell[64];
      std::snprintf(cell, sizeof cell, "%dx%dx%d %4.1f %%", s.rows, s.cols, s.n, 0.1 * per_mille);
      for (const Peer& peer : peers) {
        if (!peer.why_not.empty()) continue;
        set_up(benchmark::RegisterBenchmark(
            (peer.name + "/" + cell).c_str(),
            [&peer, s, per_mille](benchmark::State& state) { run_peer(state, peer, s, per_mille); }));
      }
      for (const bool extras : {false, true}) {
        set_up(benchmark::RegisterBenchmark(
            (std::string(extras ? "ours+extras/" : "ours/") + cell).c_str(),
            [=](benchmark::State& state) { run_ours(state, s, per_mille, extras); }));
      }
    }
  }
  Medians medians;
  benchmark::RunSpecifiedBenchmarks(&medians);
  print_table(medians, here);
  return 0;
}
