// The shapes of the bars, and small ones.
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "gpu/host/timed_problems.hpp"
#include "reference/core/error.hpp"

namespace assay::gpu {
namespace {

class ProblemList {
 public:
  // AutoSparse and conversions: numbers of an array.
  void add_elementwise(TimedKind kind, std::string kernel, std::uint64_t count) {
    TimedProblem p;
    p.cols = count;
    p.text = fmt::format("{} {}", count, kind == TimedKind::convert_bf16 ? "numbers" : "weights");
    add(kind, std::move(kernel), std::move(p), {"device copy"});
  }
  void add_conversions(std::uint64_t count) {
    for (const auto& [name, rounding] : {std::pair{"nearest_even", Rounding::nearest_even},
                                         {"toward_zero", Rounding::toward_zero},
                                         {"stochastic", Rounding::stochastic}}) {
      TimedProblem p;
      p.cols = count;
      p.rounding = rounding;
      p.text = fmt::format("{} numbers {}", count, name);
      add(TimedKind::convert_bf16, "convert/bf16", std::move(p), {"device copy"});
    }
  }
  void add_spmm(bool narrow, std::uint64_t side, double density, std::uint64_t n) {
    TimedProblem p = product(side, side, n);
    p.density = density;
    p.text = fmt::format("{}x{} density {} n={}", side, side, density, n);
    if (narrow) {
      add(TimedKind::spmm_csr_bf16, "spmm/csr_bf16", std::move(p), {"cusparse CSR", "cublas dense"});
    } else {
      add(TimedKind::spmm_csr_f32, "spmm/csr_f32", std::move(p), {"cusparse CSR"});
    }
  }
  void add_sddmm(bool narrow, std::uint64_t side, double density, std::uint64_t depth) {
    TimedProblem p = product(side, side, depth);
    p.density = density;
    p.text = fmt::format("{}x{} density {} k={}", side, side, density, depth);
    add(narrow ? TimedKind::sddmm_csr_bf16 : TimedKind::sddmm_csr_f32,
        narrow ? "sddmm/csr_bf16" : "sddmm/csr_f32", std::move(p), {"cusparse CSR"});
  }
  void add_gemm(std::uint64_t m, std::uint64_t n, std::uint64_t k) {
    TimedProblem p = product(m, k, n);
    p.text = fmt::format("{}x{}x{}", m, n, k);
    add(TimedKind::gemm_bf16, "gemm/bf16_mma", std::move(p), {"cublas dense"});
  }
  void add_bsr(bool wgmma, std::uint64_t block, std::uint64_t rows, std::uint64_t cols, std::uint64_t n,
               double density) {
    TimedProblem p = product(rows, cols, n);
    p.block = block;
    p.density = density;
    p.text = fmt::format("{}x{} blocks of {}, {} of {} in each row, n={}", rows, cols, block,
                         p.blocks_of_row(), p.block_columns(), n);
    add(wgmma ? TimedKind::spmm_bsr_wgmma : TimedKind::spmm_bsr_mma,
        wgmma ? "spmm/bsr_bf16_wgmma" : "spmm/bsr_bf16_mma", std::move(p),
        {"cusparse BSR", "cusparse blocked-ELL", "cublas dense"});
  }
  void add_spdnn(std::uint64_t images, std::uint64_t neurons, int layers) {
    for (const bool fused : {false, true}) {
      TimedProblem p;
      p.rows = images;
      p.cols = neurons;
      p.layers = layers;
      p.text = fmt::format("{} neurons, {} layers, {} images", neurons, layers, images);
      add(fused ? TimedKind::spdnn_fused : TimedKind::spdnn_tiled,
          fused ? "spdnn/layers_fused" : "spdnn/layer_tiled", std::move(p), {});
    }
  }

  std::vector<TimedProblem> all{};

 private:
  static TimedProblem product(std::uint64_t rows, std::uint64_t cols, std::uint64_t n) {
    TimedProblem p;
    p.rows = rows;
    p.cols = cols;
    p.n = n;
    return p;
  }
  void add(TimedKind kind, std::string kernel, TimedProblem p, std::vector<std::string> peers) {
    p.kind = kind;
    p.kernel = std::move(kernel);
    p.contestants = {std::string(assay_contestant)};
    p.contestants.insert(p.contestants.end(), peers.begin(), peers.end());
    all.push_back(std::move(p));
  }
};

ProblemList small_list() {
  ProblemList list;
  list.add_elementwise(TimedKind::autosparse_forward, "autosparse/forward_f32", 5000);
  list.add_elementwise(TimedKind::autosparse_backward, "autosparse/backward_f32", 9000);
  list.add_conversions(5000);
  list.add_spmm(false, 40, 0.2, 36);
  list.add_spmm(true, 40, 0.2, 36);
  list.add_sddmm(false, 40, 0.1, 40);
  list.add_sddmm(true, 40, 0.1, 40);
  list.add_gemm(40, 24, 72);
  for (const std::uint64_t block : {16U, 32U, 64U}) list.add_bsr(false, block, block, 2 * block, 24, 0.5);
  for (const std::uint64_t block : {64U, 128U}) list.add_bsr(true, block, block, 2 * block, 24, 0.5);
  list.add_spdnn(15, 1024, 2);
  return list;
}

ProblemList full_list() {
  constexpr std::uint64_t mebi = std::uint64_t{1} << 20;
  ProblemList list;
  list.add_elementwise(TimedKind::autosparse_forward, "autosparse/forward_f32", 64 * mebi);
  list.add_elementwise(TimedKind::autosparse_backward, "autosparse/backward_f32", 64 * mebi);
  list.add_conversions(64 * mebi);
  for (const double density : {0.2, 0.1, 0.05, 0.01}) {
    for (const std::uint64_t n : {64U, 512U}) list.add_spmm(false, 4096, density, n);
  }
  for (const double density : {0.2, 0.1, 0.05, 0.01}) {
    for (const std::uint64_t n : {64U, 4096U}) list.add_spmm(true, 4096, density, n);
  }
  for (const bool narrow : {false, true}) {
    for (const double density : {0.1, 0.01}) list.add_sddmm(narrow, 4096, density, 128);
  }
  for (const std::uint64_t side : {4096U, 8192U}) list.add_gemm(side, side, side);
  for (const std::uint64_t side : {4096U, 8192U}) {
    for (const std::uint64_t block : {16U, 32U, 64U}) list.add_bsr(false, block, side, side, 4096, 0.1);
    for (const std::uint64_t block : {64U, 128U}) list.add_bsr(true, block, side, side, 4096, 0.1);
  }
  list.add_spdnn(60000, 1024, 120);
  return list;
}

}  // namespace

std::vector<TimedProblem> timed_problems(bool small) { return small ? small_list().all : full_list().all; }

}  // namespace assay::gpu
