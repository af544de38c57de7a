// Kernels with a step exchanged, before the judge of suite `cuda`: FAILED, and the place is named.
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gpu/cases/conversion_cases.hpp"
#include "gpu/cases/csr_cases.hpp"
#include "gpu/kernels/convert_bf16_run.hpp"
#include "gpu/kernels/spmm_csr_run.hpp"
#include "reference/core/error.hpp"
#include "validation/suites/cuda/judged_kernel.hpp"

namespace assay::gpu {

using F32Problem = SpmmCsrProblem<float, float, float>;
// The kernels of planted.cmake.
#define PLANTED(name)                                    \
  namespace name {                                       \
  template <class Value, class X, class Y>               \
  void run_spmm_csr(const SpmmCsrProblem<Value, X, Y>&); \
  }
PLANTED(planted_spmm_unfused)
PLANTED(planted_spmm_backwards)
PLANTED(planted_spmm_bf16_sums)
PLANTED(planted_spmm_tail)
#undef PLANTED
namespace planted_convert_end {
std::vector<bf16_t> run_convert_bf16(std::span<const float>, const ConvertBf16Options&);
}

}  // namespace assay::gpu

using namespace assay;
using suites::cuda::JudgedKernel;

namespace {

constexpr std::uint64_t seed = 1;

JudgedKernel kernel_named(const std::string& name) {
  for (JudgedKernel& kernel : suites::cuda::judged_kernels({.architecture = 90, .has_wgmma = true})) {
    if (kernel.name() == name) return std::move(kernel);
  }
  throw ContractError("no kernel " + name);
}

// Its products without alpha, C and bias are `run`'s; what the judge says of them.
template <class Run>
CaseResult judged_spmm(const sparse::SamplePattern& p, const Run& run) {
  const JudgedKernel kernel = kernel_named("spmm/csr_f32 matrix=" + std::string(p.name));
  const sparse::Csr<float> a = sparse::sample_matrix(p, seed);
  gpu::KernelArrays got = kernel.predicted(seed);
  const std::vector<gpu::SpmmProblem> problems = gpu::spmm_problems(p, false, seed);
  for (std::size_t i = 0; i < problems.size(); ++i) {
    const gpu::SpmmProblem& o = problems[i];
    if (o.joined) continue;
    std::vector<float> y(static_cast<std::size_t>(p.rows * o.n));
    run(gpu::F32Problem{a.structure, a.values, {o.x.data(), p.cols, o.n, o.n}, {y.data(), p.rows, o.n, o.n}});
    got.at(i) = gpu::kernel_array(o.name, y, {p.rows, o.n});
  }
  return kernel.judge(seed, got);
}

std::string text_of(const CaseResult& result) {
  std::string text = result.reason;
  for (const std::string& detail : result.details) text += "; " + detail;
  return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_judge_of_suite_cuda_refuses_planted_products) {
  const sparse::SamplePattern& p = sparse::sample_patterns()[1];
  BOOST_TEST(
      (judged_spmm(p, [](const auto& problem) { gpu::run_spmm_csr(problem); }).status == Status::passed));
  const auto refuses = [&](const auto& run) {
    const CaseResult result = judged_spmm(p, run);
    const std::string text = text_of(result);
    BOOST_TEST((result.status == Status::failed), text);
    BOOST_TEST(result.mismatches > 0U);
    BOOST_TEST(text.find("n=") != std::string::npos, text);  // which product
  };
  refuses(gpu::planted_spmm_unfused::run_spmm_csr<float, float, float>);
  refuses(gpu::planted_spmm_backwards::run_spmm_csr<float, float, float>);
  refuses(gpu::planted_spmm_bf16_sums::run_spmm_csr<float, float, float>);
  refuses(gpu::planted_spmm_tail::run_spmm_csr<float, float, float>);
}

// It writes one code too many, over what must stay as it was.
BOOST_AUTO_TEST_CASE(the_judge_of_suite_cuda_refuses_a_planted_conversion) {
  const JudgedKernel kernel = kernel_named("convert/f32_bf16 rounding=toward-zero");
  gpu::KernelArrays got;
  for (const gpu::ConversionProblem& p : gpu::conversion_problems(seed)) {
    const std::vector<bf16_t> codes =
        gpu::planted_convert_end::run_convert_bf16(p.x, {.rounding = Rounding::toward_zero, .seed = seed});
    got.push_back(gpu::kernel_array(p.name, codes, {static_cast<std::int64_t>(codes.size())}));
  }
  const CaseResult result = kernel.judge(seed, got);
  BOOST_TEST((result.status == Status::failed));
  const std::string text = text_of(result);
  BOOST_TEST(text.find("n=1[1]: 0x") != std::string::npos, text);
  BOOST_TEST(text.find("not 0xa5a5") != std::string::npos, text);
}
