// Products of sparse matrices beside other libraries, in one process and on one thread.
//
//     build/bin/sparse_bench [--svg=FILE] [--benchmark_filter=spmm.1024x1024x256] [--benchmark_out=sparse.json]
//
// The process is held to one processor. Every product is timed as a whole, by the clock: ours by SpmmPlan::multiply()
// with the plan's own choices. Figures are 2 nnz n flop over the median of seven repetitions, those of dense libraries
// too, so that they can be compared. `share` is of the peak of multiply-adds, measured in the same run. The last table
// has the losing cells first: ours over the best peer. ASSAY_PEERS names a folder with more libraries; oneDNN 3 of PyPI
// wants its OCL_ICD_FILENAMES too, and Debian's archive of libxsmm becomes a library by
//     gcc -shared -o libxsmm.so -Wl,--whole-archive /usr/lib/libxsmm.a -Wl,--no-whole-archive /usr/lib/libxsmmnoblas.a
// --svg draws the products of 1024 x 1024 x 256.
//
//   spmm   rows x cols x n of A X
//   bsr    the same, of blocks that are there or not; bf16 in bfloat16, of blocks too, 1x1 being none
//   sddmm  m x n x k: the entries of a mask of m x n, each a sum of k products; the peer computes all m x n. Masks are
//          random, or `blocks` of 64 x 64 entries that are stored or not
//   spmv   rows x cols: GB/s of values, columns, x and y, each once
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "emulation/units/unit.hpp"
#include "reference/core/cpu.hpp"
#include "reference/core/random.hpp"
#include "reference/exact/chain.hpp"
#include "reference/sparse/bf16_spmm.hpp"
#include "reference/sparse/bsr.hpp"
#include "reference/sparse/sddmm.hpp"
#include "reference/sparse/spmm.hpp"
#include "reference/sparse/spmv.hpp"
#include "tests/bench/fma_peak.hpp"
#include "tests/bench/medians.hpp"
#include "tests/bench/sparse_peers.hpp"
#include "validation/report/line_chart.hpp"

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
    // No dense library multiplies by a vector here.
    if (s.n != 1) dense = floats(rows * cols);
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
        if (dense) dense.get()[at] = value;
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
  // Of a product with a vector.
  double bytes() const {
    return static_cast<double>(a.values.size() * (sizeof(float) + sizeof(std::int32_t))) +
           4.0 * (peer.rows + peer.cols);
  }
};

// A mask, and both factors of the product that it samples. `b` is (n x k), as attention has it, and peers get (k x n).
struct Sampled {
  CsrStructure mask;
  Floats a, b, turned, y;
  std::vector<float> out;
  PeerProblem peer;

  Sampled(const Shape& s, int per_mille, bool blocks) {
    const CounterRandom random(2, static_cast<std::uint64_t>(per_mille));
    const auto rows = static_cast<std::size_t>(s.rows), cols = static_cast<std::size_t>(s.cols),
               k = static_cast<std::size_t>(s.n), side = std::size_t{blocks ? 64U : 1U};
    mask.rows = s.rows;
    mask.cols = s.cols;
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < cols; ++j) {
        if (random.uniform(i / side * cols + j / side) * 1000 >= per_mille)
          mask.column_indices.push_back(static_cast<std::int32_t>(j));
      }
      mask.end_row();
    }
    out.resize(mask.column_indices.size());
    a = floats(rows * k);
    b = floats(cols * k);
    turned = floats(cols * k);
    y = floats(rows * cols);
    for (std::size_t i = 0; i < rows * k; ++i) a.get()[i] = static_cast<float>(random.uniform(~i)) - 0.5F;
    for (std::size_t j = 0; j < cols; ++j) {
      for (std::size_t t = 0; t < k; ++t)
        b.get()[j * k + t] = turned.get()[t * cols + j] =
            static_cast<float>(random.uniform(~(rows * k + j * k + t))) - 0.5F;
    }
    peer = {.rows = s.rows, .cols = s.n, .n = s.cols, .dense = a.get(), .x = turned.get(), .y = y.get()};
  }
  double flop() const { return 2.0 * static_cast<double>(out.size()) * peer.cols; }
  DenseView a_view() const { return {a.get(), peer.rows, peer.cols, peer.cols}; }
  DenseView b_view() const { return {b.get(), peer.n, peer.cols, peer.cols}; }
  DenseView turned_view() const { return {turned.get(), peer.cols, peer.n, peer.n}; }
};

