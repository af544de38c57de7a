// A packed for one kernel of SpMM: chunks of rows, slices of K, and the streams of spmm_task.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "reference/core/large_memory.hpp"
#include "reference/sparse/csr.hpp"
#include "reference/sparse/spmm.hpp"

namespace assay::sparse {

inline constexpr std::size_t spmm_near_bytes = 1 << 16;  // of the part of a panel that 16-bit offsets reach
inline constexpr std::int64_t spmm_most_rows = 1024;     // of a chunk: its sums stay in L2

// A multiply-add of a row of its own waits for its load of X, and takes this many times as long as one of rows that
// share. Measured on an Intel Xeon (Sapphire Rapids).
inline constexpr double own_columns_cost = 1.5;

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

struct PackedSpmm {
  std::int64_t rows = 0, cols = 0;
  const SpmmKernel* kernel = nullptr;
  SpmmFn* run = nullptr;
  std::int64_t depth = 0;      // rows of X in a slice
  std::int64_t most_rows = 0;  // of a chunk
  std::vector<Chunk> chunks{};
  LargeMemory streams{};

  // `a` passes check() in the stored order of its columns; in ascending order for SpmmSharing::filled.
  PackedSpmm(const CsrView& a, std::span<const float> values, const SpmmKernel& with,
             std::int64_t wanted_depth, SpmmSharing sharing);

  std::int64_t width() const { return kernel->width; }
  std::int64_t panels(std::int64_t n) const { return (n + width() - 1) / width(); }
  std::int64_t slices() const {
    return chunks.empty() ? 0 : static_cast<std::int64_t>(chunks.front().slices.size());
  }
  bool is_near() const { return run == kernel->near; }

  // The sum of a number over all packed slices.
  template <class Number>
  auto total(const Number& of) const {
    decltype(of(PackedSlice{})) sum = 0;
    for (const Chunk& chunk : chunks) {
      for (const PackedSlice& slice : chunk.slices) sum += of(slice);
    }
    return sum;
  }
  std::uint64_t bytes() const {
    return total([](const PackedSlice& slice) { return slice.bytes(); });
  }

 private:
  void gather_streams();
};

}  // namespace assay::sparse
