#include "reference/sparse/bsr.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "reference/core/error.hpp"
#include "reference/sparse/sparse_formats.hpp"

namespace assay::sparse {
namespace {

using std::to_string;

[[noreturn]] void bsr_fault(const std::string& sentence) { throw ContractError("BSR: " + sentence); }

void check_block(std::int64_t height, std::int64_t width) {
  const std::string size = to_string(height) + " x " + to_string(width);
  if (height < 1 || width < 1) bsr_fault("blocks of " + size);
  if (height > std::numeric_limits<std::int32_t>::max() / width)
    bsr_fault("blocks of " + size + " have more than 2^31 - 1 places");
}

}  // namespace

std::int64_t BsrView::nnz() const {
  std::int64_t count = 0;
  for (std::int64_t block_row = 0; block_row < block_rows(); ++block_row) {
    const std::int64_t height = std::min(block_height, rows - block_row * block_height);
    for (const std::int32_t column : block_row_columns(block_row))
      count += height * std::min(block_width, cols - column * block_width);
  }
  return count;
}

void check(const BsrView& a) {
  check_block(a.block_height, a.block_width);
  // What CSR asks of rows and columns holds of block rows and block columns.
  if (a.rows < 0 || a.cols < 0)
    bsr_fault("shape " + to_string(a.rows) + " x " + to_string(a.cols) + " is negative");
  const CsrView blocks{a.block_rows(), a.block_cols(), a.row_offsets, a.column_indices};
  try {
    check(blocks);
  } catch (const ContractError& e) {
    bsr_fault("as blocks of " + to_string(a.block_height) + " x " + to_string(a.block_width) + ", " +
              e.what());
  }
  std::int64_t slots = 0;
  if (__builtin_mul_overflow(a.blocks(), a.block_size(), &slots))
    bsr_fault(to_string(a.blocks()) + " blocks of " + to_string(a.block_size()) +
              " are more than 64 bits count");
}

void check_value_count(const BsrView& a, std::size_t values) {
  if (static_cast<std::int64_t>(values) == a.slots()) return;
  bsr_fault(to_string(values) + " values for " + to_string(a.blocks()) + " blocks of " +
            to_string(a.block_height) + " x " + to_string(a.block_width));
}

BsrStructure bsr_from_csr(const CsrView& a, std::int64_t block_height, std::int64_t block_width) {
  check_block(block_height, block_width);
  BsrStructure out{a.rows, a.cols, block_height, block_width, {0}, {}};
  const std::int64_t block_rows = out.view().block_rows();
  out.row_offsets.reserve(static_cast<std::size_t>(block_rows) + 1);
  std::vector<std::int32_t> columns;
  for (std::int64_t block_row = 0; block_row < block_rows; ++block_row) {
    columns.clear();
    const std::int64_t end = std::min(a.rows, (block_row + 1) * block_height);
    for (std::int64_t i = block_row * block_height; i < end; ++i) {
      for (const std::int32_t column : a.row_columns(i)) {
        const auto block = static_cast<std::int32_t>(column / block_width);
        if (columns.empty() || columns.back() != block) columns.push_back(block);
      }
    }
    std::sort(columns.begin(), columns.end());
    out.column_indices.insert(out.column_indices.end(), columns.begin(),
                              std::unique(columns.begin(), columns.end()));
    out.row_offsets.push_back(static_cast<std::int64_t>(out.column_indices.size()));
  }
  return out;
}

CsrStructure csr_from_bsr(const BsrView& a) {
  CsrStructure out;
  out.rows = a.rows;
  out.cols = a.cols;
  out.row_offsets.reserve(static_cast<std::size_t>(a.rows) + 1);
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (const std::int32_t block : a.block_row_columns(i / a.block_height)) {
      const std::int64_t begin = block * a.block_width, end = std::min(a.cols, begin + a.block_width);
      for (std::int64_t column = begin; column < end; ++column)
        out.column_indices.push_back(static_cast<std::int32_t>(column));
    }
    out.end_row();
  }
  return out;
}

std::int64_t filled_entries(const CsrView& a, const BsrView& blocks) { return blocks.nnz() - a.nnz(); }

namespace {
constexpr std::int64_t listed_block = 4;  // of the list's figures and of its round trip
}

std::uint64_t bsr_index_bytes(const CsrView& a) {
  const BsrStructure blocks = bsr_from_csr(a, listed_block, listed_block);
  return std::span(blocks.row_offsets).size_bytes() + std::span(blocks.column_indices).size_bytes();
}
std::uint64_t bsr_places(const CsrView& a) {
  return static_cast<std::uint64_t>(bsr_from_csr(a, listed_block, listed_block).slots());
}
Csr<float> through_bsr(const Csr<float>& a) {
  const Bsr<float> blocks = bsr_from_csr(a, listed_block, listed_block);
  check(blocks);
  return csr_from_bsr(blocks);
}

}  // namespace assay::sparse
