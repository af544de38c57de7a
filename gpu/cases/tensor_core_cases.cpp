#include "gpu/cases/tensor_core_cases.hpp"

#include <array>
#include <string>

#include "gpu/kernels/gemm_bf16_run.hpp"
#include "reference/sparse/bsr.hpp"

namespace assay::gpu {
namespace {

constexpr std::int64_t mma_sides[] = {16, 32, 64}, wgmma_sides[] = {64, 128};

std::vector<std::uint16_t> bf16_words(const std::vector<float>& values) {
  std::vector<std::uint16_t> out;
  out.reserve(values.size());
  for (const float value : values) out.push_back(bf16_t(value).code);
  return out;
}

KernelArrays run_gemms(std::uint64_t seed) {
  KernelArrays out;
  for (const GemmProblem& p : gemm_problems(seed)) {
    const std::vector<std::uint16_t> a = bf16_words(p.a), x = bf16_words(p.x);
    const auto m = static_cast<std::size_t>(p.m), n = static_cast<std::size_t>(p.n),
               k = static_cast<std::size_t>(p.k);
    out.push_back(kernel_array(p.name, run_gemm_bf16_f32({m, n, k, a, x, k, n}), {p.m, p.n}));
  }
  return out;
}

KernelArrays run_blocks(BsrKernel kernel, std::int64_t side, std::uint64_t seed) {
  KernelArrays out;
  for (const BlockProblem& p : block_problems(seed)) {
    const sparse::Bsr<float> blocks = sparse::bsr_from_csr(p.a, side, side);
    const std::vector<std::uint16_t> values = bf16_words(blocks.values), x = bf16_words(p.x);
    const SpmmBsrBf16Problem problem{.a = blocks.structure,
                                     .values = values,
                                     .n = static_cast<std::size_t>(BlockProblem::n),
                                     .x = x,
                                     .x_stride = static_cast<std::size_t>(BlockProblem::n),
                                     .multiprocessors = 2};
    out.push_back(
        kernel_array(p.name, run_spmm_bsr_bf16_f32(kernel, problem), {p.a.rows(), BlockProblem::n}));
  }
  return out;
}

}  // namespace

std::vector<GemmProblem> gemm_problems(std::uint64_t seed) {
  std::vector<GemmProblem> problems;
  for (const auto& [m, n, k] :
       {std::array<std::int32_t, 3>{1, 1, 1}, {33, 20, 50}, {64, 72, 64}, {70, 9, 130}}) {
    const sparse::SamplePattern p{"gemm", m, k};
    problems.push_back(
        {.name = std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k),
         .m = m,
         .n = n,
         .k = k,
         .a = sparse::sample_numbers(p, static_cast<std::size_t>(m) * static_cast<std::size_t>(k), seed, 1),
         .x = sparse::sample_numbers(p, static_cast<std::size_t>(k) * static_cast<std::size_t>(n), seed, 2)});
  }
  return problems;
}

std::vector<BlockProblem> block_problems(std::uint64_t seed) {
  std::vector<BlockProblem> problems;
  for (const sparse::SamplePattern& p :
       {sparse::SamplePattern{"density_5", 90, 300}, {"blocks_of_8_rows", 64, 120}})
    problems.push_back(
        {.name = std::string(p.name),
         .a = sparse::sample_matrix(p, seed),
         .x = sparse::sample_numbers(p, static_cast<std::size_t>(p.cols * BlockProblem::n), seed, 4)});
  return problems;
}

std::span<const std::int64_t> block_sides(BsrKernel kernel) {
  if (kernel == BsrKernel::mma) return mma_sides;
  return wgmma_sides;
}

std::string bf16_unit(const CaseGpu& gpu) {
  int family = gpu.architecture;
  for (const int first : {80, 89, 90, 100}) {
    if (gpu.architecture >= first && gpu.architecture < 120) family = first;
  }
  return "sm" + std::to_string(family) + ".bf16";
}

KernelCase gemm_bf16_case(const CaseGpu& gpu) {
  return {.member = "gemm/bf16_mma", .parameters = {{"arch", gpu.name()}}, .run = run_gemms};
}

KernelCase bsr_bf16_case(const CaseGpu& gpu, BsrKernel kernel, std::int64_t side) {
  return {.member = kernel == BsrKernel::mma ? "spmm/bsr_bf16_mma" : "spmm/bsr_bf16_wgmma",
          .parameters = {{"arch", gpu.name()}, {"blocks", std::to_string(side)}},
          .run = [kernel, side](std::uint64_t seed) { return run_blocks(kernel, side, seed); }};
}

std::vector<KernelCase> tensor_core_cases(const CaseGpu& gpu) {
  std::vector<KernelCase> cases{gemm_bf16_case(gpu)};
  for (const BsrKernel kernel : {BsrKernel::mma, BsrKernel::wgmma}) {
    if (kernel == BsrKernel::wgmma && !gpu.has_wgmma) continue;
    for (const std::int64_t side : block_sides(kernel)) cases.push_back(bsr_bf16_case(gpu, kernel, side));
  }
  return cases;
}

}  // namespace assay::gpu
