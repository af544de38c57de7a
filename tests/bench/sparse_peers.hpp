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
};

struct Peer {
  std::string name;  // "MKL 2026.2 CSR"
  bool is_dense = false;
  std::string why_not;  // empty: it is here
  // What computes the product, prepared; null where this library does not take it. The problem outlives it.
  std::function<std::function<void()>(const PeerProblem&)> prepare;
};

// All that are known. Libraries are looked for where the loader looks, and first in the folder ASSAY_PEERS.
std::vector<Peer> sparse_peers();
// Eigen, compiled for the CPU at hand.
Peer eigen_peer();
