// A walk over the entries of a sparse array, whatever its layout.
#pragma once

#include <cstddef>
#include <cstdint>

#include "validation/io/array.hpp"

namespace assay::io {

// f(row, column, index of the value), for every entry in stored order. `a` must pass check().
template <class F>
void for_each_entry(const SparseArray& a, const F& f) {
  const auto at = [](const auto& v, std::int64_t i) { return std::int64_t{v[static_cast<std::size_t>(i)]}; };
  const auto groups = static_cast<std::int64_t>(a.offsets.size()) - 1;
  switch (a.layout) {
    case SparseArray::Layout::coo:
      for (std::size_t e = 0; e < a.row_indices.size(); ++e)
        f(std::int64_t{a.row_indices[e]}, std::int64_t{a.column_indices[e]}, e);
      return;
    case SparseArray::Layout::csr:
      for (std::int64_t i = 0; i < groups; ++i) {
        for (std::int64_t e = at(a.offsets, i); e < at(a.offsets, i + 1); ++e) {
          f(i, at(a.column_indices, e), static_cast<std::size_t>(e));
        }
      }
      return;
    case SparseArray::Layout::csc:
      for (std::int64_t j = 0; j < groups; ++j) {
        for (std::int64_t e = at(a.offsets, j); e < at(a.offsets, j + 1); ++e) {
          f(at(a.row_indices, e), j, static_cast<std::size_t>(e));
        }
      }
      return;
    case SparseArray::Layout::bsr: break;
  }
  std::size_t value = 0;
  for (std::int64_t i = 0; i < groups; ++i) {
    for (std::int64_t b = at(a.offsets, i); b < at(a.offsets, i + 1); ++b) {
      for (std::int64_t r = 0; r < a.block_rows; ++r) {
        for (std::int64_t c = 0; c < a.block_cols; ++c) {
          f(i * a.block_rows + r, at(a.column_indices, b) * a.block_cols + c, value++);
        }
      }
    }
  }
}

}  // namespace assay::io
