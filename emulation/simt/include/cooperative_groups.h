// CUDA's cooperative groups: blocks, tiles of 1 to 512 threads, coalesced and partitioned lanes, grids, clusters of one
// block. cooperative_groups/{reduce,scan,memcpy_async}.h have the rest.
//
// Not here: multi_grid_group, clusters of several blocks, shuffles and votes of thread_group.
//
// Groups of a warp wait for their own lanes only, whatever the others do. Bits of ballots and matches are by rank in
// the group. binary_partition() counts the threads without the predicate as the first of its groups, and
// labeled_partition() orders them by their first threads; CUDA says nothing about either.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "emulation/simt/include/cuda_runtime.h"
#include "emulation/simt/warp.hpp"

namespace cooperative_groups {

namespace details {

using assay::simt::Block;

inline unsigned thread_number() { return Block::current()->thread_number(); }
inline unsigned block_threads() { return blockDim.x * blockDim.y * blockDim.z; }
inline unsigned long long block_number() {
  return (blockIdx.z * static_cast<unsigned long long>(gridDim.y) + blockIdx.y) * gridDim.x + blockIdx.x;
}
inline unsigned long long grid_blocks() {
  return static_cast<unsigned long long>(gridDim.x) * gridDim.y * gridDim.z;
}
constexpr unsigned lanes_from(unsigned first, unsigned count) {
  return (count >= 32 ? ~0U : (1U << count) - 1) << first;
}
// The bits of `bits` at the lanes of a group, by rank.
inline unsigned by_rank(unsigned bits, unsigned lanes) {
  if ((lanes & (lanes + (lanes & (0U - lanes)))) == 0)  // successive lanes
    return (bits & lanes) >> std::countr_zero(lanes);
  unsigned out = 0, rank = 0;
  assay::simt::for_each_lane(lanes, [&](unsigned lane) { out |= (bits >> lane & 1U) << rank++; });
  return out;
}
inline unsigned lane_of_rank(unsigned lanes, unsigned rank) {
  if (lanes == ~0U) return rank;
  for (; rank != 0; --rank) lanes &= lanes - 1;
  return static_cast<unsigned>(std::countr_zero(lanes));
}

// An operation of successive threads of the block that may span warps: out = combine(inputs by rank, count, rank). A
// thread that has exited has no input.
template <class In, class Out, auto combine>
Out operation_of_threads(unsigned first, unsigned count, const In& in) {
  Out out{};
  Block::current()->group(
      first, count, &in, &out, [](const void* const* inputs, void* const* outputs, std::uint32_t n) {
        const auto input = [&](unsigned rank) { return static_cast<const In*>(inputs[rank]); };
        for (unsigned rank = 0; rank < n; ++rank) {
          if (outputs[rank] != nullptr) *static_cast<Out*>(outputs[rank]) = combine(input, n, rank);
        }
      });
  return out;
}

}  // namespace details

// Any group of a block, by what it is.
class thread_group {
 public:
  void sync() const {
    switch (kind_) {
      case Kind::block: details::Block::current()->barrier(0, false, assay::simt::Vote::none); return;
      case Kind::lanes: assay::simt::synchronize(lanes_); return;
      case Kind::threads: details::Block::current()->group(first_, count_, nullptr, nullptr, nullptr); return;
      case Kind::grid: details::Block::current()->grid_barrier(); return;
    }
  }
  unsigned long long size() const {
    switch (kind_) {
      case Kind::block: return details::block_threads();
      case Kind::lanes: return static_cast<unsigned>(std::popcount(lanes_));
      case Kind::threads: return count_;
      case Kind::grid: return details::grid_blocks() * details::block_threads();
    }
    return 0;
  }
  unsigned long long num_threads() const { return size(); }
  unsigned long long thread_rank() const {
    switch (kind_) {
      case Kind::block: return details::thread_number();
      case Kind::lanes: {
        const unsigned below = (1U << details::Block::current()->lane()) - 1;
        return static_cast<unsigned>(std::popcount(lanes_ & below));
      }
      case Kind::threads: return details::thread_number() - first_;
      case Kind::grid: return details::block_number() * details::block_threads() + details::thread_number();
    }
    return 0;
  }
  bool is_valid() const {
    const assay::simt::Block& block = *details::Block::current();
    return kind_ != Kind::grid || assay::simt::is_cooperative(block);
  }

