// Sparse times a vector in float32: y = activation(alpha A x + beta c + bias). A plan packs A once; products then only
// stream.
//
// Numerics: the contract of spmm_task.hpp. The bits are those of SpmmPlan with one column, whatever kernel runs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "reference/core/dispatch.hpp"
#include "reference/sparse/csr.hpp"
#include "reference/sparse/spmv_task.hpp"

namespace assay::sparse {

// A kernel of spmv.def.
struct SpmvKernel : KernelInfo {
  std::uint32_t width = 0;  // rows side by side
  SpmvFn* near = nullptr;   // columns of 16 bits
  SpmvFn* far = nullptr;    // of 32
};
const KernelTable<SpmvKernel>& spmv_kernels();

namespace kernels {
#define SPMV(isa, width) SpmvFn spmv_f32_near_##isa, spmv_f32_far_##isa;
#include "reference/sparse/spmv.def"
#undef SPMV
}  // namespace kernels

// What joins the sums. alpha = 0 does not look at them, beta = 0 not at c.
struct SpmvExtras {
  float alpha = 1, beta = 0;
  std::span<const float> c{};     // may be y itself
  std::span<const float> bias{};  // one value a row; empty: none
  SpmmActivation activation = SpmmActivation::none;
  float low = 0, high = 0;  // clip
};

struct SpmvOptions {
  std::string_view kernel{};         // a name of spmv_kernels(); empty: the best
  const SpmvKernel* with = nullptr;  // a kernel of no table, which outlives the plan; for tests
};

class SpmvPlan {
 public:
  // ContractError unless `a` passes check() with columns in any order and has a value for each entry, or for a kernel
  // that is not known; Unavailable for one that this CPU cannot run.
  SpmvPlan(const CsrView& a, std::span<const float> values, const SpmvOptions& options = {});
  explicit SpmvPlan(const Csr<float>& a, const SpmvOptions& options = {})
      : SpmvPlan(a.structure, a.values, options) {}
  ~SpmvPlan();
  SpmvPlan(SpmvPlan&&) noexcept;
  SpmvPlan& operator=(SpmvPlan&&) noexcept;

  std::int64_t rows() const;
  std::int64_t cols() const;
  std::int64_t nnz() const;
  std::string_view kernel() const;
  std::uint64_t packed_bytes() const;  // that a product reads, without x

  // y has a value for each row, x one for each column. ContractError, which names the argument, for other counts, alpha
  // or beta that is NaN, a clip without low <= high, and for memory that y shares with x or the bias, or with c unless
  // they are the same.
  void multiply(std::span<const float> x, std::span<float> y, const SpmvExtras& extras = {},
                int threads = 0) const;

 private:
  struct Packed;
  std::unique_ptr<Packed> packed_;
};

}  // namespace assay::sparse
