// SparseArray: its check, and its other forms.
#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "validation/io/array.hpp"
#include "validation/io/elements.hpp"
#include "validation/io/sparse_entries.hpp"

namespace assay::io {
namespace {

using Layout = SparseArray::Layout;

// Indices are 32 bits in every kernel that these arrays go to.
constexpr std::int64_t most_rows = std::numeric_limits<std::int32_t>::max();

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
  void indices(std::string_view place, const std::vector<std::int64_t>& all, std::int64_t limit) const {
    const auto bad =
        std::find_if(all.begin(), all.end(), [limit](std::int64_t i) { return i < 0 || i >= limit; });
    if (bad == all.end()) return;
    fail(std::string(place) + "[" + std::to_string(bad - all.begin()) + "]",
         "an index from 0 to below " + std::to_string(limit), std::to_string(*bad));
  }
  void offsets(std::int64_t groups, std::int64_t entries) const {
    size("offsets", a_.offsets.size(), groups + 1);
    if (a_.offsets.front() != 0) fail("offsets[0]", "0", std::to_string(a_.offsets.front()));
    for (std::size_t i = 1; i < a_.offsets.size(); ++i) {
      if (a_.offsets[i] >= a_.offsets[i - 1]) continue;
      fail("offsets[" + std::to_string(i) + "]", "at least " + std::to_string(a_.offsets[i - 1]),
           std::to_string(a_.offsets[i]));
    }
    if (a_.offsets.back() != entries) {
      fail("offsets[" + std::to_string(groups) + "]", std::to_string(entries) + ", the number of entries",
           std::to_string(a_.offsets.back()));
    }
  }

 private:
  const SparseArray& a_;
};

// The csr under construction: entries arrive in any order, a counting sort keeps that order within each row.
class CsrBuilder {
 public:
  CsrBuilder(const SparseArray& a, std::int64_t entries) : a_(a), width_(a.values.element.bytes()) {
    // A file of coordinates may claim any number of rows. The offsets stand here twice.
    require_memory(a.origin, "the offsets of " + std::to_string(a.rows) + " rows",
                   2 * sizeof(std::int64_t) * (static_cast<std::uint64_t>(a.rows) + 1));
    out_.layout = Layout::csr;
    out_.rows = a.rows;
    out_.cols = a.cols;
    out_.metadata = a.metadata;
    out_.origin = a.origin;
    out_.offsets = allocate<std::int64_t>(static_cast<std::size_t>(a.rows) + 1);
    out_.column_indices = allocate<std::int64_t>(static_cast<std::size_t>(entries));
    out_.values = make_array(a.values.element, {entries});
    out_.values.origin = a.values.origin;
    out_.values.metadata = a.values.metadata;
  }
  void count(std::int64_t row, std::int64_t entries = 1) {
    out_.offsets[static_cast<std::size_t>(row) + 1] += entries;
  }
  void counted() {
    for (std::size_t i = 1; i < out_.offsets.size(); ++i) out_.offsets[i] += out_.offsets[i - 1];
    next_.assign(out_.offsets.begin(), out_.offsets.end() - 1);
  }
  void put(std::int64_t row, std::int64_t column, std::size_t value) {
    const auto at = static_cast<std::size_t>(next_[static_cast<std::size_t>(row)]++);
    out_.column_indices[at] = column;
    std::memcpy(out_.values.bytes.data() + at * width_, a_.values.bytes.data() + value * width_, width_);
  }
  SparseArray finish() { return std::move(out_); }

 private:
  const SparseArray& a_;
  std::size_t width_;
  SparseArray out_;
  std::vector<std::int64_t> next_;  // where the next entry of each row goes
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
    if (n < 0 || n > most_rows) {
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
    case Layout::csr: check.offsets(a.rows, entries); break;
    case Layout::csc: check.offsets(a.cols, entries); break;
    case Layout::bsr: check.offsets(a.rows / a.block_rows, entries); break;
    case Layout::coo: check.size("offsets", a.offsets.size(), 0); break;
  }
  const bool has_rows = by_column || a.layout == Layout::coo;
  check.size("row_indices", a.row_indices.size(), has_rows ? entries : 0);
  check.indices("row_indices", a.row_indices, a.rows);
  check.size("column_indices", a.column_indices.size(), by_column ? 0 : entries);
  check.indices("column_indices", a.column_indices, bsr ? a.cols / a.block_cols : a.cols);
}

SparseArray to_csr(const SparseArray& a) {
  if (a.layout == Layout::csr) return a;
  CsrBuilder csr(a, a.nnz());
  for_each_entry(a, [&](std::int64_t row, std::int64_t, std::size_t) { csr.count(row); });
  csr.counted();
  for_each_entry(
      a, [&](std::int64_t row, std::int64_t column, std::size_t value) { csr.put(row, column, value); });
  return csr.finish();
}

sparse::Csr<float> to_reference_csr(const SparseArray& a) {
  const SparseArray csr = to_csr(a);
  if (csr.values.element != ElementType(formats::float32)) {
    throw InputError(a.origin, "data", "float32 values", csr.values.element.name());
  }
  for (std::size_t i = 0; i + 1 < csr.offsets.size(); ++i) {
    for (std::int64_t e = csr.offsets[i] + 1; e < csr.offsets[i + 1]; ++e) {
      const std::int64_t before = csr.column_indices[static_cast<std::size_t>(e) - 1];
      const std::int64_t here = csr.column_indices[static_cast<std::size_t>(e)];
      if (here > before) continue;
      throw InputError(a.origin, "row " + std::to_string(i), "columns that ascend",
                       "column " + std::to_string(here) + " after column " + std::to_string(before));
    }
  }
  std::vector<std::int32_t> columns(csr.column_indices.size());
  std::ranges::transform(csr.column_indices, columns.begin(), [](std::int64_t column) {
    return static_cast<std::int32_t>(column);  // below cols, which is below 2^31
  });
  const std::span<const float> values = csr.values.as<float>();
  return {{csr.rows, csr.cols, csr.offsets, std::move(columns)}, {values.begin(), values.end()}};
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
