#include "reference/sparse/spmm_packing.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <utility>

#include "reference/core/narrow.hpp"

namespace assay::sparse {
namespace {

// A run of entries of one row.
struct Run {
  std::uint32_t row = 0;  // in the chunk
  std::int64_t begin = 0;
  std::uint32_t length = 0;
};

std::span<const std::int32_t> columns_of(const CsrView& a, const Run& run) {
  return a.column_indices.subspan(static_cast<std::size_t>(run.begin), run.length);
}

// Packs runs of one slice: first rows side by side that share their columns, then the others. Of these, rows of about
// the same length stand side by side: what the shortest has not is `extra`.
class SlicePacker {
 public:
  SlicePacker(const CsrView& a, std::span<const float> values, const SpmmKernel& kernel, bool near,
              SpmmSharing sharing, std::int64_t depth)
      : a_(a), values_(values), kernel_(kernel), near_(near), sharing_(sharing) {
    if (sharing != SpmmSharing::filled || depth > most_marked) return;
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

  // The columns of all runs into columns_, ascending; place_of() says where each stands there.
  void unite(std::span<const Run> group) {
    if (is_there_.empty()) {
      // A slice is far wider than a group has entries.
      columns_.clear();
      for (const Run& run : group) {
        const auto columns = columns_of(a_, run);
        columns_.insert(columns_.end(), columns.begin(), columns.end());
      }
      std::sort(columns_.begin(), columns_.end());
      columns_.erase(std::unique(columns_.begin(), columns_.end()), columns_.end());
      return;
    }
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
  std::size_t place_of(std::int32_t column) const {
    if (is_there_.empty())
      return static_cast<std::size_t>(std::lower_bound(columns_.begin(), columns_.end(), column) -
                                      columns_.begin());
    return place_[in_slice(column)];
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
        const std::size_t t = same ? e : place_of(columns[e]);
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
    const std::size_t entry = 4 + (near_ ? sizeof(std::uint16_t) : sizeof(std::uint32_t));
    std::size_t extra = 0;
    for (const Run& run : runs) {
      out.rows.push_back(run.row);
      out.extra.push_back(run.length - common);
      extra += run.length - common;
    }
    const std::size_t begin = out.stream.size();
    out.stream.resize(begin + common * runs.size() * entry + extra * 8);
    near_ ? write_group<std::uint16_t>(runs, common, out.stream.data() + begin)
          : write_group<std::uint32_t>(runs, common, out.stream.data() + begin);
  }

  // By pointers alone: what is written could be a vector's own pointer for all that a compiler knows, and would be
  // asked for again at every entry.
  template <class Offset>
  void write_group(std::span<const Run> runs, std::uint32_t common, unsigned char* to) const {
    const float* const values = values_.data();
    const std::int32_t* const columns = a_.column_indices.data();
    const auto unit = sizeof(Offset) == 2 ? static_cast<std::uint32_t>(kernel_.width * sizeof(float)) : 1U;
    const auto first = static_cast<std::int32_t>(first_column_);
    const auto write = [&](const auto& x) {
      std::memcpy(to, &x, sizeof x);
      to += sizeof x;
    };
    const auto offset = [=](std::size_t at) {
      return static_cast<Offset>(static_cast<std::uint32_t>(columns[at] - first) * unit);
    };
    for (std::uint32_t t = 0; t < common; ++t) {
      for (const Run& run : runs) write(values[index(run, t)]);
      for (const Run& run : runs) write(offset(index(run, t)));
    }
    for (const Run& run : runs) {
      for (std::uint32_t t = common; t < run.length; ++t) {
        std::memcpy(to, &values[index(run, t)], 4);
        const Offset place = offset(index(run, t));
        std::memcpy(to + 4, &place, sizeof place);
        to += 8;
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
  // A mark for each place of a slice, and where the column stands in columns_; none for a slice that is too wide.
  static constexpr std::int64_t most_marked = 1 << 16;
  std::vector<std::uint64_t> is_there_{};
  std::vector<std::uint32_t> place_{};
};

// Do the columns of every row ascend, so that a row can be cut into slices without changing its order?
bool can_be_sliced(const CsrView& a, std::int64_t depth) {
  for (std::int64_t i = 0; i < a.rows; ++i) {
    std::int64_t slice = 0;  // its first column: a division an entry would be a quarter of a plan's time
    for (const std::int32_t column : a.row_columns(i)) {
      if (column < slice) return false;
      if (column >= slice + depth) slice = column / depth * depth;
    }
  }
  return true;
}

// The rows of a chunk from `first`: its sums and its entries of a slice stay in L2, and rows side by side are of one.
std::int64_t rows_of_chunk(const CsrView& a, std::int64_t first, std::int64_t side_by_side,
                           std::int64_t slices) {
  constexpr std::int64_t most_entries = 1 << 15;
  std::int64_t end = first;
  do {
    end = std::min(a.rows, end + side_by_side);
  } while (end < a.rows && end + side_by_side - first <= spmm_most_rows &&
           a.row_begin(end) - a.row_begin(first) < most_entries * slices);
  return end - first;
}

}  // namespace

PackedSpmm::PackedSpmm(const CsrView& a, std::span<const float> values, const SpmmKernel& with,
                       std::int64_t wanted_depth, SpmmSharing sharing)
    : rows(a.rows), cols(a.cols), kernel(&with) {
  const std::int64_t farthest = static_cast<std::int64_t>(spmm_near_bytes / sizeof(float)) / width();
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
void PackedSpmm::gather_streams() {
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

}  // namespace assay::sparse
