// Sampled dense times dense in float32: for each entry (i, j) of a sparse mask, alpha times the product of row i of A
// and column j of B.
//
// Numerics: the contract of sddmm_task.hpp, whatever kernel runs.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "reference/core/dispatch.hpp"
#include "reference/sparse/csr.hpp"
#include "reference/sparse/sddmm_task.hpp"
#include "reference/sparse/spmm.hpp"

namespace assay::sparse {

// A kernel of sddmm.def.
struct SddmmKernel : KernelInfo {
  SddmmFn* own = nullptr;     // rows with columns of their own
  SddmmFn* shared = nullptr;  // rows that have most columns in common
};
const KernelTable<SddmmKernel>& sddmm_kernels();

namespace kernels {
#define SDDMM(isa, lanes) SddmmFn sddmm_f32_own_##isa, sddmm_f32_shared_##isa;
#include "reference/sparse/sddmm.def"
#undef SDDMM
}  // namespace kernels

// What joins the sums, one value for each entry. beta = 0 does not look at C.
struct SddmmExtras {
  float alpha = 1, beta = 0;
  std::span<const float> c{};  // may be the result itself
  std::span<const float>
      scale{};  // factors, such as the mask's own values; empty: none. May be the result itself
};

// Whether rows of the mask that lie together are computed together, with all columns that any of them has.
enum class SddmmSharing : std::uint8_t { where_it_pays, never, always };

struct SddmmOptions {
  int threads = 0;
  std::string_view kernel{};  // a name of sddmm_kernels(); empty: the best
  SddmmSharing sharing = SddmmSharing::where_it_pays;
  const SddmmKernel* with = nullptr;  // a kernel of no table; for tests
};

// out[e] for each entry e of `mask` (m x n, columns in any order) from A (m x k) and B (k x n), both row-major.
// ContractError, which names the argument, for a mask that does not pass check(), shapes that do not match, strides less
// than the columns, and memory that the result shares with A or B, or with C or the factors unless it is the same;
// Unavailable for a kernel that this CPU cannot run.
void sddmm(const CsrView& mask, const DenseView& a, const DenseView& b, std::span<float> out,
           const SddmmExtras& extras = {}, const SddmmOptions& options = {});

// The same from B as (n x k), a column of the product in each row, as the keys of attention are. sddmm() makes such a
// copy of B first.
void sddmm_transposed(const CsrView& mask, const DenseView& a, const DenseView& b, std::span<float> out,
                      const SddmmExtras& extras = {}, const SddmmOptions& options = {});

}  // namespace assay::sparse
