// ELLPACK: every row has room for the same number of entries, so no offsets are stored.
//
// Source: Rice and Boisvert, "Solving Elliptic Problems Using ELLPACK" (1985); padding marked by column -1 as in
// cuSPARSE's Blocked-ELL.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "reference/sparse/csr.hpp"

namespace assay::sparse {

// Row-major: entry e of row i lies at i * width + e. Columns ascend; a row with fewer than `width` entries ends in
// padding: column -1, value +0. Padding is not an entry: it must not be multiplied (0 * Inf would make a NaN out of
// nothing).
struct EllView {
  static constexpr std::int32_t padding = -1;

  std::int64_t rows = 0, cols = 0, width = 0;
  std::span<const std::int32_t> column_indices{};  // slots()

  std::int64_t slots() const { return rows * width; }
  std::int64_t row_begin(std::int64_t i) const { return i * width; }
  // The entries of row i, without its padding.
  std::span<const std::int32_t> row_columns(std::int64_t i) const;
  std::int64_t row_length(std::int64_t i) const { return static_cast<std::int64_t>(row_columns(i).size()); }
  std::int64_t nnz() const;  // counts
};

// The same, owning.
struct EllStructure {
  static constexpr std::int32_t padding = EllView::padding;

  std::int64_t rows = 0, cols = 0, width = 0;
  std::vector<std::int32_t> column_indices{};

  EllView view() const { return {rows, cols, width, column_indices}; }
  operator EllView() const { return view(); }
  std::int64_t slots() const { return view().slots(); }
  std::int64_t row_begin(std::int64_t i) const { return view().row_begin(i); }
  std::int64_t row_length(std::int64_t i) const { return view().row_length(i); }
  std::span<const std::int32_t> row_columns(std::int64_t i) const { return view().row_columns(i); }
  std::int64_t nnz() const { return view().nnz(); }

  friend bool operator==(const EllStructure&, const EllStructure&) = default;
};

template <class T>
using Ell = Matrix<EllStructure, T>;  // padding has the value T{}

// ContractError unless the sizes are as above, columns ascend strictly in 0 .. cols - 1, and nothing follows padding.
void check(const EllView& a);
void check_value_count(const EllView& a, std::size_t values);

// The number of entries of the longest row: the least `width` that holds `a`.
std::int64_t longest_row(const CsrView& a);

// rows * width, what an array of ELL holds: to be known before memory is asked for, since one long row makes all rows
// long. ContractError if 64 bits do not hold it.
std::int64_t ell_slots(std::int64_t rows, std::int64_t width);

// Entries keep their order and their bits. `a` must pass check(); ContractError if a row does not fit `width`.
EllStructure ell_from_csr(const CsrView& a, std::int64_t width);
CsrStructure csr_from_ell(const EllView& a);

template <class T>
Ell<T> ell_from_csr(const Csr<T>& a, std::int64_t width) {
  Ell<T> out{ell_from_csr(a.structure.view(), width), {}};
  out.values.assign(static_cast<std::size_t>(out.structure.slots()), T{});
  for (std::int64_t i = 0; i < a.rows(); ++i)
    std::ranges::copy(a.row_values(i), out.values.begin() + out.structure.row_begin(i));
  return out;
}
template <class T>
Ell<T> ell_from_csr(const Csr<T>& a) {
  return ell_from_csr(a, longest_row(a.structure));
}

template <class T>
Csr<T> csr_from_ell(const Ell<T>& a) {
  Csr<T> out{csr_from_ell(a.structure.view()), {}};
  out.values.reserve(out.structure.column_indices.size());
  for (std::int64_t i = 0; i < a.rows(); ++i) {
    const auto values = a.row_values(i);
    out.values.insert(out.values.end(), values.begin(), values.end());
  }
  return out;
}

}  // namespace assay::sparse
