// Sparse times dense in float32: Y = activation(alpha A X + beta C + bias), A sparse, X, C and Y dense and row-major.
// A plan looks at the pattern of A once, chooses a kernel and packs A for it; products then only stream.
//
// Numerics: the contract of spmm_task.hpp, whatever the plan chooses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "reference/core/dispatch.hpp"
#include "reference/formats/storage.hpp"
#include "reference/sparse/csr.hpp"
#include "reference/sparse/last_bits.hpp"
#include "reference/sparse/spmm_task.hpp"

namespace assay::sparse {

// A kernel of spmm.def.
struct SpmmKernel : KernelInfo {
  std::uint32_t lanes = 0;  // columns of a register
  std::uint32_t width = 0;  // columns of X and Y in a panel
  std::uint32_t rows = 0;   // rows of A side by side
  SpmmFn* near = nullptr;   // slices of K whose part of a panel has at most 64 KiB
  SpmmFn* far = nullptr;    // all of K at once
  SpmmFinishFn* finish = nullptr;
  SpmmPackFn* pack = nullptr;
};
const KernelTable<SpmmKernel>& spmm_kernels();

namespace kernels {
#define SPMM(isa, lanes, width, rows) SpmmFn spmm_f32_##width##_near_##isa, spmm_f32_##width##_far_##isa;
#include "reference/sparse/spmm.def"
#undef SPMM
SpmmFinishFn spmm_f32_finish_scalar, spmm_f32_finish_avx2, spmm_f32_finish_avx512;
SpmmPackFn spmm_f32_pack_scalar, spmm_f32_pack_avx2, spmm_f32_pack_avx512;
}  // namespace kernels

struct Bf16SpmmKernel;

// Row-major matrices: element (i, j) lies at data[i * stride + j].
struct DenseView {
  const float* data = nullptr;
  std::int64_t rows = 0, cols = 0, stride = 0;
};
struct Bf16View {
  const bf16_t* data = nullptr;
  std::int64_t rows = 0, cols = 0, stride = 0;
};
struct MutableDenseView {
  float* data = nullptr;
  std::int64_t rows = 0, cols = 0, stride = 0;
};

// One value for each row of A X, or for each column.
enum class SpmmBias : std::uint8_t { none, rows, columns };

// What joins the sums. alpha = 0 does not look at them, beta = 0 not at C.
struct SpmmExtras {
  float alpha = 1, beta = 0;
  DenseView c{};  // of the shape of Y; may be Y itself
  SpmmBias bias_along = SpmmBias::none;
  std::span<const float> bias{};
  SpmmActivation activation = SpmmActivation::none;
  float low = 0, high = 0;  // clip
};

// Rows that share their columns load X once for all of them. `filled` gives a row the columns of its neighbours too,
// with zeros, where that is faster; a product whose X could show the difference takes a packing without them.
enum class SpmmSharing : std::uint8_t { chosen, none, same_columns, filled };

struct SpmmOptions {
  std::int64_t columns = 256;  // of X, that the plan is made for; it takes any number
  std::string_view kernel{};   // a name of spmm_kernels(); empty: the plan's choice
  std::uint32_t depth = 0;     // rows of X in a slice; 0: the plan's choice
  SpmmSharing sharing = SpmmSharing::chosen;
  // Kernels of no table, which outlive the plan; for tests.
  const SpmmKernel* with = nullptr;
  const Bf16SpmmKernel* with_bf16 = nullptr;
};

// What a plan chose.
struct SpmmChoice {
  std::string_view kernel{};
  std::uint32_t width = 0;
  std::int64_t depth = 0, slices = 0, chunks = 0;  // of K; of the rows
  SpmmSharing sharing = SpmmSharing::none;
  std::int64_t shared_entries = 0;  // of rows that share their columns
  std::int64_t filled_zeros = 0;    // beside them
  std::uint64_t packed_bytes = 0;   // of the packing without filled zeros too
  std::string why{};                // this kernel, this depth: clauses without a full stop
};

// At most what a plan of a matrix of this size takes while it is made, and what a product of options.columns columns
// on one thread takes beside the plan, X and Y. Nothing: 2^64 bytes and more. Errors as those of SpmmPlan for
// options.kernel.
std::optional<std::uint64_t> spmm_plan_bytes(std::int64_t rows, std::int64_t cols, std::int64_t nnz,
                                             const SpmmOptions& options);
std::optional<std::uint64_t> spmm_product_bytes(std::int64_t cols, const SpmmOptions& options);

class SpmmPlan {
 public:
  // ContractError unless `a` passes check() with columns in any order and has a value for each entry, or for a kernel
  // that is not known; Unavailable for one that this CPU cannot run.
  SpmmPlan(const CsrView& a, std::span<const float> values, const SpmmOptions& options = {});
  explicit SpmmPlan(const Csr<float>& a, const SpmmOptions& options = {})
      : SpmmPlan(a.structure, a.values, options) {}
  ~SpmmPlan();
  SpmmPlan(SpmmPlan&&) noexcept;
  SpmmPlan& operator=(SpmmPlan&&) noexcept;

  std::int64_t rows() const;
  std::int64_t cols() const;
  std::int64_t nnz() const;
  const SpmmChoice& choice() const;

  // Y (rows x n) from X (cols x n). ContractError, which names the argument, for shapes that do not match, strides less
  // than the columns, alpha or beta that is NaN, a clip without low <= high, and memory that Y shares with X or the
  // bias, or with C unless they are the same. Memory is that from a matrix's first number to its last, what lies
  // between rows included.
  void multiply(const DenseView& x, const MutableDenseView& y, const SpmmExtras& extras = {},
                int threads = 0) const;
  // The same, X widened to float32.
  void multiply(const Bf16View& x, const MutableDenseView& y, const SpmmExtras& extras = {},
                int threads = 0) const;

  // Y (n x rows) = activation(alpha X A^T + beta C + bias) from X (n x cols): activations by weights. The same bits as
  // multiply() of the transposed matrices; a bias along rows has one value for each of the n.
  void multiply_transposed(const DenseView& x, const MutableDenseView& y, const SpmmExtras& extras = {},
                           int threads = 0) const;

 private:
  struct Packed;
  template <class View>
  const Packed& packed_for(const View& x) const;
  template <class View>
  void multiply_from(const View& x, const MutableDenseView& y, const SpmmExtras& extras, int threads) const;

  std::unique_ptr<Packed> packed_, unfilled_{};  // the second where the first has filled zeros
  SpmmChoice choice_{};
  std::int64_t nnz_ = 0;
  LastBits<float> last_bits_{};  // of the values
};

}  // namespace assay::sparse
