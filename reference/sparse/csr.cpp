#include "reference/sparse/csr.hpp"

#include <limits>

#include "reference/core/error.hpp"
#include "reference/core/narrow.hpp"
#include "reference/sparse/sparse_formats.hpp"

namespace assay::sparse {
namespace {

using std::to_string;
using Kind = CsrDefect::Kind;

CsrDefect defect(Kind kind, std::int64_t row, std::int64_t entry, std::int64_t found, std::int64_t limit) {
  return {.kind = kind, .row = row, .entry = entry, .found = found, .limit = limit};
}

std::string sentence(const CsrDefect& d) {
  const std::string row = "row " + to_string(d.row), found = to_string(d.found), limit = to_string(d.limit);
  switch (d.kind) {
    case Kind::shape: return "shape " + found + " x " + limit + " is negative";
    case Kind::offset_count:
      return found + " row offsets for " + to_string(d.limit - 1) + " rows; one more than rows is needed";
    case Kind::first_offset: return "the first row offset is " + found + ", not 0";
    case Kind::falling_offset: return row + " ends at " + found + ", before its begin at " + limit;
    case Kind::last_offset:
      return "the last row offset is " + found + ", but there are " + limit + " entries";
    case Kind::column_range: return row + " has column " + found + " outside 0.." + to_string(d.limit - 1);
    case Kind::column_order: break;
  }
  return row + " has column " + found + " after " + limit;
}

}  // namespace

std::optional<CsrDefect> first_offset_defect(const CsrView& a) {
  if (a.rows < 0 || a.cols < 0) return defect(Kind::shape, 0, 0, a.rows, a.cols);
  const auto offsets = static_cast<std::int64_t>(a.row_offsets.size());
  if (offsets - 1 != a.rows) return defect(Kind::offset_count, 0, 0, offsets, a.rows + 1);
  if (a.row_offsets.front() != 0) return defect(Kind::first_offset, 0, 0, a.row_offsets.front(), 0);
  for (std::int64_t i = 0; i < a.rows; ++i) {
    const std::int64_t begin = a.row_begin(i), end = a.row_begin(i + 1);
    if (end < begin) return defect(Kind::falling_offset, i, 0, end, begin);
  }
  // Only now: every offset is known to lie within the arrays when the last one does.
  const auto entries = static_cast<std::int64_t>(a.column_indices.size());
  if (a.nnz() != entries) return defect(Kind::last_offset, 0, 0, a.nnz(), entries);
  return std::nullopt;
}

std::optional<CsrDefect> first_defect(const CsrView& a, ColumnOrder order) {
  if (const auto of_offsets = first_offset_defect(a)) return of_offsets;
  for (std::int64_t i = 0; i < a.rows; ++i) {
    std::int64_t previous = -1, entry = a.row_begin(i);
    for (const std::int32_t column : a.row_columns(i)) {
      if (column < 0 || column >= a.cols) return defect(Kind::column_range, i, entry, column, a.cols);
      if (order == ColumnOrder::ascending && column <= previous)
        return defect(Kind::column_order, i, entry, column, previous);
      previous = column;
      ++entry;
    }
  }
  return std::nullopt;
}

void check(const CsrView& a, ColumnOrder order) {
  if (const std::optional<CsrDefect> d = first_defect(a, order)) throw ContractError("CSR: " + sentence(*d));
}

void check_value_count(const CsrView& a, std::size_t values) {
  if (values == a.column_indices.size()) return;
  throw ContractError("CSR: " + to_string(values) + " values for " + to_string(a.column_indices.size()) +
                      " column indices");
}

void check_transposable(const CsrView& a) {
  constexpr std::int64_t most_columns = std::int64_t{std::numeric_limits<std::int32_t>::max()} + 1;
  if (a.rows > most_columns) narrow<std::int32_t>(a.rows - 1, "the last row as a column of the transpose");
}

std::uint64_t csr_index_bytes(const CsrView& a) {
  return a.row_offsets.size_bytes() + a.column_indices.size_bytes();
}
std::uint64_t csr_places(const CsrView& a) { return static_cast<std::uint64_t>(a.nnz()); }
Csr<float> through_csr(const Csr<float>& a) {
  check(a);
  return csr_from_csr(a);
}

}  // namespace assay::sparse
