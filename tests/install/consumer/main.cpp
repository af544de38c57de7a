#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include "reference/exact/chain.hpp"
#include "reference/operations/gemm.hpp"
#include "validation/compare/comparator.hpp"
#include "validation/report/comparison_report.hpp"
#include "validation/report/result.hpp"

constexpr std::size_t m = 64, n = 33, k = 96;

// Your kernel: D = A B. With a tail below k it leaves terms out of the last column.
void my_gemm(const float* a, const float* b, float* d, std::size_t tail) {
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      float sum = 0;
      for (std::size_t p = 0; p < (j == n - 1 ? tail : k); ++p) sum += a[i * k + p] * b[p * n + j];
      d[i * n + j] = sum;
    }
  }
}

int main(int argc, char** argv) {
  std::vector<float> a(m * k), b(k * n), d(m * n);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i * 37 % 101) / 101 - 0.5F;
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i * 53 % 103) / 103 - 0.5F;
  my_gemm(a.data(), b.data(), d.data(), argc > 1 ? std::stoul(argv[1]) : k);

  // The exact result of every element, and how far float32 sums may end from it, whatever their order.
  assay::GemmProblem problem;
  problem.a = assay::code_matrix(a.data(), m, k);
  problem.b = assay::code_matrix(b.data(), k, n);
  const auto sums = assay::make_chain({.name = "float32 sums"});
  std::vector<float> nearest(m * n);
  std::vector<double> exact(m * n), bound(m * n);
  for (std::size_t i = 0; i < m * n; ++i) {
    const auto truth = assay::gemm_truth(*sums, problem, assay::formats::float32, 0, i / n, i % n);
    exact[i] =
        assay::decode(assay::encode(truth.exact, assay::formats::float64).code, assay::formats::float64);
    nearest[i] = static_cast<float>(exact[i]);
    bound[i] = truth.bound;
  }

  assay::compare::Options options;
  options.policy = assay::compare::find_policy(assay::compare::default_policies(), "bound", "my gemm");
  const auto comparison = assay::compare::judge(
      {d.data(), assay::formats::float32, {m, n}},
      {.codes = {nearest.data(), assay::formats::float32, {m, n}}, .truth = exact, .bound = bound}, options);
  const auto status = assay::result_of(comparison).status;
  std::puts(assay::comparison_headline(assay::status_name(status), "my gemm", comparison).c_str());
  for (const std::string& line : assay::comparison_lines(comparison)) std::printf("  %s\n", line.c_str());
  return status == assay::Status::passed ? 0 : 1;
}
