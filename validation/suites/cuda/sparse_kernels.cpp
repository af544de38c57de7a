// SpMM, SDDMM and the conversion to bfloat16: the bits of the library's contracts, on the matrices of suite `sparse`.
#include <fmt/format.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "gpu/kernels/convert_bf16_run.hpp"
#include "gpu/kernels/sddmm_csr_run.hpp"
#include "gpu/kernels/spmm_csr_run.hpp"
#include "reference/formats/convert.hpp"
#include "validation/suites/arithmetics.hpp"
#include "validation/suites/cuda/kernel_cases.hpp"
#include "validation/suites/expectations.hpp"
#include "validation/suites/sparse_bf16.hpp"
#include "validation/suites/sparse_problems.hpp"

namespace assay::suites::cuda {
namespace {

constexpr const char* chain_bits =
    "the contract chain_f32_fused, bit for bit, and the exact result with its bound";

const Arithmetic& chain() { return arithmetics().find("chain_f32_fused"); }

template <class T>
gpu::HostMatrix<const T> matrix_of(const std::vector<T>& values, std::int64_t rows, std::int64_t cols) {
  return {values.data(), rows, cols, cols};
}
gpu::HostMatrix<const float> matrix_of(const io::Array& x) {
  return {x.as<float>().data(), x.shape[0], x.shape[1], x.shape[1]};
}
gpu::HostMatrix<float> result_of(io::Array& y) {
  return {y.as<float>().data(), y.shape[0], y.shape[1], y.shape[1]};
}

// Columns around a warp's, whole vectors and not.
constexpr std::int64_t column_counts[] = {1, 7, 32, 65, 128};

CaseResult spmm_f32(const Pattern& p, std::uint64_t seed) {
  const sparse::Csr<float> a = matrix(p, seed);
  Tally tally(chain_bits);
  for (const std::int64_t n : column_counts) {
    for (const bool joined : {false, true}) {
      judge::Request r;
      r.operation = "spmm";
      r.sparse = sparse_array(a);
      r.b = dense(p, p.cols, n, seed, 4);
      r.got = io::make_array(formats::float32, {p.rows, n});
      gpu::SpmmCsrProblem<float, float, float> problem{a.structure, a.values, matrix_of(*r.b),
                                                       result_of(r.got)};
      if (joined) {
        r.c = dense(p, p.rows, n, seed, 5);
        r.bias = vector(p, p.rows, seed, 6);
        r.alpha = "-0.75";
        r.beta = "0.5";
        r.activation = "relu";
        r.bias_along = "rows";
        r.given = {"c", "bias", "alpha", "beta", "activation", "bias-along"};
        problem.c = matrix_of(*r.c);
        problem.extras = {.alpha = -0.75F,
                          .beta = 0.5F,
                          .bias_along = sparse::SpmmBias::rows,
                          .bias = r.bias->as<float>(),
                          .activation = sparse::SpmmActivation::relu};
        problem.sorts_rows = true;
      }
      gpu::run_spmm_csr(problem);
      judge_product(std::move(r), chain(), p,
                    fmt::format("n={}{}", n, joined ? ", with alpha, beta C, bias and ReLU" : ""), tally);
    }
  }
  return tally.result();
}

CaseResult spmm_bf16(const Pattern& p, std::uint64_t seed) {
  const sparse::Csr<float> full = matrix(p, seed);
  io::SparseArray narrow = sparse_array(full);
  narrow.values = rounded(narrow.values);
  const std::vector<bf16_t> values = codes_of(narrow.values);
  Tally tally(chain_bits);
  RoundingDistance distance;
  for (const std::int64_t n : column_counts) {
    const io::Array x = dense(p, p.cols, n, seed, 4);
    judge::Request r;
    r.operation = "spmm";
    r.sparse = narrow;
    r.b = rounded(x);
    r.got = io::make_array(formats::float32, {p.rows, n});
    const std::vector<bf16_t> codes = codes_of(*r.b);
    gpu::run_spmm_csr(gpu::SpmmCsrProblem<bf16_t, bf16_t, float>{
        full.structure, values, matrix_of(codes, p.cols, n), result_of(r.got)});
    if (!p.wild) measure_distance(full, x, r.got.as<float>(), distance);
    judge_product(std::move(r), chain(), p, fmt::format("n={}", n), tally);
  }
  if (!p.wild) tally.say(distance.text());
  if (!p.wild && !distance.within_bound())
    tally.fail("rounding of the operands does not explain the distance from float32", distance.text());
  return tally.result();
}

CaseResult sddmm_f32(const Pattern& p, std::uint64_t seed) {
  const sparse::Csr<float> mask = matrix(p, seed);
  Tally tally(chain_bits);
  for (const std::int64_t k : {std::int64_t{1}, std::int64_t{33}, std::int64_t{64}}) {
    for (const bool turned : {false, true}) {
      judge::Request r;
      r.operation = "sddmm";
      r.sparse = sparse_array(mask);
      r.a = dense(p, p.rows, k, seed, 7);
      r.b = turned ? dense(p, p.cols, k, seed, 8) : dense(p, k, p.cols, seed, 8);
      r.transpose_b = turned;
      if (turned) r.given.insert("transpose-b");
      r.got = io::make_array(formats::float32, {mask.structure.nnz()});
      gpu::run_sddmm_csr(gpu::SddmmCsrProblem<float>{.mask = mask.structure,
                                                     .a = matrix_of(*r.a),
                                                     .b = matrix_of(*r.b),
                                                     .b_is_turned = turned,
                                                     .out = r.got.as<float>()});
      judge_product(std::move(r), chain(), p, fmt::format("k={}{}", k, turned ? ", B n x k" : ""), tally);
    }
  }
  return tally.result();
}

CaseResult convert(Rounding rounding, std::uint64_t seed) {
  constexpr Pattern wild{"numbers", 1, 1, true};
  Expectations all("the library's conversion, code for code", "codes differ from the library's");
  for (const std::int64_t n : {std::int64_t{1}, std::int64_t{31}, std::int64_t{5000}}) {
    const io::Array x = vector(wild, n, seed, 3);
    const auto from = x.as<float>();
    std::vector<bf16_t> want(from.size());
    convert_array<bf16_t>(from, want, {.rounding = rounding, .seed = seed});
    const std::vector<bf16_t> got = gpu::run_convert_bf16(from, {.rounding = rounding, .seed = seed});
    for (std::size_t i = 0; i < want.size(); ++i) {
      all.expect(got[i] == want[i], [&] {
        return fmt::format("element {} of {}: 0x{:04x}, not 0x{:04x}", i, n, got[i].code, want[i].code);
      });
    }
  }
  return std::move(all.result());
}

}  // namespace

std::vector<KernelCase> sparse_cases() {
  std::vector<KernelCase> cases;
  for (const Pattern& p : sparse_patterns()) {
    const std::vector<std::pair<std::string, std::string>> of_pattern{{"matrix", std::string(p.name)}};
    cases.push_back({"spmm/csr_f32", of_pattern, [&p](std::uint64_t seed) { return spmm_f32(p, seed); }});
    cases.push_back({"spmm/csr_bf16", of_pattern, [&p](std::uint64_t seed) { return spmm_bf16(p, seed); }});
    cases.push_back({"sddmm/csr_f32", of_pattern, [&p](std::uint64_t seed) { return sddmm_f32(p, seed); }});
  }
  constexpr std::pair<const char*, Rounding> roundings[] = {{"nearest-even", Rounding::nearest_even},
                                                            {"toward-zero", Rounding::toward_zero},
                                                            {"stochastic", Rounding::stochastic}};
  for (const auto& [name, rounding] : roundings)
    cases.push_back({"convert/f32_bf16", {{"rounding", name}}, [rounding = rounding](std::uint64_t seed) {
                       return convert(rounding, seed);
                     }});
  return cases;
}

}  // namespace assay::suites::cuda
