#include "reference/sparse/ell.hpp"

#include <string>

#include "reference/core/error.hpp"
#include "reference/sparse/sparse_formats.hpp"

namespace assay::sparse {
namespace {

using std::to_string;

[[noreturn]] void fail(const std::string& sentence) { throw ContractError("ELL: " + sentence); }

}  // namespace

std::span<const std::int32_t> EllView::row_columns(std::int64_t i) const {
  const auto row =
      column_indices.subspan(static_cast<std::size_t>(row_begin(i)), static_cast<std::size_t>(width));
  return row.first(static_cast<std::size_t>(std::ranges::find(row, padding) - row.begin()));
}

std::int64_t EllView::nnz() const {
  return slots() - static_cast<std::int64_t>(std::ranges::count(column_indices, padding));
}

void check(const EllView& a) {
  if (a.rows < 0 || a.cols < 0 || a.width < 0) {
    fail("shape " + to_string(a.rows) + " x " + to_string(a.cols) + ", width " + to_string(a.width) +
         " is negative");
  }
  if (static_cast<std::int64_t>(a.column_indices.size()) != ell_slots(a.rows, a.width)) {
    fail(to_string(a.column_indices.size()) + " column indices for " + to_string(a.rows) + " rows of " +
         to_string(a.width));
  }
  for (std::int64_t i = 0; i < a.rows; ++i) {
    std::int64_t previous = -1;
    bool padded = false;
    for (const std::int32_t column : a.column_indices.subspan(static_cast<std::size_t>(a.row_begin(i)),
                                                              static_cast<std::size_t>(a.width))) {
      if (column == EllView::padding) {
        padded = true;
        continue;
      }
      if (padded) fail("row " + to_string(i) + " has column " + to_string(column) + " after padding");
      if (column < 0 || column >= a.cols) {
        fail("row " + to_string(i) + " has column " + to_string(column) + " outside 0.." +
             to_string(a.cols - 1));
      }
      if (column <= previous) {
        fail("row " + to_string(i) + " has column " + to_string(column) + " after " + to_string(previous));
      }
      previous = column;
    }
  }
}

void check_value_count(const EllView& a, std::size_t values) {
  if (values == a.column_indices.size()) return;
  fail(to_string(a.column_indices.size()) + " column indices and " + to_string(values) + " values for " +
       to_string(a.rows) + " rows of " + to_string(a.width));
}

std::int64_t longest_row(const CsrView& a) {
  std::int64_t longest = 0;
  for (std::int64_t i = 0; i < a.rows; ++i) longest = std::max(longest, a.row_length(i));
  return longest;
}

std::int64_t ell_slots(std::int64_t rows, std::int64_t width) {
  std::int64_t slots = 0;
  if (__builtin_mul_overflow(rows, width, &slots)) {
    fail(to_string(rows) + " rows of " + to_string(width) + " entries are more than 64 bits count");
  }
  return slots;
}

EllStructure ell_from_csr(const CsrView& a, std::int64_t width) {
  if (const std::int64_t longest = longest_row(a); longest > width) {
    fail("a row of " + to_string(longest) + " entries does not fit width " + to_string(width));
  }
  EllStructure out{a.rows, a.cols, width, {}};
  out.column_indices.assign(static_cast<std::size_t>(ell_slots(a.rows, width)), EllView::padding);
  for (std::int64_t i = 0; i < a.rows; ++i)
    std::ranges::copy(a.row_columns(i), out.column_indices.begin() + out.row_begin(i));
  return out;
}

CsrStructure csr_from_ell(const EllView& a) {
  CsrStructure out;
  out.rows = a.rows;
  out.cols = a.cols;
  out.row_offsets.reserve(static_cast<std::size_t>(a.rows) + 1);
  for (std::int64_t i = 0; i < a.rows; ++i) {
    const auto columns = a.row_columns(i);
    out.column_indices.insert(out.column_indices.end(), columns.begin(), columns.end());
    out.end_row();
  }
  return out;
}

std::uint64_t ell_index_bytes(const CsrView& a) {
  return static_cast<std::uint64_t>(ell_slots(a.rows, longest_row(a))) * sizeof(std::int32_t);
}
std::uint64_t ell_places(const CsrView& a) {
  return static_cast<std::uint64_t>(ell_slots(a.rows, longest_row(a)));
}
Csr<float> through_ell(const Csr<float>& a) {
  const Ell<float> ell = ell_from_csr(a);
  check(ell);
  return csr_from_ell(ell);
}

}  // namespace assay::sparse
