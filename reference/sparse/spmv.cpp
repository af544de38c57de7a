#include "reference/sparse/spmv.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/narrow.hpp"
#include "reference/core/parallel.hpp"
#include "reference/sparse/arguments.hpp"

namespace assay::sparse {
namespace {

// Rows that a worker takes at once: about as many entries each, and few enough rows for their sums to stay in the first
// cache. A row is never cut: its sum has one order.
struct SpmvChunk {
  std::int64_t first_row = 0, first_entry = 0;
  std::uint32_t rows = 0, groups = 0;
  std::vector<std::uint32_t> common{}, numbers{}, extra{};

  std::uint64_t bytes() const {
    return (common.size() + numbers.size() + extra.size()) * sizeof(std::uint32_t);
  }
};

// The entries of all chunks, in the order in which products read them. Columns have 16 bits where all of them fit.
struct SpmvEntries {
  std::vector<float> values{};
  std::vector<std::uint16_t> near{};
  std::vector<std::int32_t> far{};
  bool is_near = false;

  SpmvEntries(std::int64_t cols, std::size_t nnz) : is_near(cols <= 1 << 16) {
    values.reserve(nnz);
    is_near ? near.reserve(nnz) : far.reserve(nnz);
  }
  void add(float value, std::int32_t column) {
    values.push_back(value);
    is_near ? near.push_back(static_cast<std::uint16_t>(column)) : far.push_back(column);
  }
  const void* columns_from(std::int64_t entry) const {
    return is_near ? static_cast<const void*>(near.data() + entry) : far.data() + entry;
  }
  std::uint64_t bytes() const {
    return values.size() * sizeof(float) + near.size() * sizeof(std::uint16_t) +
           far.size() * sizeof(std::int32_t);
  }
};

// The end of a chunk that begins with row `first`.
std::int64_t end_of_chunk(const CsrView& a, std::int64_t first) {
  constexpr std::int64_t most_rows = 4096, most_entries = 32768;
  std::int64_t end = first + 1;
  while (end < a.rows && end - first < most_rows && a.row_begin(end + 1) - a.row_begin(first) <= most_entries)
    ++end;
  return end;
}

class SpmvPacker {
 public:
  SpmvPacker(const CsrView& a, std::span<const float> values, std::uint32_t width, SpmvEntries& entries)
      : a_(a), values_(values), width_(width), entries_(entries) {}

  SpmvChunk pack(std::int64_t first, std::int64_t end) const {
    SpmvChunk out;
    out.first_row = first;
    out.first_entry = a_.row_begin(first);
    out.rows = static_cast<std::uint32_t>(end - first);
    out.groups = out.rows / width_;
    // Rows of about the same length stand side by side, longest first.
    out.numbers.resize(out.rows);
    std::iota(out.numbers.begin(), out.numbers.end(), 0U);
    std::stable_sort(out.numbers.begin(), out.numbers.end(), [&](std::uint32_t x, std::uint32_t y) {
      return a_.row_length(first + x) > a_.row_length(first + y);
    });
    for (std::uint32_t group = 0; group < out.groups; ++group) add_group(out, group * width_);
    for (std::uint32_t place = out.groups * width_; place < out.rows; ++place) add_rest(out, place, 0);
    return out;
  }

 private:
  void add_group(SpmvChunk& out, std::uint32_t place) const {
    const std::int64_t common = a_.row_length(row(out, place + width_ - 1));
    out.common.push_back(narrow<std::uint32_t>(common, "entries of a row"));
    for (std::int64_t t = 0; t < common; ++t) {
      for (std::uint32_t i = 0; i < width_; ++i) add(a_.row_begin(row(out, place + i)) + t);
    }
    for (std::uint32_t i = 0; i < width_; ++i) add_rest(out, place + i, common);
  }
  // What a row has beyond its first `done` entries.
  void add_rest(SpmvChunk& out, std::uint32_t place, std::int64_t done) const {
    const std::int64_t i = row(out, place);
    out.extra.push_back(narrow<std::uint32_t>(a_.row_length(i) - done, "entries of a row"));
    for (std::int64_t e = a_.row_begin(i) + done; e < a_.row_begin(i + 1); ++e) add(e);
  }
  void add(std::int64_t entry) const {
    const auto at = static_cast<std::size_t>(entry);
    entries_.add(values_[at], a_.column_indices[at]);
  }
  static std::int64_t row(const SpmvChunk& out, std::uint32_t place) {
    return out.first_row + out.numbers[place];
  }

