#include "reference/sparse/ell.hpp"

#include <algorithm>
#include <string>

#include "reference/core/error.hpp"

namespace assay::sparse {
namespace {

[[noreturn]] void fail(const std::string& sentence) { throw ContractError("ELL: " + sentence); }

std::size_t slots(std::int32_t rows, std::int32_t width) {
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(width);
}

}  // namespace

void check(const Ell& a) {
  using std::to_string;
  if (a.rows < 0 || a.cols < 0 || a.width < 0) {
    fail("shape " + to_string(a.rows) + " x " + to_string(a.cols) + ", width " + to_string(a.width) +
         " is negative");
  }
  if (a.column_indices.size() != slots(a.rows, a.width) || a.values.size() != slots(a.rows, a.width)) {
    fail(to_string(a.column_indices.size()) + " column indices and " + to_string(a.values.size()) +
         " values for " + to_string(a.rows) + " rows of " + to_string(a.width));
  }
  for (std::int32_t i = 0; i < a.rows; ++i) {
    std::int32_t previous = -1;
    bool padded = false;
    for (std::int32_t e = 0; e < a.width; ++e) {
      const std::int32_t column = a.column_indices[slots(i, a.width) + static_cast<std::size_t>(e)];
      if (column == Ell::padding) {
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

std::int32_t longest_row(const Csr& a) {
  std::int32_t longest = 0;
  for (std::size_t i = 0; i + 1 < a.row_offsets.size(); ++i) {
    longest = std::max(longest, a.row_offsets[i + 1] - a.row_offsets[i]);
  }
  return longest;
}

Ell ell_from_csr(const Csr& a, std::int32_t width) {
  if (const std::int32_t longest = longest_row(a); longest > width) {
    fail("a row of " + std::to_string(longest) + " entries does not fit width " + std::to_string(width));
  }
  Ell out;
  out.rows = a.rows;
  out.cols = a.cols;
  out.width = width;
  out.column_indices.assign(slots(a.rows, width), Ell::padding);
  out.values.assign(slots(a.rows, width), 0.0F);
  for (std::int32_t i = 0; i < a.rows; ++i) {
    const auto to = static_cast<std::ptrdiff_t>(slots(i, width));
    std::ranges::copy(a.row_columns(i), out.column_indices.begin() + to);
    std::ranges::copy(a.row_values(i), out.values.begin() + to);
  }
  return out;
}

Csr csr_from_ell(const Ell& a) {
  Csr out;
  out.rows = a.rows;
  out.cols = a.cols;
  for (std::int32_t i = 0; i < a.rows; ++i) {
    for (std::size_t e = slots(i, a.width); e < slots(i + 1, a.width) && a.column_indices[e] != Ell::padding;
         ++e) {
      out.column_indices.push_back(a.column_indices[e]);
      out.values.push_back(a.values[e]);
    }
    out.row_offsets.push_back(static_cast<std::int32_t>(out.column_indices.size()));
  }
  return out;
}

}  // namespace assay::sparse
