// The block-sparse bf16 kernels on arrays of the host: Y = relu(A X + bias).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "reference/sparse/bsr.hpp"

namespace assay::gpu {

enum class BsrKernel : std::uint8_t { mma, wgmma };
enum class BlockRowOrder : std::uint8_t { ascending, longest_first };

// Row-major codes of bf16.
struct SpmmBsrBf16Problem {
  sparse::BsrView a{};                      // square blocks: 16, 32 or 64 by mma; 64 or 128 by wgmma
  std::span<const std::uint16_t> values{};  // of the blocks
  std::size_t n = 0;
  std::span<const std::uint16_t> x{};  // a.cols x n
  std::size_t x_stride = 0;            // of rows, at least n
  std::span<const float> bias{};       // one a row of A, or none
  bool relu = false;
  BlockRowOrder order = BlockRowOrder::longest_first;
  unsigned multiprocessors = 0;  // that wgmma's persistent blocks take; 0: all
};

// Block rows by falling number of blocks; equal ones ascend.
std::vector<std::int32_t> longest_rows_first(const sparse::BsrView& a);

// a.rows x n, without gaps. ContractError for a structure that check() refuses, arrays shorter than their shape, and
// blocks that the kernel does not take.
std::vector<float> run_spmm_bsr_bf16_f32(BsrKernel kernel, const SpmmBsrBf16Problem& p);
std::vector<std::uint16_t> run_spmm_bsr_bf16_bf16(BsrKernel kernel, const SpmmBsrBf16Problem& p);

}  // namespace assay::gpu
