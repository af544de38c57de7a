#include "reference/sparse/spmm.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/large_memory.hpp"
#include "reference/core/narrow.hpp"
#include "reference/core/parallel.hpp"
#include "reference/sparse/spmm_arguments.hpp"

namespace assay::sparse {
namespace {

using std::to_string;

constexpr std::size_t near_bytes = 1 << 16;  // of the part of a panel that 16-bit offsets reach

// --- packing ---------------------------------------------------------------------------------------------------------

// The entries of one chunk of rows in one slice of K.
struct PackedSlice {
  std::vector<unsigned char> stream{};  // until all are packed; then at `streamed`, in the plan's memory
  const unsigned char* streamed = nullptr;
  std::size_t stream_bytes = 0;
  std::vector<SpmmGroup> groups{};
  std::vector<std::uint32_t> rows{}, extra{};
  std::uint32_t shared_groups = 0, full_groups = 0, single_groups = 0;
  std::int64_t shared_entries = 0, filled_zeros = 0;

  SpmmSlice view() const {
    return {streamed, groups.data(), rows.data(), extra.data(), shared_groups, full_groups, single_groups};
  }
  std::uint64_t bytes() const {
    return stream_bytes + groups.size() * sizeof(SpmmGroup) +
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

std::span<const std::int32_t> columns_of(const CsrView& a, const Run& run) {
  return a.column_indices.subspan(static_cast<std::size_t>(run.begin), run.length);
}

// The columns of all runs, ascending, where those of each ascend.
void unite(const CsrView& a, std::span<const Run> runs, std::vector<std::int32_t>& columns) {
  columns.clear();
  std::vector<std::int32_t> before;
  for (const Run& run : runs) {
    const auto more = columns_of(a, run);
    before.swap(columns);
    columns.clear();
    std::set_union(before.begin(), before.end(), more.begin(), more.end(), std::back_inserter(columns));
  }
}

// A multiply-add of a row of its own waits for its load of X, and takes this many times as long as one of rows that
// share. Measured on an Intel Xeon (Sapphire Rapids).
constexpr double own_columns_cost = 1.5;

// Packs runs of one slice: first rows side by side that share their columns, then the others. Of these, rows of about
// the same length stand side by side: what the shortest has not is `extra`.
class SlicePacker {
 public:
  SlicePacker(const CsrView& a, std::span<const float> values, const SpmmKernel& kernel, bool near,
              SpmmSharing sharing, std::int64_t depth)
      : a_(a), values_(values), kernel_(kernel), near_(near), sharing_(sharing) {
    if (sharing != SpmmSharing::filled) return;
    is_there_.resize(static_cast<std::size_t>(depth / 64 + 1));
    place_.resize(static_cast<std::size_t>(depth));
  }

  PackedSlice pack(std::vector<Run>& runs, std::int64_t first_column) {
    PackedSlice out;
    first_column_ = first_column;
    if (kernel_.rows > 1) {
      share(runs, out);
      // A row on its own stays in its place: Y is written in order.
      sort_by_length(runs);
    }
    std::size_t i = 0;
    for (; i + kernel_.rows <= runs.size(); i += kernel_.rows, ++out.full_groups)
      add_group(std::span(runs).subspan(i, kernel_.rows), out);
    for (; i < runs.size(); ++i, ++out.single_groups) add_group(std::span(runs).subspan(i, 1), out);
    // A kernel looks at the rows of the next group.
    out.rows.insert(out.rows.end(), kernel_.rows, out.rows.empty() ? 0 : out.rows.back());
    return out;
  }

 private:
  // Packs neighbours that share their columns, and leaves the other runs.
  void share(std::vector<Run>& runs, PackedSlice& out) {
    if (sharing_ == SpmmSharing::none) return;
    std::vector<Run> others;
    for (std::size_t i = 0; i < runs.size();) {
      const auto group = std::span(runs).subspan(i, std::min<std::size_t>(kernel_.rows, runs.size() - i));
      if (group.size() == kernel_.rows && shares(group)) {
        add_shared(group, out);
        i += group.size();
      } else {
        others.push_back(runs[i++]);
      }
    }
    runs = std::move(others);
  }

  // Leaves the columns in columns_.
  bool shares(std::span<const Run> group) {
    const auto first = columns_of(a_, group[0]);
    const bool same = std::all_of(group.begin(), group.end(), [&](const Run& run) {
      return std::ranges::equal(columns_of(a_, run), first);
    });
    if (same) {
      columns_.assign(first.begin(), first.end());
      return true;
    }
    if (sharing_ != SpmmSharing::filled) return false;
    unite(group);
    std::size_t entries = 0;
    for (const Run& run : group) entries += run.length;
    const std::size_t places = columns_.size() * group.size();
    return static_cast<double>(entries) * own_columns_cost > static_cast<double>(places);
  }

  // The columns of all runs into columns_, ascending, and where each stands there into place_.
  void unite(std::span<const Run> group) {
    std::fill(is_there_.begin(), is_there_.end(), std::uint64_t{0});
    for (const Run& run : group) {
      for (const std::int32_t column : columns_of(a_, run)) {
        const std::size_t at = in_slice(column);
        is_there_[at / 64] |= std::uint64_t{1} << at % 64;
      }
    }
    columns_.clear();
    for (std::size_t word = 0; word < is_there_.size(); ++word) {
      for (std::uint64_t left = is_there_[word]; left != 0; left &= left - 1) {
        const std::size_t at = word * 64 + static_cast<std::size_t>(std::countr_zero(left));
        place_[at] = static_cast<std::uint32_t>(columns_.size());
        columns_.push_back(static_cast<std::int32_t>(first_column_ + static_cast<std::int64_t>(at)));
      }
    }
  }
  std::size_t in_slice(std::int32_t column) const { return static_cast<std::size_t>(column - first_column_); }

  void add_shared(std::span<const Run> group, PackedSlice& out) {
    out.groups.push_back(
        {static_cast<std::uint32_t>(columns_.size()), static_cast<std::uint32_t>(out.rows.size())});
    ++out.shared_groups;
    const std::size_t rows = group.size(), entry = 4 * rows + (near_ ? 2 : 4), begin = out.stream.size();
    out.stream.resize(begin + columns_.size() * entry);  // zeros
    for (std::size_t r = 0; r < rows; ++r) {
      const Run& run = group[r];
      out.rows.push_back(run.row);
      out.extra.push_back(0);
      out.shared_entries += run.length;
      const auto columns = columns_of(a_, run);
      const bool same = columns.size() == columns_.size();  // in whatever order
      for (std::uint32_t e = 0; e < run.length; ++e) {
        const std::size_t t = same ? e : place_[in_slice(columns[e])];
        put(out, begin + t * entry + 4 * r, &values_[index(run, e)], 4);
      }
    }
    for (std::size_t t = 0; t < columns_.size(); ++t)
      put_offset(out, begin + t * entry + 4 * rows, columns_[t]);
    std::int64_t entries = 0;
    for (const Run& run : group) entries += run.length;
    out.filled_zeros += static_cast<std::int64_t>(columns_.size() * rows) - entries;
  }

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
      for (const Run& run : runs) at = put_offset(out, at, a_.column_indices[index(run, t)]);
    }
    for (const Run& run : runs) {
      for (std::uint32_t t = common; t < run.length; ++t) {
        put(out, at, &values_[index(run, t)], 4);
        put_offset(out, at + 4, a_.column_indices[index(run, t)]);
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
  std::size_t put_offset(PackedSlice& out, std::size_t at, std::int32_t column) const {
    const std::int64_t row = column - first_column_;
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
  SpmmSharing sharing_;
  std::int64_t first_column_ = 0;
  std::vector<std::int32_t> columns_{};  // of the group
  std::vector<std::uint64_t> is_there_{};
  std::vector<std::uint32_t> place_{};
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

}  // namespace

const KernelTable<SpmmKernel>& spmm_kernels() {
  static constexpr auto kernels = std::to_array<SpmmKernel>({
#define SPMM(isa, lanes, width, rows)                                                  \
  {{"f32_" #width "_" #isa, Isa::isa, #width " columns, " #rows " rows side by side"}, \
   lanes,                                                                              \
   width,                                                                              \
   rows,                                                                               \
   kernels::spmm_f32_##width##_near_##isa,                                             \
   kernels::spmm_f32_##width##_far_##isa,                                              \
   kernels::spmm_f32_finish_##isa},
#include "reference/sparse/spmm.def"
#undef SPMM
  });
  static constexpr KernelTable<SpmmKernel> table("spmm", kernels);
  return table;
}

// --- the plan --------------------------------------------------------------------------------------------------------

struct SpmmPlan::Packed {
  std::int64_t rows = 0, cols = 0;
  const SpmmKernel* kernel = nullptr;
  SpmmFn* run = nullptr;
  std::int64_t depth = 0;
  std::int64_t most_rows = 0;  // of a chunk
  std::vector<Chunk> chunks{};
  LargeMemory streams{};

  Packed(const CsrView& a, std::span<const float> values, const SpmmKernel& with, std::int64_t wanted_depth,
         SpmmSharing sharing);
  void gather_streams();

  std::int64_t width() const { return kernel->width; }
  std::int64_t panels(std::int64_t n) const { return (n + width() - 1) / width(); }
  bool is_near() const { return run == kernel->near; }

  // The sum of a member over all packed slices.
  template <class Number>
  auto total(const Number& of) const {
    decltype(of(PackedSlice{})) sum = 0;
    for (const Chunk& chunk : chunks) {
      for (const PackedSlice& slice : chunk.slices) sum += of(slice);
    }
    return sum;
  }

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
// All of a panel of X must lie there.
bool takes_all_of_k(std::int64_t k, std::int64_t n, double density) {
  constexpr std::int64_t least_columns = 192, most_floats = 1 << 18;
  return density < thinnest && n >= least_columns && k <= most_floats / 256;
}

double density_of(const CsrView& a) {
  return a.nnz() == 0
             ? 0
             : static_cast<double>(a.nnz()) / static_cast<double>(a.rows) / static_cast<double>(a.cols);
}

// Columns that a kernel computes for n of them: of a last panel that is half empty half, and so on.
std::int64_t padded(std::int64_t n, const SpmmKernel& k) {
  const std::int64_t width = k.width, whole = n / width * width;
  std::int64_t last = width;
  while (last > k.lanes && n - whole <= last / 2) last /= 2;
  return n == whole ? n : whole + last;
}

// A kernel for a product of n columns by rows with columns of their own.
const SpmmKernel& choose_kernel(std::int64_t k, std::int64_t n, double density, const SpmmOptions& options) {
  if (options.with != nullptr) return *options.with;
  if (!options.kernel.empty()) {
    const SpmmKernel& named = spmm_kernels().named(options.kernel);
    require_cpu(named);
    return named;
  }
  // The widest ISA; of its panels one that wastes least of n.
  const SpmmKernel& best = spmm_kernels().best();
  const std::uint32_t widest = takes_all_of_k(k, n, density) ? 256 : density < thin ? 32 : 64;
  const SpmmKernel* chosen = nullptr;
  for (const SpmmKernel& one : spmm_kernels()) {
    if (one.needs != best.needs || one.width > widest) continue;
    // Of two that waste as little the wider one, which reads A fewer times.
    if (chosen == nullptr || padded(n, one) < padded(n, *chosen) ||
        (padded(n, one) == padded(n, *chosen) && one.width > chosen->width))
      chosen = &one;
  }
  return *chosen;
}

// The part of the places that are entries, if neighbours, as many as a kernel has side by side, had all columns of each
// other. Of a sample of the rows: a plan costs less than 20 products.
double entries_of_places(const CsrView& a, std::int64_t side_by_side) {
  constexpr std::int64_t samples = 24;
  std::vector<Run> runs;
  std::vector<std::int32_t> columns;
  std::int64_t places = 0, entries = 0;
  const std::int64_t groups = (a.rows + side_by_side - 1) / side_by_side;
  for (std::int64_t sample = 0; sample < std::min(groups, samples); ++sample) {
    const std::int64_t i = sample * groups / std::min(groups, samples) * side_by_side;
    runs.clear();
    for (std::int64_t r = i; r < std::min(a.rows, i + side_by_side); ++r)
      runs.push_back({0, a.row_begin(r), narrow<std::uint32_t>(a.row_length(r), "entries of a row")});
    unite(a, runs, columns);
    places += static_cast<std::int64_t>(columns.size() * runs.size());
    for (const Run& run : runs) entries += run.length;
  }
  return places == 0 ? 0 : static_cast<double>(entries) / static_cast<double>(places);
}

struct KernelAndSharing {
  const SpmmKernel* kernel;
  SpmmSharing sharing;
  bool of_blocks = false;  // rows side by side have the same columns
};

KernelAndSharing choose(const CsrView& a, const SpmmOptions& options) {
  const std::int64_t n = std::max<std::int64_t>(options.columns, 1);
  const SpmmKernel& own = choose_kernel(a.cols, n, density_of(a), options);
  const bool ascends = !first_defect(a, ColumnOrder::ascending);
  if (options.sharing != SpmmSharing::chosen)
    return {&own,
            options.sharing == SpmmSharing::filled && !ascends ? SpmmSharing::same_columns : options.sharing};
  KernelAndSharing best{&own, SpmmSharing::same_columns};
  if (!ascends) return best;
  const bool is_open = options.with == nullptr && options.kernel.empty();
  double least = own_columns_cost * static_cast<double>(padded(n, own));
  for (const SpmmKernel& one : spmm_kernels()) {
    if (one.rows <= 2 || !(is_open ? one.needs == own.needs : &one == &own)) continue;
    const double share = entries_of_places(a, one.rows);
    const double cost = static_cast<double>(padded(n, one)) / std::max(share, 1e-9);
    if (cost >= least) continue;
    least = cost;
    best = {&one, share == 1 ? SpmmSharing::same_columns : SpmmSharing::filled, share == 1};
  }
  return best;
}

// The rows of a chunk from `first`: its sums and its entries of a slice stay in L2, and rows side by side are of one.
std::int64_t rows_of_chunk(const CsrView& a, std::int64_t first, std::int64_t side_by_side,
                           std::int64_t slices) {
  constexpr std::int64_t most_rows = 1024, most_entries = 1 << 15;
  std::int64_t end = first;
  do {
    end = std::min(a.rows, end + side_by_side);
  } while (end < a.rows && end + side_by_side - first <= most_rows &&
           a.row_begin(end) - a.row_begin(first) < most_entries * slices);
  return end - first;
}

// Rows of X in a slice.
std::int64_t choose_depth(const CsrView& a, const SpmmOptions& options, const KernelAndSharing& chosen) {
  constexpr std::int64_t all = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t second_cache = 1 << 20;  // the part of it that X gets
  constexpr double thin_blocks = 0.25;
  const std::int64_t row_bytes = chosen.kernel->width * static_cast<std::int64_t>(sizeof(float));
  const double density = density_of(a);
  if (options.depth != 0) return options.depth;
  // Blocks read X less often than they read and write sums.
  if (chosen.of_blocks && density < thin_blocks && a.cols * row_bytes <= second_cache) return all;
  if (chosen.sharing != SpmmSharing::filled && takes_all_of_k(a.cols, options.columns, density)) return all;
  // What 16-bit offsets reach; half of that is what the first cache holds.
  const std::int64_t farthest = static_cast<std::int64_t>(near_bytes) / row_bytes;
  return chosen.sharing != SpmmSharing::filled && density < thinnest ? farthest : farthest / 2;
}

float widened(bf16_t x) { return std::bit_cast<float>(std::uint32_t{x.code} << 16); }

}  // namespace

SpmmPlan::Packed::Packed(const CsrView& a, std::span<const float> values, const SpmmKernel& with,
                         std::int64_t wanted_depth, SpmmSharing sharing)
    : rows(a.rows), cols(a.cols), kernel(&with) {
  const std::int64_t farthest = static_cast<std::int64_t>(near_bytes / sizeof(float)) / width();
  const std::int64_t some_cols = std::max<std::int64_t>(a.cols, 1);
  depth = std::min(wanted_depth, some_cols);
  // Columns that do not ascend: all of K at once.
  if (depth < some_cols && !can_be_sliced(a, depth)) depth = some_cols;
  const bool near = depth <= farthest;
  if (!near) depth = some_cols;
  run = near ? kernel->near : kernel->far;

  const std::int64_t slices = std::max<std::int64_t>(1, (a.cols + depth - 1) / depth);
  std::vector<std::int64_t> at(a.row_offsets.begin(), a.row_offsets.end() - (a.rows == 0 ? 0 : 1));
  for (std::int64_t first = 0; first < a.rows;) {
    Chunk chunk{first, rows_of_chunk(a, first, with.rows, slices), {}};
    most_rows = std::max(most_rows, chunk.rows);
    first += chunk.rows;
    SlicePacker packer(a, values, *kernel, near, sharing, depth);
    std::vector<Run> runs;
    for (std::int64_t s = 0; s < slices; ++s) {
      runs.clear();
      const std::int64_t end_column = std::min(a.cols, (s + 1) * depth);
      for (std::int64_t i = 0; i < chunk.rows; ++i) {
        const auto row = static_cast<std::size_t>(chunk.first_row + i);
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
      chunk.slices.push_back(packer.pack(runs, s * depth));
    }
    chunks.push_back(std::move(chunk));
  }
  gather_streams();
}

// In the order in which they are read.
void SpmmPlan::Packed::gather_streams() {
  streams = large_memory(total([](const PackedSlice& slice) { return slice.stream.size(); }));
  unsigned char* to = streams.get();
  for (Chunk& chunk : chunks) {
    for (PackedSlice& slice : chunk.slices) {
      slice.streamed = to;
      slice.stream_bytes = slice.stream.size();
      to = std::copy(slice.stream.begin(), slice.stream.end(), to);
      slice.stream = {};
    }
  }
}

SpmmPlan::SpmmPlan(const CsrView& a, std::span<const float> values, const SpmmOptions& options) {
  check(a, ColumnOrder::stored);
  check_value_count(a, values.size());
  const KernelAndSharing chosen = choose(a, options);
  const SpmmKernel* const kernel = chosen.kernel;
  const SpmmSharing sharing = chosen.sharing;
  const std::int64_t depth = choose_depth(a, options, chosen);
  packed_ = std::make_unique<Packed>(a, values, *kernel, depth, sharing);
  const auto filled = packed_->total([](const PackedSlice& slice) { return slice.filled_zeros; });
  if (filled != 0) {
    unfilled_ = std::make_unique<Packed>(a, values, *kernel, depth, SpmmSharing::same_columns);
    last_bits_.add(values);
  }
  const auto bytes = [](const PackedSlice& slice) { return slice.bytes(); };
  choice_ = {
      .kernel = kernel->name,
      .width = kernel->width,
      .depth = packed_->depth,
      .slices = packed_->chunks.empty() ? 0 : static_cast<std::int64_t>(packed_->chunks[0].slices.size()),
      .chunks = static_cast<std::int64_t>(packed_->chunks.size()),
      .sharing = sharing,
      .shared_entries = packed_->total([](const PackedSlice& slice) { return slice.shared_entries; }),
      .filled_zeros = filled,
      .packed_bytes = packed_->total(bytes) + (unfilled_ ? unfilled_->total(bytes) : 0)};
  nnz_ = a.nnz();
}

// A zero of A that was filled in changes no sum where X is finite and no product lies below float32's last bit: a
// product of it is a zero, and no sum is -0, for one begins at +0, what cancels is +0, and nothing rounds to zero.
template <class View>
const SpmmPlan::Packed& SpmmPlan::packed_for(const View& x) const {
  using Number = std::remove_cvref_t<decltype(*x.data)>;
  if (unfilled_ == nullptr) return *packed_;
  LastBits<Number> of_x;
  of_x.add_matrix(x);
  const bool shows = !of_x.all_finite() || products_reach_below(of_x, last_bits_, -149);
  return shows ? *unfilled_ : *packed_;
}

SpmmPlan::~SpmmPlan() = default;
SpmmPlan::SpmmPlan(SpmmPlan&&) noexcept = default;
SpmmPlan& SpmmPlan::operator=(SpmmPlan&&) noexcept = default;

std::int64_t SpmmPlan::rows() const { return packed_->rows; }
std::int64_t SpmmPlan::cols() const { return packed_->cols; }
std::int64_t SpmmPlan::nnz() const { return nnz_; }
const SpmmChoice& SpmmPlan::choice() const { return choice_; }

namespace {

// What a worker keeps between tasks.
struct Workspace {
  AlignedBuffer panel{}, sums{}, y{}, c{};
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

void pack_columns(const Bf16View& x, const Part& part, std::int64_t width, float* to) {
  for (std::int64_t k = part.row; k < part.row + part.rows; ++k, to += width) {
    const bf16_t* const from = x.data + k * x.stride + part.first;
    for (std::int64_t j = 0; j < part.columns; ++j) to[j] = widened(from[j]);
    std::fill(to + part.columns, to + width, 0.0F);
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

// X, if its panels can be read where they lie.
DenseView in_place(const DenseView& x, std::int64_t width, bool near) {
  // Rows a page apart share the sets of the caches.
  constexpr std::int64_t page = 4096 / sizeof(float);
  const bool lies_well =
      near ? x.stride == width && x.cols == width && reinterpret_cast<std::uintptr_t>(x.data) % 64 == 0
           : x.stride % page != 0 || x.stride == width;
  return lies_well ? x : DenseView{};
}
DenseView in_place(const Bf16View&, std::int64_t, bool) { return {}; }

// A chunk of rows times a panel of columns, and the worker that computes it with others that lie beside it.
struct Tile {
  const Chunk& chunk;
  std::int64_t first, columns;
  std::size_t number;  // among those that a worker computes at once
  Workspace& space;

  float* part_of(AlignedBuffer& buffer, std::size_t floats) const;
};

// How many panels a worker takes through one chunk at once, so that all but the first read a slice of A from L2:
// what their sums have room for there, and not so many that workers have nothing to do.
constexpr std::int64_t most_panels = 8, sums_bytes = 1 << 19;
// The part of a buffer that is this tile's, of `floats` for each.
float* Tile::part_of(AlignedBuffer& buffer, std::size_t floats) const {
  return buffer.at_least(most_panels * floats) + number * floats;
}

std::int64_t panels_at_once(std::int64_t panels, std::int64_t chunks, std::int64_t bytes, int threads) {
  const std::int64_t room =
      std::clamp<std::int64_t>(sums_bytes / std::max<std::int64_t>(bytes, 1), 1, most_panels);
  const std::int64_t workers = threads_or_default(threads);
  const std::int64_t shared = workers == 1 ? room : panels * chunks / (3 * workers);
  return std::clamp<std::int64_t>(shared, 1, std::min(room, panels));
}

}  // namespace

template <class Pack, class Aim, class Done>
void SpmmPlan::Packed::for_each_tile(std::int64_t n, int threads, const DenseView& in_place, const Pack& pack,
                                     const Aim& aim, const Done& done) const {
  const MxcsrGuard no_flushing(0x1F80);
  if (n == 0 || chunks.empty()) return;
  const auto of_rows = static_cast<std::int64_t>(chunks.size());
  const std::int64_t floats = most_rows * width();
  const std::int64_t at_once =
      panels_at_once(panels(n), of_rows, floats * static_cast<std::int64_t>(sizeof(float)), threads);
  const std::int64_t groups = (panels(n) + at_once - 1) / at_once;
  PerWorker workspaces(threads, [] { return Workspace(); });
  parallel_for(static_cast<std::size_t>(groups * of_rows), threads,
               [&](std::size_t number, std::size_t worker) {
                 const std::int64_t group = static_cast<std::int64_t>(number) / of_rows;
                 const Chunk& chunk = chunks[number % static_cast<std::size_t>(of_rows)];
                 Workspace& space = workspaces[worker];
                 float* const sums = space.sums.at_least(static_cast<std::size_t>(at_once * floats));
                 std::array<SpmmTask, most_panels> tasks;
                 const std::int64_t end = std::min(panels(n), (group + 1) * at_once);
                 const auto for_each_panel = [&](const auto& visit) {
                   for (std::int64_t panel = group * at_once; panel < end; ++panel) {
                     const std::int64_t first = panel * width();
                     const auto i = static_cast<std::size_t>(panel - group * at_once);
                     visit(Tile{chunk, first, std::min(width(), n - first), i, space}, tasks[i]);
                   }
                 };
                 for_each_panel([&](const Tile& tile, SpmmTask& task) {
                   task = {.sums = sums + static_cast<std::int64_t>(tile.number) * floats,
                           .columns = static_cast<std::uint32_t>(tile.columns)};
                   aim(tile, task);
                 });
                 const std::size_t slices = chunk.slices.size();
                 for (std::size_t s = 0; s < slices; ++s) {
                   for_each_panel([&](const Tile& tile, SpmmTask& task) {
                     task.slice = chunk.slices[s].view();
                     const std::int64_t row = static_cast<std::int64_t>(s) * depth;
                     // A slice of a panel is packed right before it is used: then it is in the first cache.
                     if (in_place.data == nullptr || tile.columns != width()) {
                       float* const packed = space.panel.at_least(static_cast<std::size_t>(depth * width()));
                       pack(Part{row, std::min(depth, cols - row), tile.first, tile.columns}, packed);
                       task.x = packed;
                       task.x_stride = width();
                     } else {
                       task.x = in_place.data + row * in_place.stride + tile.first;
                       task.x_stride = in_place.stride;
                     }
                     task.first = s == 0;
                     task.last = s + 1 == slices;
                     run(task);
                   });
                 }
                 for_each_panel([&](const Tile& tile, SpmmTask&) { done(tile); });
               });
}

template <class View>
void SpmmPlan::multiply_from(const View& x, const MutableDenseView& y, const SpmmExtras& extras,
                             int threads) const {
  check_matrix("spmm", "x", x, cols(), x.cols);
  check_matrix("spmm", "y", y, rows(), x.cols);
  check_extras(extent_of_matrix(x), y, extras);
  const Packed& p = packed_for(x);
  const std::int64_t n = x.cols;
  p.for_each_tile(
      n, threads, in_place(x, p.width(), p.is_near()),
      [&](const Part& part, float* to) { pack_columns(x, part, p.width(), to); },
      [&](const Tile& tile, SpmmTask& task) { aim(y, extras, tile.chunk.first_row, tile.first, task); },
      [](const Tile&) {});
}

void SpmmPlan::multiply(const DenseView& x, const MutableDenseView& y, const SpmmExtras& extras,
                        int threads) const {
  multiply_from(x, y, extras, threads);
}
void SpmmPlan::multiply(const Bf16View& x, const MutableDenseView& y, const SpmmExtras& extras,
                        int threads) const {
  multiply_from(x, y, extras, threads);
}

void SpmmPlan::multiply_transposed(const DenseView& x, const MutableDenseView& y, const SpmmExtras& extras,
                                   int threads) const {
  check_matrix("spmm", "x", x, x.rows, cols());
  check_matrix("spmm", "y", y, x.rows, rows());
  check_extras(extent_of_matrix(x), y, extras);
  const Packed& p = packed_for(x);
  const std::int64_t width = p.width();
  p.for_each_tile(
      x.rows, threads, {}, [&](const Part& part, float* to) { pack_rows(x, part, width, to); },
      [&](const Tile& tile, SpmmTask& task) {
        const std::int64_t row = tile.chunk.first_row, rows = tile.chunk.rows;
        const auto floats = static_cast<std::size_t>(rows * width);
        task.y = tile.part_of(tile.space.y, floats);
        task.y_stride = width;
        task.epilogue = epilogue_of(extras);
        if (extras.beta != 0) {
          float* const c = tile.part_of(tile.space.c, floats);
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
        const auto floats = static_cast<std::size_t>(tile.chunk.rows * width);
        transpose(tile.part_of(tile.space.y, floats), width, tile.chunk.rows, tile.columns,
                  y.data + tile.first * y.stride + tile.chunk.first_row, y.stride);
      });
}

}  // namespace assay::sparse