// Blocks of side x side that are there or not, for ours as CSR.
struct Blocks {
  int side;
  Csr<float> a;
  std::vector<int> row_offsets, block_row_offsets{0}, block_columns;
  std::vector<float> block_values;
  Floats dense, x, y;
  PeerProblem peer;
  static constexpr float tolerance = 1e-3F;
  const Csr<float>& unrounded() const { return a; }

  Blocks(const Shape& s, int per_mille, int of) : side(of) {
    const CounterRandom random(3, static_cast<std::uint64_t>(per_mille));
    const int across = s.cols / side;
    dense = floats(static_cast<std::size_t>(s.rows) * static_cast<std::size_t>(s.cols));
    x = floats(static_cast<std::size_t>(s.cols) * static_cast<std::size_t>(s.n));
    y = floats(static_cast<std::size_t>(s.rows) * static_cast<std::size_t>(s.n));
    for (int row = 0; row < s.rows / side; ++row) {
      for (int column = 0; column < across; ++column) {
        const auto at = static_cast<std::uint64_t>(row * across + column);
        if (random.uniform(at) * 1000 < per_mille) continue;
        block_columns.push_back(column);
        for (int i = 0; i < side * side; ++i)
          block_values.push_back(static_cast<float>(random.uniform(~(at * 4096 + static_cast<unsigned>(i)))) -
                                 0.5F);
      }
      block_row_offsets.push_back(static_cast<int>(block_columns.size()));
    }
    sparse::Bsr<float> bsr;
    bsr.structure = {s.rows,       s.cols, side, side, {block_row_offsets.begin(), block_row_offsets.end()},
                     block_columns};
    bsr.values = block_values;
    a = csr_from_bsr(bsr);
    row_offsets.assign(a.structure.row_offsets.begin(), a.structure.row_offsets.end());
    std::fill_n(dense.get(), s.rows * s.cols, 0.0F);
    for (std::int64_t i = 0; i < a.rows(); ++i) {
      const auto columns = a.row_columns(i);
      for (std::size_t e = 0; e < columns.size(); ++e)
        dense.get()[i * s.cols + columns[e]] = a.row_values(i)[e];
    }
    for (int i = 0; i < s.cols * s.n; ++i)
      x.get()[i] = static_cast<float>(random.uniform(~static_cast<std::uint64_t>(i))) - 0.5F;
    std::fill_n(y.get(), s.rows * s.n, 0.0F);
    peer = {.rows = s.rows,
            .cols = s.cols,
            .n = s.n,
            .row_offsets = row_offsets.data(),
            .column_indices = a.structure.column_indices.data(),
            .values = a.values.data(),
            .dense = dense.get(),
            .x = x.get(),
            .y = y.get(),
            .block = side,
            .block_row_offsets = block_row_offsets.data(),
            .block_columns = block_columns.data(),
            .block_values = block_values.data()};
  }
  double flop() const { return 2.0 * static_cast<double>(a.nnz()) * peer.n; }
};

// The same rounded to bfloat16; blocks of one place are none.
struct Bf16 {
  Blocks full;
  Csr<bf16_t> a;
  std::vector<bf16_t> dense, x;
  PeerProblem peer;
  static constexpr float tolerance = 0.25F;  // rounded operands
  const Csr<float>& unrounded() const { return full.a; }

  Bf16(const Shape& s, int per_mille, int side) : full(s, per_mille, side), peer(full.peer) {
    a.structure = full.a.structure;
    for (const float value : full.a.values) a.values.push_back(bf16_t(value));
    for (int i = 0; i < s.rows * s.cols; ++i) dense.push_back(bf16_t(full.dense.get()[i]));
    for (int i = 0; i < s.cols * s.n; ++i) x.push_back(bf16_t(full.x.get()[i]));
    peer.dense_bf16 = reinterpret_cast<const std::uint16_t*>(dense.data());
    peer.x_bf16 = reinterpret_cast<const std::uint16_t*>(x.data());
  }
  double flop() const { return full.flop(); }
};

