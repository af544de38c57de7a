// Kernels with a step exchanged, before the judge of suite `cuda`: FAILED, and the place is named.
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gpu/cases/conversion_cases.hpp"
#include "gpu/cases/csr_cases.hpp"
#include "gpu/cases/spdnn_cases.hpp"
#include "gpu/cases/tensor_core_cases.hpp"
#include "gpu/kernels/convert_bf16_run.hpp"
#include "gpu/kernels/spmm_csr_run.hpp"
#include "reference/core/error.hpp"
#include "reference/sparse/bsr.hpp"
#include "tests/gpu/kernels/bf16_products.hpp"
#include "tests/gpu/kernels/spdnn_planted.hpp"
#include "tests/gpu/kernels/wrong_bf16_kernels.hpp"
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

namespace {

// Behind the operands stand NaNs, for what reads too far.
std::vector<std::uint16_t> words_and_room(const std::vector<float>& values) {
  std::vector<std::uint16_t> out;
  for (const float value : values) out.push_back(bf16_t(value).code);
  out.resize(out.size() + 16384, 0x7FC0);
  return out;
}

CaseResult judged_gemms(Bf16Fault fault) {
  const JudgedKernel kernel = kernel_named("gemm/bf16_mma arch=sm_90a");
  gpu::KernelArrays got;
  for (const gpu::GemmProblem& p : gpu::gemm_problems(seed)) {
    const std::vector<std::uint16_t> a = words_and_room(p.a), x = words_and_room(p.x);
    const auto m = static_cast<std::size_t>(p.m), n = static_cast<std::size_t>(p.n),
               k = static_cast<std::size_t>(p.k);
    got.push_back(gpu::kernel_array(p.name, run_faulty_gemm(fault, {m, n, k, a, x, k, n}), {p.m, p.n}));
  }
  return kernel.judge(seed, got);
}

// The second matrix by a kernel with a fault: by wgmma the first one has more stages than the ring, and without its
// waits the second round is a deadlock.
CaseResult judged_blocks(Bf16Fault fault, gpu::BsrKernel by, std::int64_t side) {
  const JudgedKernel kernel =
      kernel_named(std::string("spmm/bsr_bf16_") + (by == gpu::BsrKernel::mma ? "mma" : "wgmma") +
                   " arch=sm_90a blocks=" + std::to_string(side));
  gpu::KernelArrays got = kernel.predicted(seed);
  const gpu::BlockProblem p = gpu::block_problems(seed).at(1);
  const sparse::Bsr<float> blocks = sparse::bsr_from_csr(p.a, side, side);
  const std::vector<std::uint16_t> values = words_and_room(blocks.values), x = words_and_room(p.x);
  constexpr auto n = static_cast<std::size_t>(gpu::BlockProblem::n);
  const gpu::SpmmBsrBf16Problem problem{
      .a = blocks.structure, .values = values, .n = n, .x = x, .x_stride = n, .multiprocessors = 2};
  got.at(1) =
      gpu::kernel_array(p.name, run_faulty_spmm(fault, by, problem), {p.a.rows(), gpu::BlockProblem::n});
  return kernel.judge(seed, got);
}

void require_failed(const CaseResult& result, const std::string& what, const std::string& part) {
  const std::string text = text_of(result);
  BOOST_TEST((result.status == Status::failed), what << ": " << text);
  BOOST_TEST(result.mismatches > 0U, what);
  BOOST_TEST(text.find(part) != std::string::npos, what << ": " << text);
}
// And the element that is furthest off is named.
void require_refused(const CaseResult& result, const std::string& what, const std::string& product) {
  require_failed(result, what, product + ", by the");
  BOOST_TEST((result.comparison && result.comparison->worst), what);
}

}  // namespace

// A transposed fragment, a stale buffer, a tail, another order of the chunks of k, sums in bfloat16.
BOOST_AUTO_TEST_CASE(the_judge_of_suite_cuda_refuses_planted_products_on_tensor_cores) {
  const bf16_products::Imitated imitated("sm_90");
  BOOST_TEST((judged_gemms(Bf16Fault::none).status == Status::passed));
  for (const NamedBf16Fault& fault : bf16_faults)
    require_refused(judged_gemms(fault.fault), std::string("gemm, ") + fault.name, "");
  for (const auto& [by, side] :
       {std::pair{gpu::BsrKernel::mma, 16}, {gpu::BsrKernel::mma, 64}, {gpu::BsrKernel::wgmma, 64}}) {
    BOOST_TEST((judged_blocks(Bf16Fault::none, by, side).status == Status::passed));
    for (const NamedBf16Fault& fault : bf16_faults)
      require_refused(judged_blocks(fault.fault, by, side),
                      "blocks of " + std::to_string(side) + ", " + fault.name, "blocks_of_8_rows");
  }
}

// In one layer, whatever the order of the threads.
BOOST_AUTO_TEST_CASE(the_judge_of_suite_cuda_refuses_planted_sparse_inference) {
  using test::SpdnnPlant;
  const JudgedKernel kernel = kernel_named("spdnn/layer_tiled network=stages");
  const gpu::SpdnnProblem p = gpu::spdnn_problem("stages", seed);
  const networks::Layer& layer = p.network.layers.front();
  const auto judged = [&](SpdnnPlant plant) {
    return kernel.judge(seed, gpu::spdnn_arrays(test::run_planted(layer, p.rows(), plant), layer.outputs()));
  };
  BOOST_TEST((judged(SpdnnPlant::none).status == Status::passed));
  for (const SpdnnPlant plant :
       {SpdnnPlant::two_roundings, SpdnnPlant::descending, SpdnnPlant::stages_swapped, SpdnnPlant::no_tail,
        SpdnnPlant::bias_first, SpdnnPlant::wrong_lane, SpdnnPlant::bf16_sum})
    require_failed(judged(plant), "mistake " + std::to_string(static_cast<int>(plant)), "outputs[");
  // Rows whose last outputs were all that was not zero would be in no category.
  gpu::KernelArrays fewer = kernel.predicted(seed);
  fewer[0].set_code(2, fewer[0].code(2) + 1);
  require_failed(kernel.judge(seed, fewer), "another category", "categories[2]");
}

// Rows die in every layer of "dying", and some live to the end.
BOOST_AUTO_TEST_CASE(a_case_of_suite_cuda_loses_rows_on_the_way) {
  const gpu::SpdnnProblem p = gpu::spdnn_problem("dying", seed);
  std::size_t before = p.images;
  networks::Network network;
  for (const networks::Layer& layer : p.network.layers) {
    network.layers.push_back(layer);
    const spdnn::Plan plan(spdnn::kernel_named("csr_scalar"), network, {spdnn::Cut::zero_rows});
    const std::size_t alive = spdnn::execute(plan, p.rows(), {}).categories.size();
    BOOST_TEST(alive < before);
    before = alive;
  }
  BOOST_TEST(before > 0U);
}
