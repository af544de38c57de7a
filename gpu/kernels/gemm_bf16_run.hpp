// The dense bf16 GEMM's kernel on arrays of the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace assay::gpu {

// Row-major codes of bf16; strides of rows, at least the columns.
struct GemmBf16Problem {
  std::size_t m = 0, n = 0, k = 0;
  std::span<const std::uint16_t> a{}, b{};  // m x k, k x n
  std::size_t a_stride = 0, b_stride = 0;
};

// m x n, without gaps. ContractError where an array is shorter than its shape.
std::vector<float> run_gemm_bf16_f32(const GemmBf16Problem& p);
std::vector<std::uint16_t> run_gemm_bf16_bf16(const GemmBf16Problem& p);

}  // namespace assay::gpu
