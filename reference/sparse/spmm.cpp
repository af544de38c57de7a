#include "reference/sparse/spmm.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/memory.hpp"
#include "reference/core/narrow.hpp"
#include "reference/core/parallel.hpp"

namespace assay::sparse {
namespace {

using std::to_string;

constexpr std::size_t near_bytes = 1 << 16;  // of the part of a panel that 16-bit offsets reach
constexpr std::int64_t most_rows = 1024;     // of a chunk: its sums stay in L2

// Floats at a multiple of 64 bytes, not initialised.
class AlignedFloats {
 public:
  float* at_least(std::size_t count) {
    if (count > count_) {
      memory_.reset();
      memory_.reset(static_cast<float*>(::operator new(count * sizeof(float), alignment)));
      count_ = count;
    }
    return memory_.get();
  }

 private:
  static constexpr std::align_val_t alignment{64};
  struct Free {
    void operator()(float* p) const { ::operator delete(p, alignment); }
  };
  std::unique_ptr<float, Free> memory_{};
  std::size_t count_ = 0;
};

// --- packing ---------------------------------------------------------------------------------------------------------

// The entries of one chunk of rows in one slice of K.
struct PackedSlice {
  std::vector<unsigned char> stream{};
  std::vector<SpmmGroup> groups{};
  std::vector<std::uint32_t> rows{}, extra{};
  std::uint32_t full_groups = 0, single_groups = 0;

  SpmmSlice view() const {
    return {stream.data(), groups.data(), rows.data(), extra.data(), full_groups, single_groups};
  }
  std::uint64_t bytes() const {
    return stream.size() + groups.size() * sizeof(SpmmGroup) +
           (rows.size() + extra.size()) * sizeof(std::uint32_t);
  }
};

struct Chunk {
  std::int64_t first_row = 0, rows = 0;
  std::vector<PackedSlice> slices{};
};

// A run of entries of one row.
struct Run {
  std::uint32_t row = 0;  // in the chunk
  std::int64_t begin = 0;
  std::uint32_t length = 0;
};

// Packs runs of one slice. Rows of about the same length stand side by side: what the shortest has not is `extra`.
class SlicePacker {
 public:
  SlicePacker(const CsrView& a, std::span<const float> values, const SpmmKernel& kernel, bool near)
      : a_(a), values_(values), kernel_(kernel), near_(near) {}

  PackedSlice pack(std::vector<Run>& runs, std::int64_t first_column) {
    // A row on its own stays in its place: Y is written in order.
    if (kernel_.rows > 1) sort_by_length(runs);
    PackedSlice out;
    first_column_ = first_column;
    std::size_t i = 0;
    for (; i + kernel_.rows <= runs.size(); i += kernel_.rows, ++out.full_groups)
      add_group(std::span(runs).subspan(i, kernel_.rows), out);
    for (; i < runs.size(); ++i, ++out.single_groups) add_group(std::span(runs).subspan(i, 1), out);
    return out;
  }

 private:
  // Longest first, by counting; rows of one length in their order.
  static void sort_by_length(std::vector<Run>& runs) {
    std::uint32_t longest = 0;
    for (const Run& run : runs) longest = std::max(longest, run.length);
    std::vector<std::uint32_t> at(static_cast<std::size_t>(longest) + 2, 0);
    for (const Run& run : runs) ++at[longest - run.length + 1];
    std::partial_sum(at.begin(), at.end(), at.begin());
    std::vector<Run> sorted(runs.size());
    for (const Run& run : runs) sorted[at[longest - run.length]++] = run;
    runs = std::move(sorted);
  }

  void add_group(std::span<const Run> runs, PackedSlice& out) {
    const std::uint32_t common = runs.back().length;
    out.groups.push_back({common, static_cast<std::uint32_t>(out.rows.size())});
    const std::size_t offset_bytes = near_ ? 2 : 4, entry = 4 + offset_bytes;
    std::size_t extra = 0;
    for (const Run& run : runs) {
      out.rows.push_back(run.row);
      out.extra.push_back(run.length - common);
      extra += run.length - common;
    }
    std::size_t at = out.stream.size();
    out.stream.resize(at + common * runs.size() * entry + extra * 8);
    for (std::uint32_t t = 0; t < common; ++t) {
      for (const Run& run : runs) at = put(out, at, &values_[index(run, t)], 4);
      for (const Run& run : runs) at = put_offset(out, at, index(run, t));
    }
    for (const Run& run : runs) {
      for (std::uint32_t t = common; t < run.length; ++t) {
        put(out, at, &values_[index(run, t)], 4);
        put_offset(out, at + 4, index(run, t));
        at += 8;
      }
    }
  }

