// Sparse times dense and sampled dense times dense, on the matrices of sample_matrices.hpp: several products a matrix.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gpu/cases/kernel_case.hpp"
#include "reference/sparse/sample_matrices.hpp"

namespace assay::gpu {

// Y = A X; joined: Y = relu(alpha A X + beta C + bias), a bias a row. A kernel in bfloat16 takes A and X rounded to
// nearest even.
struct SpmmProblem {
  static constexpr float alpha = -0.75F, beta = 0.5F;

  std::string name{};  // of its result: "n=7, with alpha, beta C, bias and ReLU"
  std::int64_t n = 0;
  bool joined = false;
  std::vector<float> x{}, c{}, bias{};  // a.cols x n; of a joined one a.rows x n, a.rows
};
// In bfloat16 none is joined.
std::vector<SpmmProblem> spmm_problems(const sparse::SamplePattern& p, bool bf16, std::uint64_t seed);

// out = A B at the entries of the mask.
struct SddmmProblem {
  std::string name{};
  std::int64_t k = 0;
  bool b_is_turned = false;  // n x k
  std::vector<float> a{}, b{};
};
std::vector<SddmmProblem> sddmm_problems(const sparse::SamplePattern& p, std::uint64_t seed);

std::vector<bf16_t> to_bf16(const std::vector<float>& values);

KernelCase spmm_f32_case(const sparse::SamplePattern& p);
KernelCase spmm_bf16_case(const sparse::SamplePattern& p);
KernelCase sddmm_f32_case(const sparse::SamplePattern& p);
std::vector<KernelCase> csr_cases();

}  // namespace assay::gpu
