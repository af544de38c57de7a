#include "reference/sparse/bitmap.hpp"

#include <bit>
#include <string>

#include "reference/core/error.hpp"
#include "reference/sparse/sparse_formats.hpp"

namespace assay::sparse {
namespace {

using std::to_string;

[[noreturn]] void bitmap_fault(const std::string& sentence) { throw ContractError("bitmap: " + sentence); }

std::int64_t word_count(std::int64_t rows, std::int64_t words) {
  std::int64_t count = 0;
  if (__builtin_mul_overflow(rows, words, &count))
    bitmap_fault(to_string(rows) + " rows of " + to_string(words) + " words are more than 64 bits count");
  return count;
}

}  // namespace

void check(const BitmapView& a) {
  // The offsets are CSR's. (Its check of indices is not asked for: there are none.)
  const CsrView offsets{a.rows, a.cols, a.row_offsets, {}};
  if (const auto defect = first_offset_defect(offsets);
      defect && defect->kind != CsrDefect::Kind::last_offset) {
    try {
      check(offsets);
    } catch (const ContractError& e) {
      bitmap_fault(e.what());
    }
  }
  if (static_cast<std::int64_t>(a.bits.size()) != word_count(a.rows, a.words()))
    bitmap_fault(to_string(a.bits.size()) + " words for " + to_string(a.rows) + " rows of " +
                 to_string(a.words()));
  const std::int64_t rest = a.cols % 64;
  for (std::int64_t i = 0; i < a.rows; ++i) {
    std::int64_t entries = 0;
    for (const std::uint64_t word : a.row_bits(i)) entries += std::popcount(word);
    if (rest != 0 && a.row_bits(i).back() >> rest != 0)
      bitmap_fault("row " + to_string(i) + " has a bit beyond column " + to_string(a.cols - 1));
    if (entries != a.row_begin(i + 1) - a.row_begin(i))
      bitmap_fault("row " + to_string(i) + " has " + to_string(entries) + " bits for " +
                   to_string(a.row_begin(i + 1) - a.row_begin(i)) + " entries");
  }
}

void check_value_count(const BitmapView& a, std::size_t values) {
  if (static_cast<std::int64_t>(values) == a.nnz()) return;
  bitmap_fault(to_string(values) + " values for " + to_string(a.nnz()) + " entries");
}

BitmapStructure bitmap_from_csr(const CsrView& a) {
  BitmapStructure out{a.rows, a.cols, {a.row_offsets.begin(), a.row_offsets.end()}, {}};
  const std::int64_t words = out.view().words();
  out.bits.assign(static_cast<std::size_t>(word_count(a.rows, words)), 0);
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (const std::int32_t column : a.row_columns(i))
      out.bits[static_cast<std::size_t>(i * words + column / 64)] |= std::uint64_t{1} << (column % 64);
  }
  return out;
}

CsrStructure csr_from_bitmap(const BitmapView& a) {
  CsrStructure out{a.rows, a.cols, {a.row_offsets.begin(), a.row_offsets.end()}, {}};
  out.column_indices.reserve(static_cast<std::size_t>(a.nnz()));
  for (std::int64_t i = 0; i < a.rows; ++i) {
    std::int64_t first = 0;
    for (std::uint64_t word : a.row_bits(i)) {
      for (; word != 0; word &= word - 1)
        out.column_indices.push_back(static_cast<std::int32_t>(first + std::countr_zero(word)));
      first += 64;
    }
  }
  return out;
}

std::uint64_t bitmap_index_bytes(const CsrView& a) {
  const std::int64_t words = BitmapView{a.rows, a.cols, {}, {}}.words();
  return a.row_offsets.size_bytes() +
         static_cast<std::uint64_t>(word_count(a.rows, words)) * sizeof(std::uint64_t);
}
std::uint64_t bitmap_places(const CsrView& a) { return static_cast<std::uint64_t>(a.nnz()); }
Csr<float> through_bitmap(const Csr<float>& a) {
  const Bitmap<float> bitmap = bitmap_from_csr(a);
  check(bitmap);
  return csr_from_bitmap(bitmap);
}

}  // namespace assay::sparse