 protected:
  enum class Kind : std::uint8_t { block, lanes, threads, grid };
  struct Lanes {
    unsigned lanes;
  };
  struct Threads {
    unsigned first, count;
  };
  explicit thread_group(Kind kind) : kind_(kind) {}
  thread_group(Lanes lanes, unsigned meta_rank, unsigned meta_size)
      : kind_(Kind::lanes), lanes_(lanes.lanes), meta_rank_(meta_rank), meta_size_(meta_size) {}
  thread_group(Threads threads, unsigned meta_rank, unsigned meta_size)
      : kind_(Kind::threads),
        first_(threads.first),
        count_(threads.count),
        meta_rank_(meta_rank),
        meta_size_(meta_size) {}

  Kind kind_;
  unsigned lanes_ = 0;              // of Kind::lanes
  unsigned first_ = 0, count_ = 0;  // of Kind::threads
  unsigned meta_rank_ = 0, meta_size_ = 1;

  friend thread_group tiled_partition(const thread_group& parent, unsigned size);
};

// --- the grid, the cluster and the block -----------------------------------------------------------------------------

class grid_group : public thread_group {
 public:
  grid_group() : thread_group(Kind::grid) {}
  struct arrival_token {
    std::uint64_t phase;
  };
  arrival_token barrier_arrive() const { return {assay::simt::arrive_at_grid()}; }
  void barrier_wait(arrival_token&& token) const { assay::simt::wait_at_grid(token.phase); }
  unsigned long long block_rank() const { return details::block_number(); }
  unsigned long long num_blocks() const { return details::grid_blocks(); }
  unsigned long long cluster_rank() const { return block_rank(); }
  unsigned long long num_clusters() const { return num_blocks(); }
  dim3 block_index() const { return blockIdx; }
  dim3 cluster_index() const { return blockIdx; }
  dim3 dim_blocks() const { return gridDim; }
  dim3 dim_clusters() const { return gridDim; }
  dim3 group_dim() const { return gridDim; }
};
inline grid_group this_grid() { return {}; }

// Room that tiles of several warps need on a GPU.
template <unsigned MostThreads = 1024>
struct block_tile_memory {
  char unused;
};

class thread_block : public thread_group {
 public:
  thread_block() : thread_group(Kind::block) {}
  using arrival_token = grid_group::arrival_token;
  arrival_token barrier_arrive() const { return {details::Block::current()->arrive_of_all()}; }
  void barrier_wait(arrival_token&& token) const { details::Block::current()->wait_for_all(token.phase); }
  static void sync() { details::Block::current()->barrier(0, false, assay::simt::Vote::none); }
  static unsigned thread_rank() { return details::thread_number(); }
  static unsigned size() { return details::block_threads(); }
  static unsigned num_threads() { return size(); }
  static dim3 group_index() { return blockIdx; }
  static dim3 thread_index() { return threadIdx; }
  static dim3 dim_threads() { return blockDim; }
  static dim3 group_dim() { return blockDim; }
};
inline thread_block this_thread_block() { return {}; }
template <unsigned MostThreads>
thread_block this_thread_block(block_tile_memory<MostThreads>&) {
  return {};
}

// Of one block.
class cluster_group : public thread_group {
 public:
  cluster_group() : thread_group(Kind::block) {}
  using arrival_token = grid_group::arrival_token;
  static arrival_token barrier_arrive() { return thread_block().barrier_arrive(); }
  static void barrier_wait(arrival_token&& token) { thread_block().barrier_wait(std::move(token)); }
  static void sync() { thread_block::sync(); }
  static unsigned thread_rank() { return thread_block::thread_rank(); }
  static unsigned num_threads() { return thread_block::size(); }
  static unsigned size() { return thread_block::size(); }
  static unsigned block_rank() { return 0; }
  static unsigned num_blocks() { return 1; }
  static dim3 block_index() { return {0, 0, 0}; }
  static dim3 dim_blocks() { return {1, 1, 1}; }
  static dim3 dim_threads() { return blockDim; }
  static dim3 thread_index() { return threadIdx; }
  static unsigned query_shared_rank(const void*) { return 0; }
  template <class T>
  static T* map_shared_rank(T* address, int rank) {
    if (rank != 0)
      details::Block::current()->fail("a cluster of one block has no block " + std::to_string(rank));
    return address;
  }
};
inline cluster_group this_cluster() { return {}; }

// --- lanes of a warp -------------------------------------------------------------------------------------------------

namespace details {

// What groups within a warp have in common.
class WarpGroup : public thread_group {
 public:
  unsigned size() const { return static_cast<unsigned>(std::popcount(lanes_)); }
  unsigned num_threads() const { return size(); }
  unsigned thread_rank() const { return static_cast<unsigned>(thread_group::thread_rank()); }
  unsigned meta_group_rank() const { return meta_rank_; }
  unsigned meta_group_size() const { return meta_size_; }