  const CsrView& a_;
  std::span<const float> values_;
  std::uint32_t width_;
  SpmvEntries& entries_;
};

void check_vectors(std::int64_t rows, std::int64_t cols, std::span<const float> x, std::span<float> y,
                   const SpmvExtras& e) {
  const auto said = [](const std::string& what) { throw ContractError("spmv: " + what); };
  check_count("spmv", "x", x, cols);
  check_count("spmv", "y", y, rows);
  if (overlap(extent_of(x), extent_of(y))) said("y shares memory with x");
  if (e.beta != 0) {
    check_count("spmv", "c", e.c, rows);
    if (e.c.data() != y.data() && overlap(extent_of(e.c), extent_of(y)))
      said("y shares memory with c, and is not the same vector");
  }
  if (!e.bias.empty()) {
    check_count("spmv", "bias", e.bias, rows);
    if (overlap(extent_of(e.bias), extent_of(y))) said("y shares memory with bias");
  }
  if (e.alpha != e.alpha || e.beta != e.beta) said("alpha or beta is NaN");
  if (e.activation == SpmmActivation::clip && !(e.low <= e.high))
    said("clip to [" + std::to_string(e.low) + ", " + std::to_string(e.high) + "]");
}

SpmmEpilogue epilogue_of(const SpmvExtras& e, std::int64_t row) {
  SpmmEpilogue out{
      .alpha = e.alpha, .beta = e.beta, .low = e.low, .high = e.high, .activation = e.activation};
  out.plain = e.alpha == 1 && e.beta == 0 && e.bias.empty() && e.activation == SpmmActivation::none;
  if (e.beta != 0) out.c = e.c.data() + row;
  if (!e.bias.empty()) out.column_bias = e.bias.data() + row;
  return out;
}

}  // namespace

const KernelTable<SpmvKernel>& spmv_kernels() {
  static constexpr auto kernels = std::to_array<SpmvKernel>({
#define SPMV(isa, width)                                 \
  {{"f32_" #isa, Isa::isa, #width " rows side by side"}, \
   width,                                                \
   kernels::spmv_f32_near_##isa,                         \
   kernels::spmv_f32_far_##isa},
#include "reference/sparse/spmv.def"
#undef SPMV
  });
  static constexpr KernelTable<SpmvKernel> table("spmv", kernels);
  return table;
}

struct SpmvPlan::Packed {
  std::int64_t rows = 0, cols = 0, nnz = 0;
  const SpmvKernel* kernel = nullptr;
  SpmvEntries entries;
  std::vector<SpmvChunk> chunks{};

  explicit Packed(const CsrView& a)
      : rows(a.rows), cols(a.cols), nnz(a.nnz()), entries(a.cols, static_cast<std::size_t>(a.nnz())) {}
};

SpmvPlan::SpmvPlan(const CsrView& a, std::span<const float> values, const SpmvOptions& options) {
  check(a, ColumnOrder::stored);
  check_value_count(a, values.size());
  packed_ = std::make_unique<Packed>(a);
  Packed& p = *packed_;
  if (options.with != nullptr) {
    p.kernel = options.with;
  } else if (options.kernel.empty()) {
    p.kernel = &spmv_kernels().best();
  } else {
    p.kernel = &spmv_kernels().named(options.kernel);
    require_cpu(*p.kernel);
  }
  const SpmvPacker packer(a, values, p.kernel->width, p.entries);
  for (std::int64_t first = 0; first < a.rows;) {
    const std::int64_t end = end_of_chunk(a, first);
    p.chunks.push_back(packer.pack(first, end));
    first = end;
  }
}

SpmvPlan::~SpmvPlan() = default;
SpmvPlan::SpmvPlan(SpmvPlan&&) noexcept = default;
SpmvPlan& SpmvPlan::operator=(SpmvPlan&&) noexcept = default;

std::int64_t SpmvPlan::rows() const { return packed_->rows; }
std::int64_t SpmvPlan::cols() const { return packed_->cols; }
std::int64_t SpmvPlan::nnz() const { return packed_->nnz; }
std::string_view SpmvPlan::kernel() const { return packed_->kernel->name; }
std::uint64_t SpmvPlan::packed_bytes() const {
  std::uint64_t all = packed_->entries.bytes();
  for (const SpmvChunk& chunk : packed_->chunks) all += chunk.bytes();
  return all;
}

void SpmvPlan::multiply(std::span<const float> x, std::span<float> y, const SpmvExtras& extras,
                        int threads) const {
  const Packed& p = *packed_;
  check_vectors(p.rows, p.cols, x, y, extras);
  const MxcsrGuard no_flushing(0x1F80);
  PerWorker buffers(threads, [] { return AlignedBuffer(); });
  parallel_for(p.chunks.size(), threads, [&](std::size_t number, std::size_t worker) {
    const SpmvChunk& chunk = p.chunks[number];
    constexpr std::size_t widest = 16;
    const std::size_t whole = (chunk.rows + widest - 1) / widest * widest;
    SpmvTask task{.values = p.entries.values.data() + chunk.first_entry,
                  .columns = p.entries.columns_from(chunk.first_entry),
                  .common = chunk.common.data(),
                  .numbers = chunk.numbers.data(),
                  .extra = chunk.extra.data(),
                  .groups = chunk.groups,
                  .rows = chunk.rows,
                  .x = x.data()};
    task.sums = buffers[worker].at_least(whole);
    std::fill(task.sums + chunk.rows, task.sums + whole, 0.0F);
    task.y = y.data() + chunk.first_row;
    task.epilogue = epilogue_of(extras, chunk.first_row);
    p.entries.is_near ? p.kernel->near(task) : p.kernel->far(task);
  });
}

}  // namespace assay::sparse
