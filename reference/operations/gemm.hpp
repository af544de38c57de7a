// D = activation(alpha op(A) op(B) + beta C + bias), for every matrix of a batch, under any arithmetic and in any
// formats.
//
// Numerics
//   order    each element is one dot product of a row of op(A) and a column of op(B) under `arithmetic`, terms in k
//            order as that arithmetic orders them, then the epilogue (epilogue.hpp). No element depends on another.
//   C        CPlace::after_sum: in the epilogue. CPlace::starts_chain: the dot product's c, as matrix units take it;
//            then alpha and beta must be 1 and C in the accumulator's format.
//   output   without alpha, beta, bias and activation, rounding nearest-even, the arithmetic rounds to D's format
//            itself if it gives that format; else it gives its default format and the epilogue rounds.
//   place    output [batch][i][j] is at place batch m n + i n + j for a stochastic arithmetic, unless `origin` says
//            where in a larger result it lies.
//   batch    matrices of one batch index, with their strides; a stride of 0 repeats a matrix.
//   k = 0    the sum is +0 (starts_chain: C).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "reference/exact/arithmetic.hpp"
#include "reference/exact/exact_gemm.hpp"
#include "reference/operations/epilogue.hpp"
#include "reference/operations/result_set.hpp"

namespace assay {

enum class CPlace : std::uint8_t { after_sum, starts_chain };
enum class BiasAlong : std::uint8_t { columns, rows };  // one value for each column of D, or for each row

struct GemmProblem {
  CodeMatrix a{};  // m x k, or k x m if transpose_a
  CodeMatrix b{};  // k x n, or n x k if transpose_b
  bool transpose_a = false, transpose_b = false;
  std::optional<CodeMatrix> c{};  // m x n
  CPlace c_place = CPlace::after_sum;
  std::optional<CodeVector> bias{};
  BiasAlong bias_along = BiasAlong::columns;
  Epilogue epilogue{};
  std::size_t batch = 1;
  std::ptrdiff_t a_batch_stride = 0, b_batch_stride = 0, c_batch_stride = 0,
                 d_batch_stride = 0;                                  // in elements
  std::ptrdiff_t a_scale_batch_stride = 0, b_scale_batch_stride = 0;  // in bytes
  // Where D[0][0][0] lies in the whole result, for stochastic arithmetics; batches are `origin_batch_stride` places
  // apart (0: m n, one after the other).
  OutputOrigin origin{};
  std::uint64_t origin_batch_stride = 0;

  std::size_t m() const { return transpose_a ? a.cols : a.rows; }
  std::size_t k() const { return transpose_a ? a.rows : a.cols; }
  std::size_t n() const { return transpose_b ? b.rows : b.cols; }
};

// ContractError, with the sizes, if the shapes do not match or the arithmetic does not take the formats. D's format
// is free: the epilogue rounds into it.
void gemm(const Arithmetic& arithmetic, const GemmProblem& problem, const MutableCodeMatrix& d);

// Truth and bound of D[batch][i][j].
ElementTruth gemm_truth(const Arithmetic& arithmetic, const GemmProblem& problem, const FormatSpec& output,
                        std::size_t batch, std::size_t i, std::size_t j);

// gemm_truth() of all elements of D[batch], the same values: rows of A and columns of B are read once for many of them.
// `factor` >= 1 loosens the bound; `threads` as in parallel_for().
class GemmTruths {
 public:
  // ContractError as gemm_truth(). The problem's views must live as long as this.
  GemmTruths(const Arithmetic& arithmetic, const GemmProblem& problem, const FormatSpec& output,
             std::size_t batch, double factor = 1, int threads = 0);

  // take(i, j, truth) for each element of rows [first, first + count), by several threads at once and in any order.
  using Take = std::function<void(std::size_t i, std::size_t j, const ElementTruth& truth)>;
  void rows(std::size_t first, std::size_t count, const Take& take) const;

 private:
  const Arithmetic& arithmetic_;
  GemmProblem one_;  // matrix `batch`, operands turned
  std::optional<CodeMatrix> start_, c_;
  FormatSpec output_;
  double factor_;
  int threads_;
  ExactGemm sums_;
};

}  // namespace assay