  template <class T>
  std::remove_cvref_t<T> shfl(T&& value, int rank) const {
    return from(value, static_cast<unsigned>(rank) % size());
  }
  // Beyond the ends of the group: the caller's own value.
  template <class T>
  std::remove_cvref_t<T> shfl_down(T&& value, unsigned delta) const {
    const unsigned rank = thread_rank();
    return from(value, delta < size() - rank ? rank + delta : rank);
  }
  template <class T>
  std::remove_cvref_t<T> shfl_up(T&& value, unsigned delta) const {
    const unsigned rank = thread_rank();
    return from(value, delta <= rank ? rank - delta : rank);
  }
  int any(int predicate) const { return assay::simt::ballot(lanes_, predicate != 0) != 0 ? 1 : 0; }
  int all(int predicate) const { return assay::simt::all_of_lanes(lanes_, predicate != 0) ? 1 : 0; }
  unsigned ballot(int predicate) const {
    return by_rank(assay::simt::ballot(lanes_, predicate != 0), lanes_);
  }
  template <class T>
  unsigned match_any(T value) const {
    return by_rank(assay::simt::match_any(lanes_, value), lanes_);
  }
  template <class T>
  unsigned match_all(T value, int& predicate) const {
    predicate = assay::simt::all_of_lanes(
        lanes_, assay::simt::match_any(lanes_, value) == assay::simt::ballot(lanes_, true));
    return predicate != 0 ? by_rank(lanes_, lanes_) : 0;
  }

  // For this header and its kin: the group's lanes.
  unsigned assay_lanes() const { return lanes_; }

 protected:
  using thread_group::thread_group;
  template <class T>
  T from(const T& value, unsigned rank) const {
    return assay::simt::shuffle_from(lanes_, value, lane_of_rank(lanes_, rank));
  }
};

// Of several warps.
class WideGroup : public thread_group {
 public:
  unsigned size() const { return count_; }
  unsigned num_threads() const { return size(); }
  unsigned thread_rank() const { return thread_number() - first_; }
  unsigned meta_group_rank() const { return meta_rank_; }
  unsigned meta_group_size() const { return meta_size_; }

  template <class T>
  std::remove_cvref_t<T> shfl(T&& value, int rank) const {
    using Value = std::remove_cvref_t<T>;
    constexpr auto combine = [](const auto& input, unsigned n, unsigned own) {
      const auto* const source = input(input(own)->source % n);
      return source != nullptr ? source->value : input(own)->value;
    };
    return operation_of_threads<assay::simt::Shuffled<Value>, Value, combine>(
        first_, count_, {value, static_cast<unsigned>(rank)});
  }
  int any(int predicate) const {
    constexpr auto combine = [](const auto& input, unsigned n, unsigned) {
      int any = 0;
      for (unsigned i = 0; i < n; ++i) any |= input(i) != nullptr && *input(i) != 0 ? 1 : 0;
      return any;
    };
    return operation_of_threads<int, int, combine>(first_, count_, predicate);
  }
  int all(int predicate) const {
    constexpr auto combine = [](const auto& input, unsigned n, unsigned) {
      int all = 1;
      for (unsigned i = 0; i < n; ++i) all &= input(i) == nullptr || *input(i) != 0 ? 1 : 0;
      return all;
    };
    return operation_of_threads<int, int, combine>(first_, count_, predicate);
  }

