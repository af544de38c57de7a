// Operands of the block-sparse kernels on tensor cores, and what they do with a sum: Y = relu(A X + bias), A in BSR
// with square blocks of bf16, X and Y dense and row-major.
//
// Numerics of both kernels: the bits of the matrix unit for bf16 of the GPU that they run on (emulation/units), then
// the bias and the activation.
//   order   a sum starts at +0 and takes the stored blocks of its row in stored order, each in chunks of 16 of k,
//           ascending. Numbers of a block that are zero multiply; where the last column of blocks reaches over A's
//           edge, the rows of X that are not there are +0.
//   then    y = round(sum + bias), left out without a bias; relu: y if y > 0 or NaN, else +0; bf16: rounded once more,
//           to nearest even. A NaN comes out as 0x7FFFFFFF, of bf16 0x7FFF.
//   hence   no tile, schedule or order of rows changes a bit.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "gpu/kernels/bf16_tiles.cuh"
#include "gpu/kernels/launch.cuh"

namespace assay::gpu {

// Arrays of the device. The structure is what sparse::check() takes; it is not read by launchers. Out: float, or
// std::uint16_t for bf16.
template <class Out>
struct SpmmBsrBf16 {
  std::size_t rows = 0, cols = 0, n = 0;         // of A; columns of X and Y
  int block = 16;                                // side of a block
  std::size_t blocks = 0;                        // stored
  const std::int64_t* row_offsets = nullptr;     // block rows + 1
  const std::int32_t* column_indices = nullptr;  // blocks
  const std::uint16_t* values = nullptr;         // blocks x block x block, 16-byte aligned
  // Block rows in the order in which they are begun: longest first keeps a launch short. Null: ascending.
  const std::int32_t* row_order = nullptr;
  const std::uint16_t* x = nullptr;  // cols x n
  std::size_t x_stride = 0;          // of rows, in numbers
  const float* bias = nullptr;       // one a row of A, or null
  bool relu = false;
  Out* y = nullptr;  // rows x n
  std::size_t y_stride = 0;

  __host__ __device__ std::size_t block_rows() const {
    const auto side = static_cast<std::size_t>(block);
    return (rows + side - 1) / side;
  }
};

namespace bsr_bf16 {

// Sums of a row become Y: those of bf16_tiles::store_sixteen(), by whole warps.
template <class Out>
__device__ inline void store_results(const SpmmBsrBf16<Out>& o, std::size_t row, std::size_t column, float a,
                                     float b, float c, float d, bf16_tiles::Alignment at) {
  float v[] = {a, b, c, d};
  const bool there = row < o.rows;
#pragma unroll
  for (float& x : v) {
    if (there && o.bias != nullptr) x = __fadd_rn(x, o.bias[row]);
    if (o.relu) x = x > 0 || isnan(x) ? x : 0.0F;
    x = bf16_tiles::one_nan(x);
  }
  bf16_tiles::store_sixteen(there ? o.y + row * o.y_stride : nullptr, column, o.n, v, at);
}

// ContractError for arguments that no kernel could take.
template <class Out>
void require_operands(const SpmmBsrBf16<Out>& o, const std::string& kernel) {
  const auto array = [&](const void* p, std::size_t count, std::size_t alignment, const char* what) {
    require_array(p, count, alignment, (kernel + ": " + what).c_str());
  };
  const auto stride = [&](std::size_t stride_of, std::size_t rows, const char* what) {
    if (rows > 1 && stride_of < o.n)
      throw ContractError(kernel + ": " + what + " has rows of " + std::to_string(o.n) +
                          ", and a stride of " + std::to_string(stride_of));
  };
  const auto side = static_cast<std::size_t>(o.block);
  array(o.row_offsets, o.rows == 0 ? 0 : o.block_rows() + 1, sizeof(std::int64_t), "row_offsets");
  array(o.column_indices, o.blocks, sizeof(std::int32_t), "column_indices");
  array(o.values, o.blocks * side * side, 16, "values");
  if (o.row_order != nullptr) array(o.row_order, o.block_rows(), sizeof(std::int32_t), "row_order");
  array(o.x, o.blocks == 0 ? 0 : o.cols * o.n, sizeof(std::uint16_t), "x");
  if (o.bias != nullptr) array(o.bias, o.rows, sizeof(float), "bias");
  array(o.y, o.rows * o.n, sizeof(Out), "y");
  stride(o.x_stride, o.cols, "x");
  stride(o.y_stride, o.rows, "y");
}

}  // namespace bsr_bf16
}  // namespace assay::gpu
