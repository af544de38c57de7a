// The exact sums and magnitudes of every output of a matrix product, a tile at a time: what Arithmetic::exact() gives
// for each row of A and column of B.
//
// Numerics
//   as exact_sum.hpp. Where an arithmetic adds products of formats within float32 as they are (it has an
//   accumulation()), operands are read once a tile, and sums are taken by window_sums.hpp wherever the exponents of a
//   row and a column are near enough to each other. A row or a column of zeros of one sign needs none. All other
//   outputs (NaN, infinities, zeros of both signs, wide exponents) are left to exact().
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "reference/exact/arithmetic.hpp"
#include "reference/exact/code_view.hpp"
#include "reference/exact/float_reader.hpp"
#include "reference/exact/window_sums.hpp"

namespace assay {

// What holds for every product of two operands that are not zero.
struct ProductLimits {
  int last = 0;  // it is a multiple of 2^last
  int bits = 0;  // it has at most this many bits from its first to its last
};

struct GemmSum {
  ExactDot dot;
  std::optional<ProductLimits> limits{};  // where they are known; then some product is not zero
  bool all_zero = false;                  // no product is anything but zero
};

class ExactGemm {
 public:
  static constexpr std::size_t tile_size = 64;  // rows and columns of a tile at most

  struct Options {
    int threads = 0;                           // that look through the operands; 0: as OpenMP decides
    const WindowSumsKernel* kernel = nullptr;  // null: the best
    int unproven_bits = 0;  // for tests: windows are taken to be this much wider than window_parts() says
  };

  // A m x k, B k x n, `start` m x n in the arithmetic's accumulator. Views must live as long as this.
  ExactGemm(const Arithmetic& arithmetic, const CodeMatrix& a, const CodeMatrix& b,
            const std::optional<CodeMatrix>& start);
  ExactGemm(const Arithmetic& arithmetic, const CodeMatrix& a, const CodeMatrix& b,
            const std::optional<CodeMatrix>& start, const Options& options);

  // Memory of one thread: at most 512 KiB.
  class Workspace {
    friend class ExactGemm;
    std::vector<double> a, b, sums;
    std::vector<float> stretch;
  };
  using Take = std::function<void(std::size_t row, std::size_t col, const GemmSum& sum)>;
  // take() for each output of a tile, row by row. Any number of threads may ask, each with its own workspace.
  void tile(std::size_t first_row, std::size_t rows, std::size_t first_col, std::size_t cols,
            Workspace& space, const Take& take) const;

  // In how many parts the products of an output are summed; 0: by exact().
  int parts_of(std::size_t row, std::size_t col) const;

 private:
  // Of a row of A or a column of B.
  struct Span {
    int top = 0;   // every value is smaller than 2^top
    int last = 0;  // and a multiple of 2^last
    int bits = 0;  // of the longest significand
    bool finite = false;
    bool zero = true;                  // nothing else
    bool plus = false, minus = false;  // the signs among the values, those of zeros too
    bool usable() const { return finite && !zero; }
  };
  static Span span_of(const CodeVector& x, const FloatReader& reader, float* stretch);
  void pack(std::size_t first_row, std::size_t rows, std::size_t first_col, std::size_t cols,
            std::size_t begin, std::size_t depth, Workspace& space) const;
  void add_windows(std::size_t first_row, std::size_t rows, std::size_t first_col, std::size_t cols,
                   int parts, Workspace& space) const;
  double anchor(std::size_t row, std::size_t col, int part) const;
  GemmSum by_exact(std::size_t row, std::size_t col) const;
  // Where the row or the column is all zeros, and exact() need not be asked.
  std::optional<GemmSum> sum_of_zeros(std::size_t row, std::size_t col) const;
  // exact()'s last step: what the sum starts with.
  void add_start(std::size_t row, std::size_t col, ExactSum& value, ExactSum& magnitudes) const;

  const Arithmetic& arithmetic_;
  CodeMatrix a_, b_;
  std::optional<CodeMatrix> start_;
  const WindowSumsKernel* kernel_ = nullptr;
  int unproven_bits_ = 0;
  int terms_log2_ = 0;
  std::vector<Span> rows_, cols_;  // empty: no windows
  std::optional<FloatReader> read_a_, read_b_;
};

}  // namespace assay
