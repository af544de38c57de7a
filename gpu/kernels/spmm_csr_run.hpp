// SpMM's CUDA kernel on arrays of the host.
#pragma once

#include <cstdint>
#include <span>

#include "gpu/kernels/host_matrix.hpp"
#include "reference/sparse/spmm.hpp"

namespace assay::gpu {

// Y = activation(alpha A X + beta C + bias). Value, X and Y: float or bf16_t; float throughout, or one of Value and X
// bf16_t.
template <class Value, class X, class Y>
struct SpmmCsrProblem {
  sparse::CsrView a{};
  std::span<const Value> values{};
  HostMatrix<const X> x{};      // a.cols x n
  HostMatrix<Y> y{};            // a.rows x n
  HostMatrix<const Y> c{};      // of the shape of Y, may be Y itself; read if beta is not 0
  sparse::SpmmExtras extras{};  // without C
  bool sorts_rows = false;      // the longest first: another order of work, the same bits
};

// Writes y, and nothing between its rows. ContractError, which names the argument, as SpmmPlan; columns of a row may
// stand in any order.
template <class Value, class X, class Y>
void run_spmm_csr(const SpmmCsrProblem<Value, X, Y>& problem);

}  // namespace assay::gpu
