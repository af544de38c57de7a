#include "gpu/cases/csr_cases.hpp"

#include <utility>

#include "gpu/kernels/sddmm_csr_run.hpp"
#include "gpu/kernels/spmm_csr_run.hpp"

namespace assay::gpu {
namespace {

using sparse::SamplePattern;

std::vector<std::pair<std::string, std::string>> parameters_of(const SamplePattern& p) {
  return {{"matrix", std::string(p.name)}};
}

// rows x cols, without gaps.
template <class T>
HostMatrix<const T> matrix_of(const std::vector<T>& values, std::int64_t rows, std::int64_t cols) {
  return {values.data(), rows, cols, cols};
}
template <class T>
HostMatrix<T> matrix_of(std::vector<T>& values, std::int64_t rows, std::int64_t cols) {
  return {values.data(), rows, cols, cols};
}

std::size_t area(std::int64_t rows, std::int64_t cols) { return static_cast<std::size_t>(rows * cols); }

KernelArrays run_spmm_f32(const SamplePattern& p, std::uint64_t seed) {
  const sparse::Csr<float> a = sparse::sample_matrix(p, seed);
  KernelArrays out;
  for (const SpmmProblem& o : spmm_problems(p, false, seed)) {
    std::vector<float> y(area(p.rows, o.n));
    SpmmCsrProblem<float, float, float> problem{a.structure, a.values, matrix_of(o.x, p.cols, o.n),
                                                matrix_of(y, p.rows, o.n)};
    if (o.joined) {
      problem.c = matrix_of(o.c, p.rows, o.n);
      problem.extras = {.alpha = SpmmProblem::alpha,
                        .beta = SpmmProblem::beta,
                        .bias_along = sparse::SpmmBias::rows,
                        .bias = o.bias,
                        .activation = sparse::SpmmActivation::relu};
      problem.sorts_rows = true;
    }
    run_spmm_csr(problem);
    out.push_back(kernel_array(o.name, y, {p.rows, o.n}));
  }
  return out;
}

KernelArrays run_spmm_bf16(const SamplePattern& p, std::uint64_t seed) {
  const sparse::Csr<float> a = sparse::sample_matrix(p, seed);
  const std::vector<bf16_t> values = to_bf16(a.values);
  KernelArrays out;
  for (const SpmmProblem& o : spmm_problems(p, true, seed)) {
    const std::vector<bf16_t> x = to_bf16(o.x);
    std::vector<float> y(area(p.rows, o.n));
    run_spmm_csr(SpmmCsrProblem<bf16_t, bf16_t, float>{a.structure, values, matrix_of(x, p.cols, o.n),
                                                       matrix_of(y, p.rows, o.n)});
    out.push_back(kernel_array(o.name, y, {p.rows, o.n}));
  }
  return out;
}

KernelArrays run_sddmm_f32(const SamplePattern& p, std::uint64_t seed) {
  const sparse::Csr<float> mask = sparse::sample_matrix(p, seed);
  KernelArrays out;
  for (const SddmmProblem& o : sddmm_problems(p, seed)) {
    std::vector<float> y(static_cast<std::size_t>(mask.structure.nnz()));
    run_sddmm_csr(
        SddmmCsrProblem<float>{.mask = mask.structure,
                               .a = matrix_of(o.a, p.rows, o.k),
                               .b = o.b_is_turned ? matrix_of(o.b, p.cols, o.k) : matrix_of(o.b, o.k, p.cols),
                               .b_is_turned = o.b_is_turned,
                               .out = y});
    out.push_back(kernel_array(o.name, y, {mask.structure.nnz()}));
  }
  return out;
}

}  // namespace

std::vector<bf16_t> to_bf16(const std::vector<float>& values) {
  std::vector<bf16_t> out;
  out.reserve(values.size());
  for (const float value : values) out.push_back(bf16_t(value));
  return out;
}

std::vector<SpmmProblem> spmm_problems(const SamplePattern& p, bool bf16, std::uint64_t seed) {
  std::vector<SpmmProblem> problems;
  // Columns around a warp's, whole vectors and not.
  for (const std::int64_t n : {1, 7, 32, 65, 128}) {
    const std::vector<float> x = sparse::sample_numbers(p, area(p.cols, n), seed, 4);
    problems.push_back({.name = "n=" + std::to_string(n), .n = n, .x = x});
    if (bf16) continue;
    problems.push_back({.name = problems.back().name + ", with alpha, beta C, bias and ReLU",
                        .n = n,
                        .joined = true,
                        .x = x,
                        .c = sparse::sample_numbers(p, area(p.rows, n), seed, 5),
                        .bias = sparse::sample_numbers(p, static_cast<std::size_t>(p.rows), seed, 6)});
  }
  return problems;
}

std::vector<SddmmProblem> sddmm_problems(const SamplePattern& p, std::uint64_t seed) {
  std::vector<SddmmProblem> problems;
  for (const std::int64_t k : {1, 33, 64}) {
    for (const bool turned : {false, true})
      problems.push_back({.name = "k=" + std::to_string(k) + (turned ? ", B n x k" : ""),
                          .k = k,
                          .b_is_turned = turned,
                          .a = sparse::sample_numbers(p, area(p.rows, k), seed, 7),
                          .b = sparse::sample_numbers(p, area(p.cols, k), seed, 8)});
  }
  return problems;
}

KernelCase spmm_f32_case(const SamplePattern& p) {
  return {.member = "spmm/csr_f32", .parameters = parameters_of(p), .run = [&p](std::uint64_t seed) {
            return run_spmm_f32(p, seed);
          }};
}
KernelCase spmm_bf16_case(const SamplePattern& p) {
  return {.member = "spmm/csr_bf16", .parameters = parameters_of(p), .run = [&p](std::uint64_t seed) {
            return run_spmm_bf16(p, seed);
          }};
}
KernelCase sddmm_f32_case(const SamplePattern& p) {
  return {.member = "sddmm/csr_f32", .parameters = parameters_of(p), .run = [&p](std::uint64_t seed) {
            return run_sddmm_f32(p, seed);
          }};
}

std::vector<KernelCase> csr_cases() {
  std::vector<KernelCase> cases;
  for (const SamplePattern& p : sparse::sample_patterns()) {
    cases.push_back(spmm_f32_case(p));
    cases.push_back(spmm_bf16_case(p));
    cases.push_back(sddmm_f32_case(p));
  }
  return cases;
}

}  // namespace assay::gpu
