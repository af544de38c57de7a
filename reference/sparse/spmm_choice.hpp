// Which kernel of SpMM, which sharing of columns and how deep slices of K, for a matrix and a number of columns.
#pragma once

#include <cstdint>
#include <string>

#include "reference/sparse/csr.hpp"
#include "reference/sparse/spmm.hpp"
#include "reference/sparse/spmm_packing.hpp"

namespace assay::sparse {

struct SpmmDecision {
  const SpmmKernel* kernel = nullptr;
  SpmmSharing sharing = SpmmSharing::none;
  bool of_blocks = false;                 // rows side by side have the same columns
  std::int64_t depth = 0;                 // rows of X in a slice; more than there are: all of K at once
  std::string why_kernel{}, why_depth{};  // clauses without a full stop
};

// ContractError and Unavailable as SpmmPlan for options.kernel.
SpmmDecision decide(const CsrView& a, const SpmmOptions& options);

// Both, after it was packed: the depth may have become another.
std::string why(const SpmmDecision& decision, const PackedSpmm& packed);

}  // namespace assay::sparse
