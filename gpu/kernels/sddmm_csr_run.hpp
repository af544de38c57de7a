// SDDMM's CUDA kernel on arrays of the host.
#pragma once

#include <cstdint>
#include <span>

#include "gpu/kernels/host_matrix.hpp"
#include "reference/sparse/sddmm.hpp"

namespace assay::gpu {

// out[e] = alpha A[i] . B[j] (scale) + beta c for each entry (i, j) of the mask. T: float or bf16_t.
template <class T>
struct SddmmCsrProblem {
  sparse::CsrView mask{};
  HostMatrix<const T> a{};  // mask.rows x k
  HostMatrix<const T> b{};  // mask.cols x k: a column of the product in each row; or k x mask.cols
  bool b_is_turned = true;  // the former
  std::span<float> out{};
  sparse::SddmmExtras extras{};
};

// ContractError, which names the argument, as SddmmPlan; columns of a row may stand in any order.
template <class T>
void run_sddmm_csr(const SddmmCsrProblem<T>& problem);

}  // namespace assay::gpu