  unsigned assay_first() const { return first_; }

 protected:
  using thread_group::thread_group;
};

}  // namespace details

template <unsigned Size, class Parent = void>
class thread_block_tile;

// Tiles of one warp.
template <unsigned Size, class Parent>
requires(Size <= 32) class thread_block_tile<Size, Parent> : public details::WarpGroup {
 public:
  static_assert(Size != 0 && (Size & (Size - 1)) == 0, "tiles have powers of two");
  // The one of the calling thread among `meta_size`.
  thread_block_tile(unsigned meta_rank, unsigned meta_size)
      : WarpGroup(Lanes{details::lanes_from(details::Block::current()->lane() / Size * Size, Size)},
                  meta_rank, meta_size) {}
  template <class Other>
  requires(std::is_void_v<Parent> && !std::is_void_v<Other>)
      thread_block_tile(const thread_block_tile<Size, Other>& other)
      : thread_block_tile(other.meta_group_rank(), other.meta_group_size()) {}

  static constexpr unsigned size() { return Size; }
  static constexpr unsigned num_threads() { return Size; }
  unsigned thread_rank() const { return details::Block::current()->lane() % Size; }
  template <class T>
  std::remove_cvref_t<T> shfl_xor(T&& value, unsigned rank_mask) const {
    return this->from(value, (thread_rank() ^ rank_mask) % Size);
  }
};
// Of several.
template <unsigned Size, class Parent>
requires(Size > 32) class thread_block_tile<Size, Parent> : public details::WideGroup {
 public:
  static_assert((Size & (Size - 1)) == 0 && Size <= 512, "tiles have powers of two up to 512");
  thread_block_tile(unsigned meta_rank, unsigned meta_size)
      : WideGroup(Threads{details::thread_number() / Size * Size, Size}, meta_rank, meta_size) {}
  template <class Other>
  requires(std::is_void_v<Parent> && !std::is_void_v<Other>)
      thread_block_tile(const thread_block_tile<Size, Other>& other)
      : thread_block_tile(other.meta_group_rank(), other.meta_group_size()) {}
  static constexpr unsigned size() { return Size; }
  static constexpr unsigned num_threads() { return Size; }
};

// Lanes that are together at one place, or a part of such.
class coalesced_group : public details::WarpGroup {
 public:
  explicit coalesced_group(unsigned lanes, unsigned meta_rank = 0, unsigned meta_size = 1)
      : WarpGroup(Lanes{lanes}, meta_rank, meta_size) {}
};
inline coalesced_group coalesced_threads(const void* site) {
  return coalesced_group(details::Block::current()->active_mask(site));
}
// Each call is a place.
#define coalesced_threads()                 \
  coalesced_threads([] {                    \
    static const char here = 0;             \
    return static_cast<const void*>(&here); \
  }())

inline thread_block_tile<1> this_thread() { return {0, 1}; }

// --- partitions ------------------------------------------------------------------------------------------------------

template <unsigned Size>
thread_block_tile<Size, thread_block> tiled_partition(const thread_block&) {
  return {details::thread_number() / Size, (details::block_threads() + Size - 1) / Size};
}
template <unsigned Size, unsigned Of, class Parent>
thread_block_tile<Size, thread_block_tile<Of, Parent>> tiled_partition(
    const thread_block_tile<Of, Parent>& parent) {
  static_assert(Size <= Of, "a tile is no larger than what it is part of");
  return {parent.thread_rank() / Size, Of / Size};
}

// Of `size` successive ranks each.
inline coalesced_group tiled_partition(const coalesced_group& parent, unsigned size) {
  const unsigned rank = parent.thread_rank(), index = rank / size;
  unsigned lanes = 0, at = 0;
  assay::simt::for_each_lane(parent.assay_lanes(),
                             [&](unsigned lane) { lanes |= (at++ / size == index ? 1U : 0U) << lane; });
  return coalesced_group(lanes, index, (parent.size() + size - 1) / size);
}
template <unsigned Size>
coalesced_group tiled_partition(const coalesced_group& parent) {
  static_assert(Size != 0 && (Size & (Size - 1)) == 0 && Size <= 32, "tiles have powers of two up to 32");
  return tiled_partition(parent, Size);
}
// Of a block or of a group within a warp, into groups of a power of two up to 32.
inline thread_group tiled_partition(const thread_group& parent, unsigned size) {
  if (size == 0 || (size & (size - 1)) != 0 || size > 32 || parent.kind_ == thread_group::Kind::grid)
    details::Block::current()->fail("tiled_partition() of " + std::to_string(size) +
                                    " threads, not a power of two up to 32 of a block or a part of it");
  if (parent.kind_ == thread_group::Kind::lanes) return tiled_partition(coalesced_group(parent.lanes_), size);
  const unsigned lane = details::Block::current()->lane(), count = static_cast<unsigned>(parent.size());
  return {thread_group::Lanes{details::lanes_from(lane / size * size, size)},
          static_cast<unsigned>(parent.thread_rank()) / size, (count + size - 1) / size};
}

template <class Label>
coalesced_group labeled_partition(const coalesced_group& parent, Label label) {
  static_assert(std::is_integral_v<Label>);
  const unsigned all = parent.assay_lanes(), own = assay::simt::match_any(all, label),
                 first = own & (0U - own);
  const bool leads = first >> details::Block::current()->lane() == 1;
  const unsigned leaders = assay::simt::ballot(all, leads);
  return coalesced_group(own, static_cast<unsigned>(std::popcount(leaders & (first - 1))),
                         static_cast<unsigned>(std::popcount(leaders)));
}
template <class Label, unsigned Size, class Parent>
coalesced_group labeled_partition(const thread_block_tile<Size, Parent>& parent, Label label) {
  return labeled_partition(coalesced_group(parent.assay_lanes()), label);
}
inline coalesced_group binary_partition(const coalesced_group& parent, bool predicate) {
  const unsigned all = parent.assay_lanes(), with = assay::simt::ballot(all, predicate);
  const unsigned live = assay::simt::ballot(all, true);
  const bool both = with != 0 && with != live;
  return coalesced_group(predicate ? with : live & ~with, both && predicate ? 1 : 0, both ? 2 : 1);
}
template <unsigned Size, class Parent>
coalesced_group binary_partition(const thread_block_tile<Size, Parent>& parent, bool predicate) {
  return binary_partition(coalesced_group(parent.assay_lanes()), predicate);
}

// --- by functions ----------------------------------------------------------------------------------------------------

template <class Group>
void sync(const Group& group) {
  group.sync();
}
template <class Group>
auto thread_rank(const Group& group) {
  return group.thread_rank();
}
template <class Group>
auto group_size(const Group& group) {
  return group.size();
}

// By the thread of rank 0.
template <class Group, class Call, class... Arguments>
void invoke_one(const Group& group, Call&& call, Arguments&&... arguments) {
  if (group.thread_rank() == 0) std::forward<Call>(call)(std::forward<Arguments>(arguments)...);
}
template <class Group, class Call, class... Arguments>
auto invoke_one_broadcast(const Group& group, Call&& call, Arguments&&... arguments) {
  using Result = std::invoke_result_t<Call, Arguments...>;
  Result result{};
  if (group.thread_rank() == 0) result = std::forward<Call>(call)(std::forward<Arguments>(arguments)...);
  return group.shfl(result, 0);
}

}  // namespace cooperative_groups
