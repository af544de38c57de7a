// Sampled dense times dense in float32: for each entry (i, j) of a sparse mask, alpha times the product of row i of A
// and column j of B. A plan looks at the mask once; products then only compute.
//
// Numerics: the contract of sddmm_task.hpp, whatever the plan chooses.
#pragma once

#include <cstdint>
#include <memory>
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
  std::string_view kernel{};  // a name of sddmm_kernels(); empty: the best
  SddmmSharing sharing = SddmmSharing::where_it_pays;
  const SddmmKernel* with = nullptr;  // a kernel of no table, which outlives the plan; for tests
};

// What a plan chose.
struct SddmmChoice {
  std::string_view kernel{};
  std::int64_t blocks = 0, shared = 0;  // of rows; those whose rows share their columns
  std::uint64_t packed_bytes = 0;
};

class SddmmPlan {
 public:
  // ContractError unless the mask (m x n) passes check() with columns in any order, or for a kernel that is not known;
  // Unavailable for one that this CPU cannot run.
  explicit SddmmPlan(const CsrView& mask, const SddmmOptions& options = {});
  ~SddmmPlan();
  SddmmPlan(SddmmPlan&&) noexcept;
  SddmmPlan& operator=(SddmmPlan&&) noexcept;

  std::int64_t rows() const;
  std::int64_t cols() const;
  std::int64_t nnz() const;
  const SddmmChoice& choice() const;

  // out[e] for each entry e of the mask from A (m x k) and B (k x n), both row-major. ContractError, which names the
  // argument, for shapes that do not match, strides less than the columns, and memory that the result shares with A or
  // B, or with C or the factors unless it is the same.
  void multiply(const DenseView& a, const DenseView& b, std::span<float> out, const SddmmExtras& extras = {},
                int threads = 0) const;

  // The same from B as (n x k), a column of the product in each row, as the keys of attention are. multiply() makes
  // such a copy of B first.
  void multiply_transposed(const DenseView& a, const DenseView& b, std::span<float> out,
                           const SddmmExtras& extras = {}, int threads = 0) const;

 private:
  struct Packed;
  std::unique_ptr<Packed> packed_;
};

}  // namespace assay::sparse
