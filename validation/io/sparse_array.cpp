// SparseArray: its check, and its other forms.
#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <utility>

#include "validation/io/array.hpp"
#include "validation/io/elements.hpp"
#include "validation/io/sparse_entries.hpp"

namespace assay::io {
namespace {

using Layout = SparseArray::Layout;

// Indices are 32 bits in every kernel that these arrays go to.
constexpr std::int64_t most_indices = std::numeric_limits<std::int32_t>::max();

// InputError about one of the arrays of `a`.
class Checker {
 public:
  explicit Checker(const SparseArray& a) : a_(a) {}

  [[noreturn]] void fail(std::string place, std::string expected, std::string found) const {
    throw InputError(a_.origin, std::move(place), std::move(expected), std::move(found));
  }
  void size(std::string_view place, std::size_t found, std::int64_t expected) const {
    if (found == static_cast<std::size_t>(expected)) return;
    fail(std::string(place), std::to_string(expected) + " elements", std::to_string(found));
  }
  [[noreturn]] void index(std::string_view place, std::int64_t entry, std::int64_t found,
                          std::int64_t limit) const {
    fail(std::string(place) + "[" + std::to_string(entry) + "]",
         "an index from 0 to below " + std::to_string(limit), std::to_string(found));
  }
  void indices(std::string_view place, const std::vector<std::int32_t>& all, std::int64_t limit) const {
    const auto bad = std::ranges::find_if(all, [limit](std::int32_t i) { return i < 0 || i >= limit; });
    if (bad != all.end()) index(place, bad - all.begin(), *bad, limit);
  }
  // A compressed layout is the CSR structure of the matrix, of its transpose (csc), or of its blocks (bsr).
  void structure(const sparse::CsrView& view) const {
    using Kind = sparse::CsrDefect::Kind;
    const auto defect = sparse::first_offset_defect(view);
    if (!defect) return;
    const std::string found = std::to_string(defect->found), limit = std::to_string(defect->limit);
    switch (defect->kind) {
      case Kind::offset_count: fail("offsets", limit + " elements", found);
      case Kind::first_offset: fail("offsets[0]", "0", found);
      case Kind::falling_offset:
        fail("offsets[" + std::to_string(defect->row + 1) + "]", "at least " + limit, found);
      case Kind::last_offset:
        fail("offsets[" + std::to_string(view.rows) + "]", limit + ", the number of entries", found);
      case Kind::shape:
      case Kind::column_range:
      case Kind::column_order: return;  // checked before, and later
    }
  }

 private:
  const SparseArray& a_;
};

}  // namespace

std::string_view name(SparseArray::Layout layout) {
  switch (layout) {
    case Layout::csr: return "csr";
    case Layout::csc: return "csc";
    case Layout::bsr: return "bsr";
    case Layout::coo: break;
  }
  return "coo";
}

void check(const SparseArray& a) {
  const Checker check(a);
  for (const std::int64_t n : {a.rows, a.cols}) {
    if (n < 0 || n > most_indices) {
      check.fail("shape", "rows and columns from 0 to 2147483647", to_string({a.rows, a.cols}));
    }
  }
  const bool bsr = a.layout == Layout::bsr;
  if (bsr &&
      (a.block_rows < 1 || a.block_cols < 1 || a.rows % a.block_rows != 0 || a.cols % a.block_cols != 0)) {
    check.fail("data", "blocks that divide " + to_string({a.rows, a.cols}),
               to_string({a.block_rows, a.block_cols}));
  }
  const bool by_column = a.layout == Layout::csc;
  const auto entries = static_cast<std::int64_t>(by_column ? a.row_indices.size() : a.column_indices.size());
  const Shape values = bsr ? Shape{entries, a.block_rows, a.block_cols} : Shape{entries};
  if (a.values.shape != values) {
    check.fail("data", "the shape " + to_string(values), to_string(a.values.shape));
  }
  switch (a.layout) {
    case Layout::csr: check.structure({a.rows, a.cols, a.offsets, a.column_indices}); break;
    case Layout::csc: check.structure({a.cols, a.rows, a.offsets, a.row_indices}); break;
    case Layout::bsr:
      check.structure({a.rows / a.block_rows, a.cols / a.block_cols, a.offsets, a.column_indices});
      break;
    case Layout::coo: check.size("offsets", a.offsets.size(), 0); break;
  }
  const bool has_rows = by_column || a.layout == Layout::coo;
  check.size("row_indices", a.row_indices.size(), has_rows ? entries : 0);
  check.indices("row_indices", a.row_indices, a.rows);
  check.size("column_indices", a.column_indices.size(), by_column ? 0 : entries);
  check.indices("column_indices", a.column_indices, bsr ? a.cols / a.block_cols : a.cols);
}

std::vector<std::int32_t> narrowed_indices(const SparseArray& a, std::string_view place,
                                           const std::vector<std::int64_t>& indices, std::int64_t limit) {
  std::vector<std::int32_t> narrow = allocate<std::int32_t>(indices.size());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (!std::in_range<std::int32_t>(indices[i]))
      Checker(a).index(place, static_cast<std::int64_t>(i), indices[i], limit);
    narrow[i] = static_cast<std::int32_t>(indices[i]);
  }
  return narrow;
}

