// SpMM and SDDMM: the bits of the library's contract.
#include <cstdint>
#include <vector>

#include "gpu/cases/csr_cases.hpp"
#include "validation/suites/cuda/judged_kernel.hpp"
#include "validation/suites/sparse_bf16.hpp"
#include "validation/suites/sparse_problems.hpp"

namespace assay::suites::cuda {
namespace {

using sparse::SamplePattern;

io::Array matrix_of(const std::vector<float>& values, std::int64_t rows, std::int64_t cols) {
  return to_io_array(gpu::kernel_array("", values, {rows, cols}));
}

std::vector<JudgedProduct> spmm_f32(const SamplePattern& p, std::uint64_t seed) {
  const io::SparseArray a = sparse_array(matrix(p, seed));
  std::vector<JudgedProduct> products;
  for (const gpu::SpmmProblem& o : gpu::spmm_problems(p, false, seed)) {
    JudgedProduct one{.name = o.name, .bits_alone = p.wild};
    judge::Request& r = one.request;
    r.operation = "spmm";
    r.sparse = a;
    r.b = matrix_of(o.x, p.cols, o.n);
    if (o.joined) {
      r.c = matrix_of(o.c, p.rows, o.n);
      r.bias = to_io_array(gpu::kernel_array("", o.bias, {p.rows}));
      r.alpha = "-0.75";
      r.beta = "0.5";
      static_assert(gpu::SpmmProblem::alpha == -0.75F && gpu::SpmmProblem::beta == 0.5F);
      r.activation = "relu";
      r.bias_along = "rows";
      r.given = {"c", "bias", "alpha", "beta", "activation", "bias-along"};
    }
    products.push_back(std::move(one));
  }
  return products;
}

std::vector<JudgedProduct> spmm_bf16(const SamplePattern& p, std::uint64_t seed) {
  const sparse::Csr<float> a = matrix(p, seed);
  io::SparseArray narrow = sparse_array(a);
  narrow.values = rounded(narrow.values);
  std::vector<JudgedProduct> products;
  for (const gpu::SpmmProblem& o : gpu::spmm_problems(p, true, seed)) {
    JudgedProduct one{.name = o.name, .bits_alone = p.wild};
    const io::Array x = matrix_of(o.x, p.cols, o.n);
    one.request.operation = "spmm";
    one.request.sparse = narrow;
    one.request.b = rounded(x);
    one.distance = [a, x](std::span<const float> got, RoundingDistance& distance) {
      measure_distance(a, x, got, distance);
    };
    products.push_back(std::move(one));
  }
  return products;
}

std::vector<JudgedProduct> sddmm_f32(const SamplePattern& p, std::uint64_t seed) {
  const io::SparseArray mask = sparse_array(matrix(p, seed));
  std::vector<JudgedProduct> products;
  for (const gpu::SddmmProblem& o : gpu::sddmm_problems(p, seed)) {
    JudgedProduct one{.name = o.name, .bits_alone = p.wild};
    judge::Request& r = one.request;
    r.operation = "sddmm";
    r.sparse = mask;
    r.a = matrix_of(o.a, p.rows, o.k);
    r.b = o.b_is_turned ? matrix_of(o.b, p.cols, o.k) : matrix_of(o.b, o.k, p.cols);
    r.transpose_b = o.b_is_turned;
    if (o.b_is_turned) r.given.insert("transpose-b");
    products.push_back(std::move(one));
  }
  return products;
}

}  // namespace

std::vector<JudgedKernel> judged_csr() {
  constexpr const char *contract = "chain_f32_fused", *text = "the contract chain_f32_fused";
  std::vector<JudgedKernel> all;
  for (const SamplePattern& p : sparse::sample_patterns()) {
    all.push_back(judged_products(gpu::spmm_f32_case(p), contract, text,
                                  [&p](std::uint64_t seed) { return spmm_f32(p, seed); }));
    all.push_back(judged_products(gpu::spmm_bf16_case(p), contract, text,
                                  [&p](std::uint64_t seed) { return spmm_bf16(p, seed); }));
    all.push_back(judged_products(gpu::sddmm_f32_case(p), contract, text,
                                  [&p](std::uint64_t seed) { return sddmm_f32(p, seed); }));
  }
  return all;
}

}  // namespace assay::suites::cuda
