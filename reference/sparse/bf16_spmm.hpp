// Sparse times dense in bfloat16, by a contract that has a name: Y = activation(alpha A X + beta C + bias), A sparse
// and X dense in bfloat16, C and Y in float32.
//
// Numerics: the sums of an output by the contract, from +0; then the epilogue of spmm_task.hpp. Contracts are:
//   chain_f32_fused  both widened, and the contract of spmm_task.hpp. No flush.
//   vdpbf16ps        the entries of a row in stored order, two by two: entries 2t and 2t + 1 are elements 0 and 1 of an
//                    instruction, so that 2t + 1 is added first. A last entry without another pairs with +0 * +0: no
//                    row of X meets a zero that is not stored, and 0 * Inf cannot come up.
//   tdpbf16ps        K is dense, in blocks of 32 columns of A from column 0, those of one instruction, the last one
//                    filled up with +0 * +0: an absent entry is +0 times what X has there, and +0 times +0 where X has
//                    an Inf or a NaN. Columns must ascend.
//   another one      its dot() of the entries of the row, in stored order.
// The same bits from the instructions, where this CPU has them, and from the Arithmetic itself, for every cut of the
// work and number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "reference/core/dispatch.hpp"
#include "reference/exact/arithmetic.hpp"
#include "reference/sparse/bf16_spmm_task.hpp"
#include "reference/sparse/spmm.hpp"

namespace assay::sparse {

// The kernels of one instruction.
struct Bf16SpmmKernel : KernelInfo {
  Bf16PairFn* pairs = nullptr;
  Bf16TileFn* tiles = nullptr;
  Bf16TilePackFn* pack_tiles = nullptr;
};
const KernelTable<Bf16SpmmKernel>& bf16_spmm_kernels();

namespace kernels {
Bf16PairFn bf16_spmm_pairs_avx512bf16;
Bf16TileFn bf16_spmm_tiles_amx_vbmi2;
Bf16TilePackFn bf16_pack_tiles_amx_vbmi2;
}  // namespace kernels

// Where SpmmOptions::kernel is this, the contract's Arithmetic computes, on every CPU.
inline constexpr std::string_view by_arithmetic = "arithmetic";

// What a plan chose.
struct Bf16SpmmChoice {
  std::string contract{}, kernel{};  // the kernel's name, or that of the Arithmetic
  std::uint64_t packed_bytes = 0;    // of A, with the copy that tiles keep for infinities and NaNs of X
};

class Bf16SpmmPlan {
 public:
  // `contract` outlives the plan. ContractError unless `a` passes check() with columns in any order (ascending, for
  // tdpbf16ps) and has a value for each entry, and unless the contract takes bfloat16 and gives float32.
  Bf16SpmmPlan(const Csr<bf16_t>& a, const Arithmetic& contract, const SpmmOptions& options = {});
  ~Bf16SpmmPlan();
  Bf16SpmmPlan(Bf16SpmmPlan&&) noexcept;
  Bf16SpmmPlan& operator=(Bf16SpmmPlan&&) noexcept;

  std::int64_t rows() const;
  std::int64_t cols() const;
  std::int64_t nnz() const;
  const Bf16SpmmChoice& choice() const;

  // Y (rows x n) from X (cols x n). Errors as SpmmPlan::multiply().
  void multiply(const Bf16View& x, const MutableDenseView& y, const SpmmExtras& extras = {},
                int threads = 0) const;

  // The same, both sides turned: Y (n x rows) = activation(alpha X A^T + beta C + bias) from X (n x cols), a bias along
  // rows having one value for each of the n. Takes 256 rows of X, Y and C at once, turned.
  void multiply_transposed(const Bf16View& x, const MutableDenseView& y, const SpmmExtras& extras = {},
                           int threads = 0) const;

  // How one contract is computed; defined in bf16_spmm.cpp.
  class Way;

 private:
  std::unique_ptr<Way> way_;
  Bf16SpmmChoice choice_{};
  std::int64_t rows_ = 0, cols_ = 0, nnz_ = 0;
};

}  // namespace assay::sparse
