// The libraries that sparse_bench runs beside ours, each loaded on its own: MKL and OpenBLAS export the same names.
// None is needed to build, and one that is not found is an empty column.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// Y = A X in float32, one thread: A is `rows` x `cols` in CSR with 32-bit offsets and dense too, X and Y are row-major
// with `n` columns.
struct PeerProblem {
  int rows = 0, cols = 0, n = 0;
  const int *row_offsets = nullptr, *column_indices = nullptr;
  const float *values = nullptr, *dense = nullptr, *x = nullptr;
  float* y = nullptr;
  // In square blocks, where `block` is not 0: offsets of block rows, block columns, values block after block, row by
  // row.
  int block = 0;
  const int *block_row_offsets = nullptr, *block_columns = nullptr;
  const float* block_values = nullptr;
  // In bfloat16, where they are not null: A dense, and X.
  const std::uint16_t *dense_bf16 = nullptr, *x_bf16 = nullptr;
};

// What computes a product, and what brings it to y where the library keeps it in a form of its own; that is not timed.
// None: the library does not take the problem.
struct Product {
  std::function<void()> run{}, collect{};
  explicit operator bool() const { return static_cast<bool>(run); }
};

struct Peer {
  std::string name;  // "MKL 2026.2 CSR"
  bool is_dense = false;
  std::string why_not;  // empty: it is here
  // The problem outlives what comes out.
  std::function<Product(const PeerProblem&)> prepare;
};

// All that are known for float32. Libraries are looked for where the loader looks, and first in the folder ASSAY_PEERS.
std::vector<Peer> sparse_peers();
std::vector<Peer> block_peers();
std::vector<Peer> bf16_peers();
// Eigen, compiled for the CPU at hand.
Peer eigen_peer();
