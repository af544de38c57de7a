// Compressed sparse row: the format that every other one converts from and to.
//
// Counts and offsets have 64 bits, column indices 32: a matrix may have more than 2^31 rows or entries, but no column
// beyond number 2^31 - 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reference/sparse/matrix.hpp"

namespace assay::sparse {

// A view of arrays as in cuSPARSE and Sputnik. Row i holds the entries row_offsets[i] .. row_offsets[i + 1] - 1. An
// entry that is stored and zero is an entry: it multiplies.
struct CsrView {
  std::int64_t rows = 0, cols = 0;
  std::span<const std::int64_t> row_offsets{};     // rows + 1
  std::span<const std::int32_t> column_indices{};  // nnz

  std::int64_t nnz() const { return row_offsets.empty() ? 0 : row_offsets.back(); }
  std::int64_t row_begin(std::int64_t i) const { return row_offsets[static_cast<std::size_t>(i)]; }
  std::int64_t row_length(std::int64_t i) const {
    return row_offsets[static_cast<std::size_t>(i) + 1] - row_offsets[static_cast<std::size_t>(i)];
  }
  std::span<const std::int32_t> row_columns(std::int64_t i) const {
    return column_indices.subspan(static_cast<std::size_t>(row_begin(i)),
                                  static_cast<std::size_t>(row_length(i)));
  }
};

// The same, owning.
struct CsrStructure {
  std::int64_t rows = 0, cols = 0;
  std::vector<std::int64_t> row_offsets{0};
  std::vector<std::int32_t> column_indices{};

  CsrView view() const { return {rows, cols, row_offsets, column_indices}; }
  operator CsrView() const { return view(); }
  std::int64_t nnz() const { return view().nnz(); }
  std::int64_t row_begin(std::int64_t i) const { return view().row_begin(i); }
  std::int64_t row_length(std::int64_t i) const { return view().row_length(i); }
  std::span<const std::int32_t> row_columns(std::int64_t i) const { return view().row_columns(i); }
  void end_row() { row_offsets.push_back(static_cast<std::int64_t>(column_indices.size())); }

  friend bool operator==(const CsrStructure&, const CsrStructure&) = default;
};

template <class T>
using Csr = Matrix<CsrStructure, T>;

// How the columns of a row stand: `ascending` is sorted and without repeats; `stored` is as a file has them, and a
// column that repeats is a term of its own.
enum class ColumnOrder : std::uint8_t { ascending, stored };

// What is wrong with a structure, as data: check() words it for a caller, a reader of files for a person.
struct CsrDefect {
  enum class Kind : std::uint8_t {
    shape,           // found x limit, one of them negative
    offset_count,    // found offsets, limit are needed
    first_offset,    // found, not 0
    falling_offset,  // row `row` ends at found, begins at limit
    last_offset,     // found, but limit entries
    column_range,    // entry `entry` of row `row` has column found, limit columns
    column_order,    // entry `entry` of row `row` has column found after column limit
  };
  Kind kind{};
  std::int64_t row = 0, entry = 0;
  std::int64_t found = 0, limit = 0;
};
// The first defect in the order of the kinds above, but ranges and order of columns entry by entry.
std::optional<CsrDefect> first_defect(const CsrView& a, ColumnOrder order = ColumnOrder::ascending);
// The shape and the offsets alone.
std::optional<CsrDefect> first_offset_defect(const CsrView& a);

// ContractError, with the row and the values, unless the sizes are as above, offsets start at 0 and do not fall, and
// columns lie in 0 .. cols - 1 in the order asked for.
void check(const CsrView& a, ColumnOrder order = ColumnOrder::ascending);
void check_value_count(const CsrView& a, std::size_t values);

// A structure by rows from entries in any order: those of one row keep the order in which they come.
//   walk(f)           calls f(row, column, value) for every entry, twice in all; `value` is a number for place()
//   place(at, value)  entry number `at` of the result is the one with that number
// Rows and columns must lie within the shape.
template <class Walk, class Place>
CsrStructure csr_from_entries(std::int64_t rows, std::int64_t cols, const Walk& walk, const Place& place) {
  CsrStructure out{rows, cols, std::vector<std::int64_t>(static_cast<std::size_t>(rows) + 1, 0), {}};
  std::vector<std::int64_t>& offsets = out.row_offsets;
  walk([&](std::int64_t row, std::int64_t, std::size_t) { ++offsets[static_cast<std::size_t>(row) + 1]; });
  for (std::size_t i = 1; i < offsets.size(); ++i) offsets[i] += offsets[i - 1];
  out.column_indices.resize(static_cast<std::size_t>(offsets.back()));
  // offsets[i] serves as the place of the next entry of row i, and so ends as offsets[i + 1] began.
  walk([&](std::int64_t row, std::int64_t column, std::size_t value) {
    const auto at = static_cast<std::size_t>(offsets[static_cast<std::size_t>(row)]++);
    out.column_indices[at] = static_cast<std::int32_t>(column);
    place(at, value);
  });
  for (std::size_t i = offsets.size() - 1; i > 0; --i) offsets[i] = offsets[i - 1];
  offsets[0] = 0;
  return out;
}

// Entries of a row of the result stand in ascending order of the rows of `a`, values unchanged. `a` must pass check()
// in either order of its columns. ContractError for more than 2^31 rows: they become columns.
template <class T>
Csr<T> transpose(const Csr<T>& a);

template <class T>
Csr<T> csr_from_csr(const Csr<T>& a) {
  return a;
}

// The walk of csr_from_entries() over the transpose.
template <class F>
void for_each_transposed(const CsrView& a, const F& f) {
  for (std::int64_t i = 0; i < a.rows; ++i) {
    auto value = static_cast<std::size_t>(a.row_begin(i));
    for (const std::int32_t column : a.row_columns(i)) f(std::int64_t{column}, i, value++);
  }
}

void check_transposable(const CsrView& a);

template <class T>
Csr<T> transpose(const Csr<T>& a) {
  check_transposable(a.structure);
  Csr<T> t{{}, std::vector<T>(a.values.size())};
  t.structure = csr_from_entries(
      a.cols(), a.rows(), [&](const auto& f) { for_each_transposed(a.structure, f); },
      [&](std::size_t at, std::size_t value) { t.values[at] = a.values[value]; });
  return t;
}

}  // namespace assay::sparse
