// Bitmap-compressed rows: a bit for each place of a row, and the values of the places whose bit is set.
//
// Source: SparAMX (arXiv 2502.12444) and EIE's successors store weights so. Beside the values it takes cols / 8 bytes a
// row, less than CSR's 4 bytes an entry above a density of 1/32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "reference/sparse/csr.hpp"

namespace assay::sparse {

// Bit j % 64 of word i * words + j / 64 is set where row i has an entry in column j; bits beyond the columns are 0. The
// values of row i, in ascending order of columns, begin at row_offsets[i].
struct BitmapView {
  std::int64_t rows = 0, cols = 0;
  std::span<const std::int64_t> row_offsets{};  // rows + 1
  std::span<const std::uint64_t> bits{};        // rows * words()

  std::int64_t words() const { return cols / 64 + (cols % 64 == 0 ? 0 : 1); }  // of a row
  std::int64_t nnz() const { return row_offsets.empty() ? 0 : row_offsets.back(); }
  std::int64_t row_begin(std::int64_t i) const { return row_offsets[static_cast<std::size_t>(i)]; }
  std::span<const std::uint64_t> row_bits(std::int64_t i) const {
    return bits.subspan(static_cast<std::size_t>(i * words()), static_cast<std::size_t>(words()));
  }
};

// The same, owning.
struct BitmapStructure {
  std::int64_t rows = 0, cols = 0;
  std::vector<std::int64_t> row_offsets{0};
  std::vector<std::uint64_t> bits{};

  BitmapView view() const { return {rows, cols, row_offsets, bits}; }
  operator BitmapView() const { return view(); }
  std::int64_t nnz() const { return view().nnz(); }

  friend bool operator==(const BitmapStructure&, const BitmapStructure&) = default;
};

template <class T>
using Bitmap = Matrix<BitmapStructure, T>;

// ContractError unless there are words for every row, no bit beyond the columns, and as many bits in each row as its
// offsets say.
void check(const BitmapView& a);
void check_value_count(const BitmapView& a, std::size_t values);

// `a` must pass check(): ascending columns. ContractError if 64 bits do not count the words.
BitmapStructure bitmap_from_csr(const CsrView& a);
CsrStructure csr_from_bitmap(const BitmapView& a);

// Entries stand in the same order in both: values are taken as they are.
template <class T>
Bitmap<T> bitmap_from_csr(const Csr<T>& a) {
  return {bitmap_from_csr(a.structure.view()), a.values};
}
template <class T>
Csr<T> csr_from_bitmap(const Bitmap<T>& a) {
  return {csr_from_bitmap(a.structure.view()), a.values};
}

}  // namespace assay::sparse
