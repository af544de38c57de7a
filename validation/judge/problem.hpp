// What somebody's code is asked for: a sum, a mean, a dot product or a matrix product of given shape and formats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/formats/formats.hpp"

namespace assay::judge {

enum class SumOperation : std::uint8_t {
  sum,   // of k values of A
  mean,  // their sum divided by k
  dot,   // of two vectors of k values
  gemm,  // m x k by k x n, row-major
};
std::string_view operation_name(SumOperation operation);
SumOperation parse_operation(std::string_view name);  // InputError

struct Problem {
  SumOperation operation = SumOperation::dot;
  std::size_t m = 1, n = 1, k = 0;  // m and n of gemm alone
  FormatSpec a = formats::float32, b = formats::float32, output = formats::float32;
  std::optional<FormatSpec> c{};  // gemm with an addend: D = alpha A B + beta C, m x n
  double alpha = 1, beta = 1;     // of gemm; beta counts where there is a C
  int threads = 0;                // 0: as the program decides
  int offset = 0;                 // bytes between a multiple of 64 and each operand's first

  bool has_b() const { return operation == SumOperation::dot || operation == SumOperation::gemm; }
  std::size_t outputs() const { return operation == SumOperation::gemm ? m * n : 1; }
  std::size_t a_size() const { return operation == SumOperation::gemm ? m * k : k; }
  std::size_t b_size() const { return !has_b() ? 0 : operation == SumOperation::gemm ? k * n : k; }
  std::size_t c_size() const { return c ? outputs() : 0; }
  // Of which term element i of A (operand 0) or B (1) is a factor, and in which row of A or column of B it stands.
  std::size_t term_of(std::size_t i, int operand) const {
    if (operation != SumOperation::gemm) return i;
    return operand == 0 ? i % k : i / n;
  }
  std::size_t line_of(std::size_t i, int operand) const {
    if (operation != SumOperation::gemm) return 0;
    return operand == 0 ? i / k : i % n;
  }
  bool adds_c() const { return c && beta != 0; }  // else D depends on C by its NaN at most
  bool scaled() const { return alpha != 1 || (c && beta != 1); }
  friend bool operator==(const Problem&, const Problem&) = default;
};
std::string to_string(const Problem& problem);  // "gemm m=4 n=4 k=64 a=float32 b=float32 output=float32"
// InputError if a size is zero or too large to be asked for, C, alpha or beta stand where none can, alpha is 0 (then
// nothing is summed), or one of them is no number.
void check_problem(const Problem& problem);

// alpha or beta as a program takes it: rounded to float64 where A or the result is, else to float32.
double scale_of(const Problem& problem, double typed);
// The same problem with powers of two for alpha and beta, each of the same sign and on the same side of 1, and 1 and 0
// as they are: all of a probe's sums stay exact, and a program that branches at 1 or 0 takes the same way.
Problem with_even_scales(Problem problem);

// Codes of one output's operands: row of A, column of B, C.
struct SumOperands {
  std::vector<std::byte> a, b;
  std::uint64_t c = 0;
};

}  // namespace assay::judge