// A benchmark for each cell; the problem is made when its first contender runs and kept until the next one's.
template <class Made, class... How>
Made& problem_of(const Shape& s, const How&... how) {
  static std::unique_ptr<Made> last;
  static std::string key;
  std::string wanted;
  for (const int part : {s.rows, s.cols, s.n, static_cast<int>(how)...}) wanted += std::to_string(part) + "/";
  if (key != wanted) {
    last = nullptr;
    last = std::make_unique<Made>(s, how...);
    key = wanted;
  }
  return *last;
}

template <class Made>
void count(benchmark::State& state, const Made& p) {
  state.counters["GFLOP/s"] =
      benchmark::Counter(p.flop() * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["share"] =
      benchmark::Counter(p.flop() / fma_peak(), benchmark::Counter::kIsIterationInvariantRate);
}

void count_bytes(benchmark::State& state, const Problem& p) {
  state.counters["GB/s"] =
      benchmark::Counter(p.bytes() * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void run_ours(benchmark::State& state, const Shape& s, int per_mille, bool extras) {
  const Problem& p = problem_of<Problem>(s, per_mille);
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

// One product in 255 values: a peer whose result is wrong is no peer. What another has left is none, see spoil().
bool agrees(const PeerProblem& p, const Csr<float>& a, float tolerance) {
  const SpmmPlan plan(a, {.columns = p.n});
  const std::size_t values = static_cast<std::size_t>(p.rows) * static_cast<std::size_t>(p.n);
  const Floats want = floats(values);
  plan.multiply({p.x, p.cols, p.n, p.n}, {want.get(), p.rows, p.n, p.n}, {}, 1);
  for (std::size_t i = 0; i < values; i += 255) {
    if (!(std::fabs(want.get()[i] - p.y[i]) <= tolerance)) return false;
  }
  return true;
}

void spoil(const PeerProblem& p) {
  std::fill_n(p.y, static_cast<std::size_t>(p.rows) * static_cast<std::size_t>(p.n), std::nanf(""));
}

// Times a peer's product; false, and the reason in `state`, where there is none.
bool time_peer(benchmark::State& state, const Peer& peer, const PeerProblem& p, const Csr<float>& a,
               float tolerance) {
  const Product product = peer.prepare(p);
  if (!product) {
    state.SkipWithError("does not take it");
    return false;
  }
  spoil(p);
  for (auto _ : state) product.run();
  if (product.collect) product.collect();
  const bool right = agrees(p, a, tolerance);
  if (!right) state.SkipWithError("wrong result");
  return right;
}

void run_peer(benchmark::State& state, const Peer& peer, const Shape& s, int per_mille) {
  const Problem& p = problem_of<Problem>(s, per_mille);
  if (time_peer(state, peer, p.peer, p.a, 1e-3F)) s.n == 1 ? count_bytes(state, p) : count(state, p);
}

void run_vector(benchmark::State& state, const Shape& s, int per_mille) {
  const Problem& p = problem_of<Problem>(s, per_mille);
  const SpmvPlan plan(p.a);
  const std::span<const float> x(p.x.get(), static_cast<std::size_t>(s.cols));
  const std::span<float> y(p.y.get(), static_cast<std::size_t>(s.rows));
  for (auto _ : state) plan.multiply(x, y, {}, 1);
  state.SetLabel(std::string(plan.kernel()));
  count_bytes(state, p);
}

void run_sampled(benchmark::State& state, const Shape& s, int per_mille, bool blocks, bool turns) {
  Sampled& p = problem_of<Sampled>(s, per_mille, blocks);
  const SddmmPlan plan(p.mask);
  for (auto _ : state) {
    if (turns) {
      plan.multiply(p.a_view(), p.turned_view(), p.out, {}, 1);
    } else {
      plan.multiply_transposed(p.a_view(), p.b_view(), p.out, {}, 1);
    }
  }
  state.SetLabel(std::string(plan.choice().kernel) + " sharing " + std::to_string(plan.choice().shared) +
                 " of " + std::to_string(plan.choice().blocks));
  count(state, p);
}

// All products, of which the mask's are the ones that count.
void run_dense(benchmark::State& state, const Peer& peer, const Shape& s, int per_mille, bool blocks) {
  Sampled& p = problem_of<Sampled>(s, per_mille, blocks);
  const Product product = peer.prepare(p.peer);
  for (auto _ : state) product.run();
  count(state, p);
}

void run_blocks(benchmark::State& state, const Shape& s, int per_mille, int side) {
  const Blocks& p = problem_of<Blocks>(s, per_mille, side);
  const SpmmPlan plan(p.a, {.columns = s.n});
  for (auto _ : state) plan.multiply({p.x.get(), s.cols, s.n, s.n}, {p.y.get(), s.rows, s.n, s.n}, {}, 1);
  state.SetLabel(std::string(plan.choice().kernel) + " depth " + std::to_string(plan.choice().depth));
  count(state, p);
}

const ArithmeticRegistry& arithmetics() {
  static const ArithmeticRegistry registry = [] {
    ArithmeticRegistry all;
    add_chains(all);
    add_units(all);
    return all;
  }();
  return registry;
}

void run_bf16(benchmark::State& state, const Shape& s, int per_mille, int side, const char* contract) {
  const Bf16& p = problem_of<Bf16>(s, per_mille, side);
  const sparse::Bf16SpmmPlan plan(p.a, arithmetics().find(contract), {.columns = s.n});
  for (auto _ : state)
    plan.multiply({p.x.data(), s.cols, s.n, s.n}, {p.full.y.get(), s.rows, s.n, s.n}, {}, 1);
  state.SetLabel(plan.choice().kernel);
  count(state, p);
}

// A peer of theirs, whose operands may be rounded to bfloat16.
template <class Made>
void run_other(benchmark::State& state, const Peer& peer, const Shape& s, int per_mille, int side) {
  const Made& p = problem_of<Made>(s, per_mille, side);
  if (time_peer(state, peer, p.peer, p.unrounded(), Made::tolerance)) count(state, p);
}

// "spmm 1024x1024x256 80.0 %" -> contender -> GFLOP/s or GB/s
using Cells = std::map<std::string, std::map<std::string, double>>;

Cells cells_of(const bench::Medians& medians) {
  Cells cells;
  for (const bench::Medians::Row& row : medians.rows()) {
    const std::size_t slash = row.name.find('/');
    const auto flop = row.figures.find("GFLOP/s");
    cells[row.name.substr(slash + 1)][row.name.substr(0, slash)] =
        flop != row.figures.end() ? flop->second : row.figures.at("GB/s");
  }
  return cells;
}

// The cells of one kind of product, the losing ones first.
struct Table {
  std::string kind;     // "spmm", the first word of its cells
  std::string measure;  // "GFLOP/s of 2 nnz n"
  bool has_share = true;
  std::string also;  // another contender of ours
};

void print_table(const Cells& cells, const Table& table, const std::vector<std::string>& peers) {
  struct Row {
    std::string cell;
    double ours = 0, best = 0;
    double ratio() const { return best == 0 ? 0 : ours / best; }
  };
  std::vector<Row> rows;
  for (const auto& [cell, figures] : cells) {
    if (!cell.starts_with(table.kind + " ")) continue;
    Row row{cell};
    for (const auto& [name, figure] : figures) {
      if (name == "ours") row.ours = figure;
      if (!name.starts_with("ours")) row.best = std::max(row.best, figure);
    }
    rows.push_back(row);
  }
  if (rows.empty()) return;
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& x, const Row& y) { return x.ratio() < y.ratio(); });
  std::printf("\n%s, one thread, peak %.0f GFLOP/s; %s, medians\n%-36s %8s %7s %9s", cpu_model().c_str(),
              fma_peak() * 1e-9, table.measure.c_str(), "ours over the best peer", "ours", "share", "ratio");
  for (const std::string& name : peers) std::printf(" %16s", name.c_str());
  std::printf(" %16s\n", table.also.c_str());
  for (const Row& row : rows) {
    std::printf("%-36s %8.1f", row.cell.c_str(), row.ours);
    table.has_share ? std::printf(" %6.1f%%", 100e9 * row.ours / fma_peak()) : std::printf(" %7s", "");
    std::printf(" %9.2f", row.ratio());
    const auto& figures = cells.at(row.cell);
    const auto print = [&](const std::string& name) {
      const auto found = figures.find(name);
      found == figures.end() ? std::printf(" %16s", "-") : std::printf(" %16.1f", found->second);
    };
    for (const std::string& name : peers) print(name);
    if (!table.also.empty()) print(table.also);
    std::printf("\n");
  }
}

// GFLOP/s over the entries that are absent, ours and each peer's.
void draw(const Cells& cells, const std::vector<std::string>& peers, const std::string& file) {
  constexpr std::string_view drawn = "spmm 1024x1024x256";
  LineChart chart{
      .kind = "sparse-products",
      .title = "Sparse times dense in float32, 1024 x 1024 x 256",
      .caption = cpu_model() + ", one thread, medians of seven; dense libraries multiply the zeros too",
      .x_label = "entries absent, %",
      .y_label = "GFLOP/s of 2 nnz n",
      .x = Axis::linear,
      .y = Axis::linear};
  std::vector<std::string> names{"ours"};
  names.insert(names.end(), peers.begin(), peers.end());
  for (const std::string& name : names) {
    ChartSeries series{.name = name, .colour = chart.series.size()};
    for (const auto& [cell, figures] : cells) {
      const auto found = figures.find(name);
      if (cell.starts_with(drawn) && found != figures.end())
        series.points.push_back({std::stod(cell.substr(drawn.size())), found->second});
    }
    chart.series.push_back(series);
  }
  std::ofstream(file) << line_chart_svg(chart);
}

template <class Run>
void add(const std::string& contender, const std::string& cell, const Run& run) {
  benchmark::RegisterBenchmark((contender + "/" + cell).c_str(), run)
      ->Unit(benchmark::kMicrosecond)
      ->Repetitions(7)
      ->ReportAggregatesOnly(true)
      ->MinTime(0.02)
      ->UseRealTime();
}

std::string percent(int per_mille) {
  char text[16];
  std::snprintf(text, sizeof text, " %4.1f %%", 0.1 * per_mille);
  return text;
}

void register_products(const std::vector<Peer>& peers) {
  const Shape shapes[] = {{1024, 1024, 64},   {1024, 1024, 128}, {1024, 1024, 256},
                          {1024, 1024, 1024}, {4096, 4096, 256}, {512, 4608, 196}};
  for (const Shape& s : shapes) {
    for (const int per_mille : {0, 100, 300, 500, 750, 800, 900, 950, 980}) {
      const std::string cell = "spmm " + std::to_string(s.rows) + "x" + std::to_string(s.cols) + "x" +
                               std::to_string(s.n) + percent(per_mille);
      for (const Peer& peer : peers) {
        if (!peer.why_not.empty()) continue;
        add(peer.name, cell,
            [&peer, s, per_mille](benchmark::State& state) { run_peer(state, peer, s, per_mille); });
      }
      for (const bool extras : {false, true}) {
        add(extras ? "ours, bias+ReLU" : "ours", cell,
            [=](benchmark::State& state) { run_ours(state, s, per_mille, extras); });
      }
    }
  }
}

void register_sampled(const std::vector<Peer>& peers) {
  for (const Shape& s :
       {Shape{1024, 1024, 64}, Shape{1024, 1024, 128}, Shape{4096, 4096, 64}, Shape{1024, 1024, 1024}}) {
    for (const bool blocks : {false, true}) {
      for (const int per_mille : {0, 500, 750, 900, 950, 980}) {
        if (blocks && per_mille == 0) continue;  // the same
        const std::string cell = "sddmm " + std::to_string(s.rows) + "x" + std::to_string(s.cols) + "x" +
                                 std::to_string(s.n) + (blocks ? " blocks" : "") + percent(per_mille);
        for (const Peer& peer : peers) {
          if (!peer.why_not.empty() || !peer.is_dense) continue;
          add(peer.name, cell, [&peer, s, per_mille, blocks](benchmark::State& state) {
            run_dense(state, peer, s, per_mille, blocks);
          });
        }
        for (const bool turns : {false, true}) {
          add(turns ? "ours, B k x n" : "ours", cell,
              [=](benchmark::State& state) { run_sampled(state, s, per_mille, blocks, turns); });
        }
      }
    }
  }
}

void register_blocks(const std::vector<Peer>& peers, const std::vector<Peer>& bf16) {
  const Shape s{1024, 1024, 256};
  for (const int side : {1, 16, 32}) {
    for (const int per_mille : {0, 500, 750, 800, 900, 950, 980}) {
      const std::string cell =
          "1024x1024x256 in " + std::to_string(side) + "x" + std::to_string(side) + percent(per_mille);
      for (const Peer& peer : peers) {
        if (!peer.why_not.empty() || side == 1) continue;
        add(peer.name, "bsr " + cell, [&peer, s, per_mille, side](benchmark::State& state) {
          run_other<Blocks>(state, peer, s, per_mille, side);
        });
      }
      if (side != 1) {
        add("ours", "bsr " + cell, [=](benchmark::State& state) { run_blocks(state, s, per_mille, side); });
      }
      for (const Peer& peer : bf16) {
        if (!peer.why_not.empty()) continue;
        add(peer.name, "bf16 " + cell, [&peer, s, per_mille, side](benchmark::State& state) {
          run_other<Bf16>(state, peer, s, per_mille, side);
        });
      }
      // The fastest contract of this CPU first: `ours` of the table.
      const bool tiles =
          sparse::bf16_spmm_kernels().find([](const auto& k) { return k.tiles != nullptr; }) != nullptr;
      for (const char* const contract : {"tdpbf16ps", "vdpbf16ps", "chain_f32_fused"}) {
        const bool first = std::string_view(contract) == (tiles ? "tdpbf16ps" : "chain_f32_fused");
        add(first ? "ours" : std::string("ours ") + contract, "bf16 " + cell,
            [=](benchmark::State& state) { run_bf16(state, s, per_mille, side, contract); });
      }
    }
  }
}

void register_vectors(const std::vector<Peer>& peers) {
  for (const Shape& s : {Shape{1024, 1024, 1}, Shape{4096, 4096, 1}, Shape{8192, 8192, 1}}) {
    for (const int per_mille : {500, 900, 980, 995}) {
      const std::string cell =
          "spmv " + std::to_string(s.rows) + "x" + std::to_string(s.cols) + percent(per_mille);
      for (const Peer& peer : peers) {
        if (!peer.why_not.empty() || peer.is_dense) continue;
        add(peer.name, cell,
            [&peer, s, per_mille](benchmark::State& state) { run_peer(state, peer, s, per_mille); });
      }
      add("ours", cell, [=](benchmark::State& state) { run_vector(state, s, per_mille); });
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  bench::stay_on_one_processor();
  benchmark::Initialize(&argc, argv);
  std::string svg;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (!option.starts_with("--svg=")) {
      std::fprintf(stderr, "sparse_bench: unknown argument %s\n", argv[i]);
      return 2;
    }
    svg = option.substr(option.find('=') + 1);
  }
  const std::vector<Peer> peers = sparse_peers();
  std::vector<std::string> here;
  for (const Peer& peer : peers) {
    if (peer.why_not.empty()) {
      here.push_back(peer.name);
    } else {
      std::fprintf(stderr, "%s: %s\n", peer.name.c_str(), peer.why_not.c_str());
    }
  }
  register_products(peers);
  register_sampled(peers);
  register_vectors(peers);
  const std::vector<Peer> of_blocks = block_peers(), of_bf16 = bf16_peers();
  register_blocks(of_blocks, of_bf16);
  bench::Medians medians;
  benchmark::RunSpecifiedBenchmarks(&medians);
  const Cells cells = cells_of(medians);
  print_table(cells, {.kind = "spmm", .measure = "GFLOP/s of 2 nnz n", .also = "ours, bias+ReLU"}, here);
  print_table(cells, {.kind = "bsr", .measure = "GFLOP/s of 2 nnz n", .also = ""},
              {"OpenBLAS dense", "MKL BSR", "libxsmm BRGEMM"});
  print_table(cells, {.kind = "bf16", .measure = "GFLOP/s of 2 nnz n", .also = "ours chain_f32_fused"},
              {"oneDNN dense bf16", "ours vdpbf16ps"});
  print_table(cells, {.kind = "sddmm", .measure = "GFLOP/s of 2 nnz k", .also = "ours, B k x n"}, here);
  print_table(cells, {.kind = "spmv", .measure = "GB/s", .has_share = false, .also = ""}, here);
  if (!svg.empty()) draw(cells, here, svg);
  return 0;
}