  static std::size_t index(const Run& run, std::uint32_t t) {
    return static_cast<std::size_t>(run.begin) + t;
  }
  static std::size_t put(PackedSlice& out, std::size_t at, const void* from, std::size_t bytes) {
    std::memcpy(out.stream.data() + at, from, bytes);
    return at + bytes;
  }
  std::size_t put_offset(PackedSlice& out, std::size_t at, std::size_t entry) const {
    const std::int64_t row = a_.column_indices[entry] - first_column_;
    if (near_) {
      const auto offset =
          static_cast<std::uint16_t>(row * kernel_.width * static_cast<std::int64_t>(sizeof(float)));
      return put(out, at, &offset, 2);
    }
    const auto number = static_cast<std::uint32_t>(row);
    return put(out, at, &number, 4);
  }

  const CsrView& a_;
  std::span<const float> values_;
  const SpmmKernel& kernel_;
  bool near_;
  std::int64_t first_column_ = 0;
};

// Do the columns of every row ascend, so that a row can be cut into slices without changing its order?
bool can_be_sliced(const CsrView& a, std::int64_t depth) {
  for (std::int64_t i = 0; i < a.rows; ++i) {
    std::int64_t slice = 0;
    for (const std::int32_t column : a.row_columns(i)) {
      if (column / depth < slice) return false;
      slice = column / depth;
    }
  }
  return true;
}

// --- arguments -------------------------------------------------------------------------------------------------------

struct Extent {
  const float *begin = nullptr, *end = nullptr;
};
template <class View>
Extent extent(const View& x) {
  if (x.rows == 0 || x.cols == 0) return {};
  return {x.data, x.data + (x.rows - 1) * x.stride + x.cols};
}
bool overlap(const Extent& x, const Extent& y) {
  return x.begin != nullptr && y.begin != nullptr && std::less<>()(x.begin, y.end) &&
         std::less<>()(y.begin, x.end);
}

template <class View>
void check_matrix(const char* name, const View& x, std::int64_t rows, std::int64_t cols) {
  if (x.rows != rows || x.cols != cols)
    throw ContractError("spmm: " + std::string(name) + " is " + to_string(x.rows) + " x " +
                        to_string(x.cols) + ", not " + to_string(rows) + " x " + to_string(cols));
  if (x.rows < 0 || x.cols < 0)
    throw ContractError("spmm: " + std::string(name) + " is " + to_string(x.rows) + " x " +
                        to_string(x.cols));
  if (x.stride < x.cols)
    throw ContractError("spmm: " + std::string(name) + " has rows " + to_string(x.stride) + " apart, of " +
                        to_string(x.cols) + " columns");
  if (x.data == nullptr && rows != 0 && cols != 0)
    throw ContractError("spmm: " + std::string(name) + " is null");
}

void check_extras(const DenseView& x, const MutableDenseView& y, const SpmmExtras& e) {
  if (overlap(extent(x), extent(y))) throw ContractError("spmm: y shares memory with x");
  if (e.beta != 0) {
    check_matrix("c", e.c, y.rows, y.cols);
    const bool same = e.c.data == y.data && e.c.stride == y.stride;
    if (!same && overlap(extent(e.c), extent(y)))
      throw ContractError("spmm: y shares memory with c, and is not the same matrix");
  }
  if (e.bias_along != SpmmBias::none) {
    const std::int64_t wanted = e.bias_along == SpmmBias::rows ? y.rows : y.cols;
    if (static_cast<std::int64_t>(e.bias.size()) != wanted)
      throw ContractError("spmm: bias has " + to_string(e.bias.size()) + " values, not " + to_string(wanted));
    if (overlap({e.bias.data(), e.bias.data() + e.bias.size()}, extent(y)))
      throw ContractError("spmm: y shares memory with bias");
  }
  if (e.alpha != e.alpha || e.beta != e.beta) throw ContractError("spmm: alpha or beta is NaN");
  if (e.activation == SpmmActivation::clip && !(e.low <= e.high))
    throw ContractError("spmm: clip to [" + to_string(e.low) + ", " + to_string(e.high) + "]");
}

SpmmEpilogue epilogue_of(const SpmmExtras& e) {
  SpmmEpilogue out{
      .alpha = e.alpha, .beta = e.beta, .low = e.low, .high = e.high, .activation = e.activation};
  out.plain =
      e.alpha == 1 && e.beta == 0 && e.bias_along == SpmmBias::none && e.activation == SpmmActivation::none;
  return out;
}

}  // namespace

const KernelTable<SpmmKernel>& spmm_kernels() {
  static constexpr auto kernels = std::to_array<SpmmKernel>({
#define SPMM(isa, width, rows)                                                         \
  {{"f32_" #width "_" #isa, Isa::isa, #width " columns, " #rows " rows side by side"}, \
   width,                                                                              \
   rows,                                                                               \
   kernels::spmm_f32_##width##_near_##isa,                                             \
   kernels::spmm_f32_##width##_far_##isa},
#include "reference/sparse/spmm.def"
#undef SPMM
  });
  static constexpr KernelTable<SpmmKernel> table("spmm", kernels);
  return table;
}

// --- the plan --------------------------------------------------------------------------------------------------------

struct SpmmPlan::Packed {
  std::int64_t rows = 0, cols = 0, nnz = 0;
  const SpmmKernel* kernel = nullptr;
  SpmmFn* run = nullptr;
  std::int64_t depth = 0;
  std::vector<Chunk> chunks{};
  SpmmChoice choice{};

  std::int64_t width() const { return kernel->width; }
  std::int64_t panels(std::int64_t n) const { return (n + width() - 1) / width(); }

  // Every panel of n columns with every chunk of rows, on several threads. X lies as a panel at `in_place`, or
  // pack(part, to) packs a part of one; aim(tile, task) sets y and what joins the sums, done(tile) is told that
  // the tile has run.
  template <class Pack, class Aim, class Done>
  void for_each_tile(std::int64_t n, int threads, const DenseView& in_place, const Pack& pack, const Aim& aim,
                     const Done& done) const;
};

namespace {

// Few entries a slice cost more in sums that travel than in products: then fewer columns of more rows of X, and in the
// end all of K at once, X being read from the second cache. Measured on an Intel Xeon with 2 MiB of it.
constexpr double thin = 0.07, thinnest = 0.03;
bool takes_all_of_k(std::int64_t n, double density) { return density < thinnest && n >= 192; }

// A kernel for a product of n columns.
const SpmmKernel& choose_kernel(std::int64_t n, double density, const SpmmOptions& options) {
  if (options.with != nullptr) return *options.with;
  if (!options.kernel.empty()) {
    const SpmmKernel& named = spmm_kernels().named(options.kernel);
    require_cpu(named);
    return named;
  }
  // The widest ISA; of its panels one that wastes least of n.
  const SpmmKernel& best = spmm_kernels().best();
  const std::uint32_t widest = takes_all_of_k(n, density) ? 256 : density < thin ? 32 : 64;
  const SpmmKernel* chosen = nullptr;
  const auto padded = [&](const SpmmKernel& k) { return (n + k.width - 1) / k.width * k.width; };
  for (const SpmmKernel& one : spmm_kernels()) {
    if (one.needs != best.needs || one.width > widest) continue;
    // Of two that waste as little the wider one, which reads A fewer times.
    if (chosen == nullptr || padded(one) < padded(*chosen) ||
        (padded(one) == padded(*chosen) && one.width > chosen->width))
      chosen = &one;
  }
  return *chosen;
}

// Rows of X in a slice, of which 16-bit offsets reach `farthest`: half of that is what the first cache holds.
std::int64_t choose_depth(std::int64_t n, double density, std::int64_t farthest) {
  if (takes_all_of_k(n, density)) return std::numeric_limits<std::int64_t>::max();
  return density < thinnest ? farthest : farthest / 2;
}

// Why choose_kernel() and choose_depth() chose as they did; `depth` is what became of `wanted`.
std::string why_chosen(const SpmmOptions& options, double density, std::int64_t farthest, std::int64_t wanted,
                       std::int64_t depth, std::int64_t cols) {
  const bool all = takes_all_of_k(options.columns, density);
  std::string text;
  if (options.with != nullptr || !options.kernel.empty()) {
    text = "the kernel that was asked for";
  } else if (all) {
    text = "under 3 % of the places stored, 192 columns or more: the widest panels";
  } else {
    text = density < thin ? "under 7 % of the places stored: panels of up to 32 columns"
                          : "7 % of the places stored or more: panels of up to 64 columns";
    text += ", the width that pads X least";
  }
  if (depth == cols && wanted < cols) {
    return text + (wanted > farthest ? "; all of K at once, beyond what 16-bit offsets reach"
                                     : "; all of K at once, as the columns of a row do not ascend");
  }
  if (options.depth != 0) return text + "; the depth that was asked for";
  if (all) return text + "; all of K at once";
  if (depth == cols) return text + "; all of K fits in one slice";
  return text + (density < thinnest ? "; slices as deep as 16-bit offsets reach"
                                    : "; slices that fill half of the first cache");
}

}  // namespace

std::optional<std::uint64_t> spmm_plan_bytes(std::int64_t rows, std::int64_t cols, std::int64_t nnz,
                                             const SpmmOptions& options) {
  const std::int64_t k = std::max<std::int64_t>(cols, 1);
  const double density =
      nnz == 0 ? 0 : static_cast<double>(nnz) / static_cast<double>(rows) / static_cast<double>(k);
  const std::uint64_t row_bytes =
      choose_kernel(std::max<std::int64_t>(options.columns, 1), density, options).width * sizeof(float);
  const auto farthest = static_cast<std::int64_t>(near_bytes / row_bytes);
  const std::int64_t wanted =
      options.depth != 0 ? std::int64_t{options.depth} : choose_depth(options.columns, density, farthest);
  const auto count = [](std::int64_t n) { return static_cast<std::uint64_t>(n); };
  const std::uint64_t slices = count((k + std::min(wanted, k) - 1) / std::min(wanted, k));
  // Runs: of each row that has entries in a slice, and of all rows in the first and in the last slice.
  const std::uint64_t in_slices = bytes_product({count(rows), slices}).value_or(count(nnz)),
                      runs = std::min(count(nnz), in_slices) + 2 * count(rows);
  constexpr std::uint64_t of_entry = 8, of_run = sizeof(SpmmGroup) + 2 * sizeof(std::uint32_t);
  // Vectors that grow hold up to twice what they need.
  return bytes_sum({bytes_product({2, count(nnz), of_entry}), bytes_product({2, runs, of_run}),
                    bytes_product({2, count(rows / most_rows + 1), slices, sizeof(PackedSlice)}),
                    bytes_product({count(rows), sizeof(std::int64_t)}),
                    bytes_product({2, count(std::max(k, most_rows)), row_bytes})});
}

SpmmPlan::SpmmPlan(const CsrView& a, std::span<const float> values, const SpmmOptions& options)
    : packed_(std::make_unique<Packed>()) {
  check(a, ColumnOrder::stored);
  check_value_count(a, values.size());
  Packed& p = *packed_;
  p.rows = a.rows;
  p.cols = a.cols;
  p.nnz = a.nnz();
  const double density =
      p.nnz == 0 ? 0 : static_cast<double>(p.nnz) / static_cast<double>(a.rows) / static_cast<double>(a.cols);
  p.kernel = &choose_kernel(std::max<std::int64_t>(options.columns, 1), density, options);
  const std::int64_t row_bytes = p.kernel->width * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t farthest = static_cast<std::int64_t>(near_bytes) / row_bytes;
  const std::int64_t wanted =
      options.depth != 0 ? std::int64_t{options.depth} : choose_depth(options.columns, density, farthest);
  const std::int64_t cols = std::max<std::int64_t>(a.cols, 1);
  p.depth = std::min(wanted, cols);
  // Columns that do not ascend: all of K at once.
  if (p.depth < cols && !can_be_sliced(a, p.depth)) p.depth = cols;
  const bool near = p.depth <= farthest;
  if (!near) p.depth = cols;
  p.run = near ? p.kernel->near : p.kernel->far;

  const std::int64_t slices = std::max<std::int64_t>(1, (a.cols + p.depth - 1) / p.depth);
  std::vector<std::int64_t> at(a.row_offsets.begin(), a.row_offsets.end() - (a.rows == 0 ? 0 : 1));
  for (std::int64_t first = 0; first < a.rows; first += most_rows) {
    Chunk chunk{first, std::min(most_rows, a.rows - first), {}};
    SlicePacker packer(a, values, *p.kernel, near);
    std::vector<Run> runs;
    for (std::int64_t s = 0; s < slices; ++s) {
      runs.clear();
      const std::int64_t end_column = std::min(a.cols, (s + 1) * p.depth);
      for (std::int64_t i = 0; i < chunk.rows; ++i) {
        const auto row = static_cast<std::size_t>(first + i);
        const std::int64_t begin = at[row];
        std::int64_t end = begin;
        while (end < a.row_offsets[row + 1] && a.column_indices[static_cast<std::size_t>(end)] < end_column)
          ++end;
        at[row] = end;
        // The first slice begins every row, the last one ends it.
        if (end > begin || s == 0 || s == slices - 1)
          runs.push_back(
              {static_cast<std::uint32_t>(i), begin, narrow<std::uint32_t>(end - begin, "entries of a row")});
      }
      chunk.slices.push_back(packer.pack(runs, s * p.depth));
    }
    p.chunks.push_back(std::move(chunk));
  }
  p.choice = {.kernel = p.kernel->name,
              .width = p.kernel->width,
              .depth = p.depth,
              .slices = slices,
              .chunks = static_cast<std::int64_t>(p.chunks.size()),
              .why = why_chosen(options, density, farthest, wanted, p.depth, cols)};
  for (const Chunk& chunk : p.chunks) {
    for (const PackedSlice& slice : chunk.slices) p.choice.packed_bytes += slice.bytes();
  }
}

SpmmPlan::~SpmmPlan() = default;
SpmmPlan::SpmmPlan(SpmmPlan&&) noexcept = default;
SpmmPlan& SpmmPlan::operator=(SpmmPlan&&) noexcept = default;

std::int64_t SpmmPlan::rows() const { return packed_->rows; }
std::int64_t SpmmPlan::cols() const { return packed_->cols; }
std::int64_t SpmmPlan::nnz() const { return packed_->nnz; }
const SpmmChoice& SpmmPlan::choice() const { return packed_->choice; }

namespace {

// What a worker keeps between tasks.
struct Workspace {
  AlignedFloats panel{}, sums{}, y{}, c{};
};

// What is packed of X: rows [row, row + rows) and columns [first, first + columns); of X^T in a transposed product.
struct Part {
  std::int64_t row, rows, first, columns;
};

// `width` floats a row, what is beyond the columns zeros.
void pack_columns(const DenseView& x, const Part& part, std::int64_t width, float* to) {
  for (std::int64_t k = part.row; k < part.row + part.rows; ++k, to += width) {
    std::memcpy(to, x.data + k * x.stride + part.first,
                static_cast<std::size_t>(part.columns) * sizeof(float));
    if (part.columns != width) std::fill(to + part.columns, to + width, 0.0F);
  }
}

// to[j * to_stride + i] = from[i * from_stride + j], in strips so that what is written stays in the cache.
void transpose(const float* from, std::int64_t from_stride, std::int64_t rows, std::int64_t cols, float* to,
               std::int64_t to_stride) {
  constexpr std::int64_t side = 16;
  for (std::int64_t j0 = 0; j0 < cols; j0 += side) {
    const std::int64_t end = std::min(cols, j0 + side);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = j0; j < end; ++j) to[j * to_stride + i] = from[i * from_stride + j];
    }
  }
}

// Rows of X as columns of a panel.
void pack_rows(const DenseView& x, const Part& part, std::int64_t width, float* to) {
  transpose(x.data + part.first * x.stride + part.row, x.stride, part.columns, part.rows, to, width);
  if (part.columns == width) return;
  for (std::int64_t k = 0; k < part.rows; ++k)
    std::fill(to + k * width + part.columns, to + (k + 1) * width, 0.0F);
}

// Can a panel be read where it lies?
bool lies_well(const DenseView& x, std::int64_t width, bool near) {
  if (near) return x.stride == width && x.cols == width && reinterpret_cast<std::uintptr_t>(x.data) % 64 == 0;
  // Rows a page apart share the sets of the caches.
  constexpr std::int64_t page = 4096 / sizeof(float);
  return x.stride % page != 0 || x.stride == width;
}

// A chunk of rows times a panel of columns, and the worker that computes it.
struct Tile {
  const Chunk& chunk;
  std::int64_t first, columns;
  Workspace& space;
};

}  // namespace

template <class Pack, class Aim, class Done>
void SpmmPlan::Packed::for_each_tile(std::int64_t n, int threads, const DenseView& in_place, const Pack& pack,
                                     const Aim& aim, const Done& done) const {
  const MxcsrGuard no_flushing(0x1F80);
  const auto of_rows = static_cast<std::int64_t>(chunks.size()), tasks = panels(n) * of_rows;
  PerWorker workspaces(threads, [] { return Workspace(); });
  parallel_for(static_cast<std::size_t>(tasks), threads, [&](std::size_t number, std::size_t worker) {
    const std::int64_t panel = static_cast<std::int64_t>(number) / of_rows, first = panel * width();
    const Tile tile{chunks[number % static_cast<std::size_t>(of_rows)], first, std::min(width(), n - first),
                    workspaces[worker]};
    // A slice of a panel is packed right before it is used: then it is in the first cache.
    const bool packs = in_place.data == nullptr || tile.columns != width();
    float* const packed =
        packs ? tile.space.panel.at_least(static_cast<std::size_t>(depth * width())) : nullptr;
    SpmmTask task{.sums = tile.space.sums.at_least(static_cast<std::size_t>(tile.chunk.rows * width())),
                  .columns = static_cast<std::uint32_t>(tile.columns)};
    aim(tile, task);
    const std::size_t slices = tile.chunk.slices.size();
    for (std::size_t s = 0; s < slices; ++s) {
      task.slice = tile.chunk.slices[s].view();
      const std::int64_t row = static_cast<std::int64_t>(s) * depth;
      if (packs) pack(Part{row, std::min(depth, cols - row), first, tile.columns}, packed);
      task.x = packs ? packed : in_place.data + row * in_place.stride + first;
      task.x_stride = packs ? width() : in_place.stride;
      task.first = s == 0;
      task.last = s + 1 == slices;
      run(task);
    }
    done(tile);
  });
}

void SpmmPlan::multiply(const DenseView& x, const MutableDenseView& y, const SpmmExtras& extras,
                        int threads) const {
  const Packed& p = *packed_;
  check_matrix("x", x, p.cols, x.cols);
  check_matrix("y", y, p.rows, x.cols);
  check_extras(x, y, extras);
  const std::int64_t n = x.cols;
  p.for_each_tile(
      n, threads, lies_well(x, p.width(), p.run == p.kernel->near) ? x : DenseView{},
      [&](const Part& part, float* to) { pack_columns(x, part, p.width(), to); },
      [&](const Tile& tile, SpmmTask& task) {
        const std::int64_t row = tile.chunk.first_row;
        task.y = y.data + row * y.stride + tile.first;
        task.y_stride = y.stride;
        task.epilogue = epilogue_of(extras);
        if (extras.beta != 0) {
          task.epilogue.c = extras.c.data + row * extras.c.stride + tile.first;
          task.epilogue.c_stride = extras.c.stride;
        }
        if (extras.bias_along == SpmmBias::rows) task.epilogue.row_bias = extras.bias.data() + row;
        if (extras.bias_along == SpmmBias::columns)
          task.epilogue.column_bias = extras.bias.data() + tile.first;
      },
      [](const Tile&) {});
}

void SpmmPlan::multiply_transposed(const DenseView& x, const MutableDenseView& y, const SpmmExtras& extras,
                                   int threads) const {
  const Packed& p = *packed_;
  check_matrix("x", x, x.rows, p.cols);
  check_matrix("y", y, x.rows, p.rows);
  check_extras(x, y, extras);
  const std::int64_t width = p.width();
  p.for_each_tile(
      x.rows, threads, {}, [&](const Part& part, float* to) { pack_rows(x, part, width, to); },
      [&](const Tile& tile, SpmmTask& task) {
        const std::int64_t row = tile.chunk.first_row, rows = tile.chunk.rows;
        const auto floats = static_cast<std::size_t>(rows * width);
        task.y = tile.space.y.at_least(floats);
        task.y_stride = width;
        task.epilogue = epilogue_of(extras);
        if (extras.beta != 0) {
          float* const c = tile.space.c.at_least(floats);
          transpose(extras.c.data + tile.first * extras.c.stride + row, extras.c.stride, tile.columns, rows,
                    c, width);
          task.epilogue.c = c;
          task.epilogue.c_stride = width;
        }
        // What is a row of Y is a column of A X^T.
        if (extras.bias_along == SpmmBias::columns) task.epilogue.row_bias = extras.bias.data() + row;
        if (extras.bias_along == SpmmBias::rows) task.epilogue.column_bias = extras.bias.data() + tile.first;
      },
      [&](const Tile& tile) {
        transpose(tile.space.y.at_least(0), width, tile.chunk.rows, tile.columns,
                  y.data + tile.first * y.stride + tile.chunk.first_row, y.stride);
      });
}

}  // namespace assay::sparse
