// CUDA kernels of suite `simt`, rewritten and compiled by the build as any user's, and how they are launched.
//
// Each launch gives why it could not end, or an empty text.
#pragma once

#include <cstdint>
#include <string>

#include "emulation/simt/launch.hpp"

namespace assay::suites {

// Y = relu(A X + bias), one fused multiply-add an entry in the order of the row: A in CSR, X cols x n and Y rows x n
// row-major; bias of each row.
struct SpmmOperands {
  std::int32_t rows = 0, n = 0;
  const std::int32_t *row_offsets = nullptr, *columns = nullptr;
  const float *values = nullptr, *x = nullptr, *bias = nullptr;
  float* y = nullptr;
};
std::string launch_spmm(const SpmmOperands& operands, const simt::LaunchOptions& options);

// Y = A X on tensor cores, A in BSR of 16 x 16 blocks of bf16 (row-major in a block), X cols x n and Y rows x n, n a
// multiple of 64: one mma.sync.m16n8k16 a block and 8 columns, blocks of a row in order.
struct BsrOperands {
  std::int32_t block_rows = 0, n = 0;
  const std::int32_t *row_offsets = nullptr, *columns = nullptr;
  const std::uint16_t *values = nullptr, *x = nullptr;
  float* y = nullptr;
};
std::string launch_bsr(const BsrOperands& operands, const simt::LaunchOptions& options);

// D = A B + C with nvcuda::wmma, 16 x 16 x 16 half into float: m, n and k multiples of 16, all row-major.
struct GemmOperands {
  std::int32_t m = 0, n = 0, k = 0;
  const std::uint16_t *a = nullptr, *b = nullptr;
  const float* c = nullptr;
  float* d = nullptr;
};
std::string launch_wmma(const GemmOperands& operands, const simt::LaunchOptions& options);

// The sums of rows: each warp adds its lanes' partial sums by shuffles, the block its warps' by shared memory.
std::string launch_row_sums(const float* x, std::int32_t rows, std::int32_t columns, float* sums,
                            const simt::LaunchOptions& options);

// The dot products of int8 rows of A (m x k) and columns of B (k x n), both multiples of 16, 8 and 32: mma.m16n8k32.
std::string launch_int8(const std::int8_t* a, const std::int8_t* b, std::int32_t m, std::int32_t n,
                        std::int32_t k, std::int32_t* d, const simt::LaunchOptions& options);

// A histogram of `count` numbers below `bins` (256 at most): atomics on shared, then on global memory.
std::string launch_histogram(const std::uint8_t* x, std::int32_t count, std::int32_t bins,
                             std::int32_t* counts, const simt::LaunchOptions& options);

// Fail in a known way: a barrier that some threads never reach, a warp operation whose mask names lanes that never
// come, a copy that is read too early.
std::string launch_divergent_barrier(const simt::LaunchOptions& options);
std::string launch_wrong_mask(const simt::LaunchOptions& options);
// stale[i]: what the kernel saw where it read `x` without waiting; waited[i]: after it had waited.
std::string launch_copy(const std::uint32_t* x, std::uint32_t* stale, std::uint32_t* waited,
                        const simt::LaunchOptions& options);

}  // namespace assay::suites
