#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "validation/judge/request.hpp"
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

assay::io::Array matrix(const std::vector<float>& values, std::int64_t rows, std::int64_t cols) {
  assay::io::Array array = assay::io::make_array(assay::formats::float32, {rows, cols});
  std::copy(values.begin(), values.end(), array.as<float>().begin());
  return array;
}

int main(int argc, char** argv) {
  std::vector<float> a(m * k), b(k * n), d(m * n);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i * 37 % 101) / 101 - 0.5F;
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i * 53 % 103) / 103 - 0.5F;
  my_gemm(a.data(), b.data(), d.data(), argc > 1 ? std::stoul(argv[1]) : k);

  // Sums in float32, in any order: how far from the exact result may they end?
  assay::judge::Request question{.operation = "gemm"};
  question.a = matrix(a, m, k);
  question.b = matrix(b, k, n);
  question.got = matrix(d, m, n);
  question.policy = assay::compare::find_policy(assay::compare::default_policies(), "bound", "my gemm");
  const auto comparison = assay::judge::check(std::move(question)).comparison;

  const auto status = assay::result_of(comparison).status;
  std::puts(assay::comparison_headline(assay::status_name(status), "my gemm", comparison).c_str());
  for (const std::string& line : assay::comparison_lines(comparison)) std::printf("  %s\n", line.c_str());
  return status == assay::Status::passed ? 0 : 1;
}