sparse::CsrView SparseArray::csr_view() const {
  if (layout != Layout::csr)
    throw ContractError("a sparse array in " + std::string(name(layout)) + " asked for its rows");
  return {rows, cols, offsets, column_indices};
}

SparseArray to_csr(const SparseArray& a) {
  if (a.layout == Layout::csr) return a;
  // A file of coordinates may claim any number of rows.
  require_memory(a.origin, "the offsets of " + std::to_string(a.rows) + " rows",
                 sizeof(std::int64_t) * (static_cast<std::uint64_t>(a.rows) + 1));
  const std::size_t width = a.values.element.bytes();
  SparseArray out;
  out.layout = Layout::csr;
  out.rows = a.rows;
  out.cols = a.cols;
  out.metadata = a.metadata;
  out.origin = a.origin;
  out.values = make_array(a.values.element, {a.nnz()});
  out.values.origin = a.values.origin;
  out.values.metadata = a.values.metadata;
  try {
    sparse::CsrStructure structure = sparse::csr_from_entries(
        a.rows, a.cols, [&](const auto& f) { for_each_entry(a, f); },
        [&](std::size_t at, std::size_t value) {
          std::memcpy(out.values.bytes.data() + at * width, a.values.bytes.data() + value * width, width);
        });
    out.offsets = std::move(structure.row_offsets);
    out.column_indices = std::move(structure.column_indices);
  } catch (const std::bad_alloc&) {
    throw Unavailable("not enough memory for " + std::to_string(a.rows + 1) + " offsets and " +
                      std::to_string(a.nnz()) + " indices");
  }
  return out;
}

sparse::Csr<float> to_reference_csr(const SparseArray& a) {
  SparseArray csr = to_csr(a);
  if (csr.values.element != ElementType(formats::float32)) {
    throw InputError(a.origin, "data", "float32 values", csr.values.element.name());
  }
  if (const auto defect = sparse::first_defect(csr.csr_view())) {
    throw InputError(
        a.origin, "row " + std::to_string(defect->row), "columns that ascend",
        "column " + std::to_string(defect->found) + " after column " + std::to_string(defect->limit));
  }
  const std::span<const float> values = csr.values.as<float>();
  return {{csr.rows, csr.cols, std::move(csr.offsets), std::move(csr.column_indices)},
          {values.begin(), values.end()}};
}

Array to_dense(const SparseArray& a) {
  const std::size_t width = a.values.element.bytes();
  const Shape shape{a.rows, a.cols};
  std::optional<std::uint64_t> bytes;
  if (const std::optional<std::int64_t> values = byte_count(shape, width)) {
    const auto size = static_cast<std::uint64_t>(*values);
    bytes = size + size / width / 8;  // with a bit for each place
  }
  require_memory(a.origin, "a dense array of shape " + to_string(shape), bytes);
  Array dense = make_array(a.values.element, shape);
  dense.metadata = a.metadata;
  dense.origin = a.origin;
  std::vector<bool> taken(static_cast<std::size_t>(dense.size()));
  for_each_entry(a, [&](std::int64_t row, std::int64_t column, std::size_t value) {
    const auto at = static_cast<std::size_t>(row * a.cols + column);
    if (taken[at]) {
      throw InputError(a.origin, "entry [" + std::to_string(row) + "," + std::to_string(column) + "]",
                       "one entry for each place of a dense array", "a second one");
    }
    taken[at] = true;
    std::memcpy(dense.bytes.data() + at * width, a.values.bytes.data() + value * width, width);
  });
  return dense;
}

}  // namespace assay::io
