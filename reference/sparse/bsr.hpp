// Block sparse row: CSR whose entries are dense blocks of one size.
//
// Source: BSR as in SciPy, MKL and cuSPARSE, blocks row-major, index base 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "reference/sparse/csr.hpp"

namespace assay::sparse {

// Block row I holds the blocks row_offsets[I] .. row_offsets[I + 1] - 1; block b covers the columns from
// column_indices[b] * block_width on. The value of row r and column c of block b lies at
// (b * block_height + r) * block_width + c. Where blocks reach over the shape's edge, places beyond it are no entries
// and hold +0. All others are entries: those that a conversion filled in are explicit zeros, and multiply.
struct BsrView {
  std::int64_t rows = 0, cols = 0;
  std::int64_t block_height = 1, block_width = 1;
  std::span<const std::int64_t> row_offsets{};     // block_rows() + 1
  std::span<const std::int32_t> column_indices{};  // blocks()

  std::int64_t block_rows() const { return rows / block_height + (rows % block_height == 0 ? 0 : 1); }
  std::int64_t block_cols() const { return cols / block_width + (cols % block_width == 0 ? 0 : 1); }
  std::int64_t blocks() const { return row_offsets.empty() ? 0 : row_offsets.back(); }
  std::int64_t block_size() const { return block_height * block_width; }
  std::int64_t slots() const { return blocks() * block_size(); }
  std::span<const std::int32_t> block_row_columns(std::int64_t block_row) const {
    const auto begin = static_cast<std::size_t>(row_offsets[static_cast<std::size_t>(block_row)]),
               end = static_cast<std::size_t>(row_offsets[static_cast<std::size_t>(block_row) + 1]);
    return column_indices.subspan(begin, end - begin);
  }
  std::int64_t nnz() const;  // places within the shape; counts
};

// The same, owning.
struct BsrStructure {
  std::int64_t rows = 0, cols = 0;
  std::int64_t block_height = 1, block_width = 1;
  std::vector<std::int64_t> row_offsets{0};
  std::vector<std::int32_t> column_indices{};

  BsrView view() const { return {rows, cols, block_height, block_width, row_offsets, column_indices}; }
  operator BsrView() const { return view(); }
  std::int64_t blocks() const { return view().blocks(); }
  std::int64_t slots() const { return view().slots(); }
  std::int64_t nnz() const { return view().nnz(); }

  friend bool operator==(const BsrStructure&, const BsrStructure&) = default;
};

template <class T>
using Bsr = Matrix<BsrStructure, T>;

// ContractError unless blocks have a size, offsets start at 0 and do not fall, and the block columns of a block row
// ascend strictly in 0 .. block_cols() - 1.
void check(const BsrView& a);
void check_value_count(const BsrView& a, std::size_t values);

// The least structure of such blocks that holds `a`, whose columns ascend. ContractError for blocks of no size or of
// more than 2^31 places.
BsrStructure bsr_from_csr(const CsrView& a, std::int64_t block_height, std::int64_t block_width);
CsrStructure csr_from_bsr(const BsrView& a);  // every place within the shape

// Entries that `a` would gain as explicit zeros.
std::int64_t filled_entries(const CsrView& a, const BsrView& blocks);

namespace detail {
// visit(entry of a, place in the values of `blocks`) for every entry of `a`, which `blocks` covers.
template <class Visit>
void for_each_place(const CsrView& a, const BsrView& blocks, const Visit& visit) {
  for (std::int64_t i = 0; i < a.rows; ++i) {
    const std::int64_t block_row = i / blocks.block_height, row = i % blocks.block_height;
    const auto columns = blocks.block_row_columns(block_row);
    std::int64_t at = 0, entry = a.row_begin(i);
    for (const std::int32_t column : a.row_columns(i)) {
      while (columns[static_cast<std::size_t>(at)] < column / blocks.block_width) ++at;
      const std::int64_t block = blocks.row_offsets[static_cast<std::size_t>(block_row)] + at;
      visit(entry++, (block * blocks.block_height + row) * blocks.block_width + column % blocks.block_width);
    }
  }
}
}  // namespace detail

template <class T>
Bsr<T> bsr_from_csr(const Csr<T>& a, std::int64_t block_height, std::int64_t block_width) {
  Bsr<T> out{bsr_from_csr(a.structure.view(), block_height, block_width), {}};
  out.values.assign(static_cast<std::size_t>(out.structure.slots()), T{});
  detail::for_each_place(a.structure, out.structure, [&](std::int64_t entry, std::int64_t place) {
    out.values[static_cast<std::size_t>(place)] = a.values[static_cast<std::size_t>(entry)];
  });
  return out;
}

template <class T>
Csr<T> csr_from_bsr(const Bsr<T>& a) {
  Csr<T> out{csr_from_bsr(a.structure.view()), {}};
  out.values.resize(out.structure.column_indices.size());
  detail::for_each_place(out.structure, a.structure, [&](std::int64_t entry, std::int64_t place) {
    out.values[static_cast<std::size_t>(entry)] = a.values[static_cast<std::size_t>(place)];
  });
  return out;
}

}  // namespace assay::sparse
