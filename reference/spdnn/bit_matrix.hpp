// Rows of bits: the challenge's inputs, one image a row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace assay::spdnn {

// Some rows of a BitMatrix. Bit j of row i is bit j % 64 of word j / 64 of the row; bits behind the last column are 0.
struct BitRows {
  const std::uint64_t* words = nullptr;
  std::size_t rows = 0, cols = 0, words_per_row = 0;

  std::span<const std::uint64_t> row(std::size_t i) const {
    return {words + i * words_per_row, words_per_row};
  }
  bool test(std::size_t i, std::size_t j) const { return (row(i)[j / 64] >> (j % 64) & 1) != 0; }
};

class BitMatrix {
 public:
  BitMatrix() = default;
  BitMatrix(std::size_t rows, std::size_t cols)
      : rows_(rows), cols_(cols), words_per_row_((cols + 63) / 64), words_(rows * words_per_row_) {}

  static std::uint64_t bytes(std::size_t rows, std::size_t cols) {
    return std::uint64_t{rows} * ((cols + 63) / 64) * 8;
  }

  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  bool test(std::size_t i, std::size_t j) const { return view().test(i, j); }
  void set(std::size_t i, std::size_t j) { word(i, j) |= std::uint64_t{1} << (j % 64); }
  // The word that holds a bit, for writers that share it between threads.
  std::uint64_t& word(std::size_t i, std::size_t j) { return words_[i * words_per_row_ + j / 64]; }
  void append_rows(std::size_t n) {
    rows_ += n;
    words_.resize(rows_ * words_per_row_);
  }

  BitRows view() const { return first(rows_); }
  // The first `n` rows, or all if there are fewer.
  BitRows first(std::size_t n) const { return {words_.data(), n < rows_ ? n : rows_, cols_, words_per_row_}; }
  std::uint64_t count() const;  // of set bits

  friend bool operator==(const BitMatrix&, const BitMatrix&) = default;

 private:
  std::size_t rows_ = 0, cols_ = 0, words_per_row_ = 0;
  std::vector<std::uint64_t> words_;
};

}  // namespace assay::spdnn
