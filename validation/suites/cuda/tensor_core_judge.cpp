// Dense and block-sparse products in bfloat16 on tensor cores: the bits that the GPU's unit is predicted to give.
#include <cstdint>
#include <cstring>
#include <vector>

#include "gpu/cases/tensor_core_cases.hpp"
#include "validation/suites/cuda/judged_kernel.hpp"
#include "validation/suites/sparse_bf16.hpp"
#include "validation/suites/sparse_problems.hpp"

namespace assay::suites::cuda {
namespace {

// Of A X in full precision, for the distance: all places of A.
sparse::Csr<float> dense_csr(const gpu::GemmProblem& p) {
  sparse::Csr<float> out;
  out.structure.rows = p.m;
  out.structure.cols = p.k;
  for (std::int32_t i = 0; i < p.m; ++i) {
    for (std::int32_t j = 0; j < p.k; ++j) out.structure.column_indices.push_back(j);
    out.structure.end_row();
  }
  out.values = p.a;
  return out;
}

// K as whole instructions have it: zeros behind the last column of A and row of X.
io::Array with_whole_chunks(const io::Array& x, bool columns) {
  constexpr std::int64_t chunk = 16;
  const std::int64_t k = x.shape[columns ? 1 : 0], whole = (k + chunk - 1) / chunk * chunk;
  io::Array out = io::make_array(formats::bfloat16,
                                 columns ? io::Shape{x.shape[0], whole} : io::Shape{whole, x.shape[1]});
  for (std::int64_t i = 0; i < x.shape[0]; ++i)
    std::memcpy(&out.bytes[static_cast<std::size_t>(i * out.shape[1]) * 2],
                &x.bytes[static_cast<std::size_t>(i * x.shape[1]) * 2],
                static_cast<std::size_t>(x.shape[1]) * 2);
  return out;
}

// `a` and `x` in bfloat16; `full` and `full_x` what they were rounded from.
JudgedProduct product(const std::string& name, const io::Array& a, const io::Array& x,
                      const sparse::Csr<float>& full, const io::Array& full_x) {
  JudgedProduct one{.name = name};
  one.request.operation = "gemm";
  one.request.a = with_whole_chunks(a, true);
  one.request.b = with_whole_chunks(x, false);
  one.distance = [full, full_x](std::span<const float> got, RoundingDistance& distance) {
    measure_distance(full, full_x, got, distance);
  };
  return one;
}

std::vector<JudgedProduct> gemms(std::uint64_t seed) {
  std::vector<JudgedProduct> products;
  for (const gpu::GemmProblem& p : gpu::gemm_problems(seed)) {
    const io::Array a = to_io_array(gpu::kernel_array("", p.a, {p.m, p.k})),
                    x = to_io_array(gpu::kernel_array("", p.x, {p.k, p.n}));
    products.push_back(product(p.name, rounded(a), rounded(x), dense_csr(p), x));
  }
  return products;
}

std::vector<JudgedProduct> blocks(std::uint64_t seed) {
  std::vector<JudgedProduct> products;
  for (const gpu::BlockProblem& p : gpu::block_problems(seed)) {
    sparse::Csr<bf16_t> narrow{p.a.structure, {}};
    for (const float value : p.a.values) narrow.values.push_back(bf16_t(value));
    const io::Array x = to_io_array(gpu::kernel_array("", p.x, {p.a.cols(), gpu::BlockProblem::n}));
    products.push_back(product(p.name, expanded(narrow), rounded(x), p.a, x));
  }
  return products;
}

}  // namespace

std::vector<JudgedKernel> judged_tensor_cores(const gpu::CaseGpu& gpu) {
  const std::string unit = gpu::bf16_unit(gpu), contract = "the unit " + unit;
  std::vector<JudgedKernel> all{judged_products(gpu::gemm_bf16_case(gpu), unit, contract, gemms)};
  for (const gpu::BsrKernel kernel : {gpu::BsrKernel::mma, gpu::BsrKernel::wgmma}) {
    if (kernel == gpu::BsrKernel::wgmma && !gpu.has_wgmma) continue;
    for (const std::int64_t side : gpu::block_sides(kernel))
      all.push_back(judged_products(gpu::bsr_bf16_case(gpu, kernel, side), unit, contract, blocks));
  }
  for (JudgedKernel& one : all) one.gpu = gpu;
  return all;
}

}  // namespace assay::suites::cuda
