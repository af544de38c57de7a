// Dense and block-sparse products in bfloat16 on tensor cores.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gpu/cases/kernel_case.hpp"
#include "gpu/kernels/spmm_bsr_bf16_run.hpp"
#include "reference/sparse/sample_matrices.hpp"

namespace assay::gpu {

// Y = A X of dense A, in float32; the kernels take both rounded to nearest even.
struct GemmProblem {
  std::string name{};  // of its result: "33x20x50"
  std::int32_t m = 0, n = 0, k = 0;
  std::vector<float> a{}, x{};
};
std::vector<GemmProblem> gemm_problems(std::uint64_t seed);

// Of an A that becomes blocks.
struct BlockProblem {
  static constexpr std::int64_t n = 40;

  std::string name{};  // the matrix
  sparse::Csr<float> a{};
  std::vector<float> x{};  // a.cols x n
};
std::vector<BlockProblem> block_problems(std::uint64_t seed);

// The unit of emulation/units, of mma.sync and wgmma alike: "sm90.bf16". Families are named by their first GPU; from
// 12.0 on there is no unit of the name.
std::string bf16_unit(const CaseGpu& gpu);

KernelCase gemm_bf16_case(const CaseGpu& gpu);
// Squares of `side`.
KernelCase bsr_bf16_case(const CaseGpu& gpu, BsrKernel kernel, std::int64_t side);
std::span<const std::int64_t> block_sides(BsrKernel kernel);
std::vector<KernelCase> tensor_core_cases(const CaseGpu& gpu);

}  // namespace assay::gpu
