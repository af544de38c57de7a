#include "reference/sparse/csr.hpp"

#include <string>

#include "reference/core/error.hpp"

namespace assay::sparse {
namespace {

[[noreturn]] void fail(const std::string& sentence) { throw ContractError("CSR: " + sentence); }

}  // namespace

std::span<const std::int32_t> Csr::row_columns(std::int32_t i) const {
  const auto row = static_cast<std::size_t>(i);
  const auto first = static_cast<std::size_t>(row_offsets[row]);
  return std::span(column_indices).subspan(first, static_cast<std::size_t>(row_offsets[row + 1]) - first);
}

std::span<const float> Csr::row_values(std::int32_t i) const {
  const auto row = static_cast<std::size_t>(i);
  const auto first = static_cast<std::size_t>(row_offsets[row]);
  return std::span(values).subspan(first, static_cast<std::size_t>(row_offsets[row + 1]) - first);
}

void check(const Csr& a) {
  using std::to_string;
  if (a.rows < 0 || a.cols < 0)
    fail("shape " + to_string(a.rows) + " x " + to_string(a.cols) + " is negative");
  if (a.row_offsets.size() != static_cast<std::size_t>(a.rows) + 1) {
    fail(to_string(a.row_offsets.size()) + " row offsets for " + to_string(a.rows) +
         " rows; one more than rows is needed");
  }
  if (a.values.size() != a.column_indices.size()) {
    fail(to_string(a.values.size()) + " values for " + to_string(a.column_indices.size()) +
         " column indices");
  }
  if (a.row_offsets.front() != 0)
    fail("the first row offset is " + to_string(a.row_offsets.front()) + ", not 0");
  for (std::int32_t i = 0; i < a.rows; ++i) {
    const auto row = static_cast<std::size_t>(i);
    if (a.row_offsets[row + 1] < a.row_offsets[row]) {
      fail("row " + to_string(i) + " ends at " + to_string(a.row_offsets[row + 1]) +
           ", before its begin at " + to_string(a.row_offsets[row]));
    }
  }
  // Only now: every offset is known to lie within the arrays when the last one does.
  if (a.row_offsets.back() != a.nnz()) {
    fail("the last row offset is " + to_string(a.row_offsets.back()) + ", but there are " +
         to_string(a.nnz()) + " entries");
  }
  for (std::int32_t i = 0; i < a.rows; ++i) {
    std::int32_t previous = -1;
    for (const std::int32_t column : a.row_columns(i)) {
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

Csr transpose(const Csr& a) {
  Csr t;
  t.rows = a.cols;
  t.cols = a.rows;
  t.row_offsets.assign(static_cast<std::size_t>(a.cols) + 1, 0);
  t.column_indices.resize(a.column_indices.size());
  t.values.resize(a.values.size());
  for (const std::int32_t column : a.column_indices) ++t.row_offsets[static_cast<std::size_t>(column) + 1];
  for (std::size_t i = 1; i < t.row_offsets.size(); ++i) t.row_offsets[i] += t.row_offsets[i - 1];
  // Rows of `a` are visited in ascending order, so each row of the result fills in ascending order.
  std::vector<std::int32_t> next(t.row_offsets.begin(), t.row_offsets.end() - 1);
  for (std::int32_t i = 0; i < a.rows; ++i) {
    const auto columns = a.row_columns(i);
    const auto values = a.row_values(i);
    for (std::size_t e = 0; e < columns.size(); ++e) {
      const auto to = static_cast<std::size_t>(next[static_cast<std::size_t>(columns[e])]++);
      t.column_indices[to] = i;
      t.values[to] = values[e];
    }
  }
  return t;
}

}  // namespace assay::sparse
