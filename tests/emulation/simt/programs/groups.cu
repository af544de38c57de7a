// Cooperative groups of a block: ranks, tiles of tiles, shuffles and votes, partitions, groups that others disturb.
#include <cooperative_groups.h>

#include <cstdio>
#include <cstdlib>

namespace cg = cooperative_groups;

__device__ int wrong = 0;
#define EXPECT(condition)                                                                           \
  do {                                                                                              \
    if (!(condition) && atomicAdd(&wrong, 1) == 0)                                                  \
      std::printf("line %d, thread %u of block %u: %s\n", __LINE__, threadIdx.x + 16 * threadIdx.y, \
                  blockIdx.x, #condition);                                                          \
  } while (0)

template <class Tile>
__device__ void check_tile(const Tile& tile, unsigned linear) {
  constexpr unsigned size = Tile::size();
  const unsigned rank = linear % size, base = linear - rank;
  EXPECT(tile.thread_rank() == rank && tile.num_threads() == size);
  EXPECT(tile.shfl(linear, 1) == base + 1 % size);
  EXPECT(tile.shfl(linear, static_cast<int>(size + 1)) == base + 1 % size);
  EXPECT(tile.shfl_down(linear, 1) == (rank + 1 < size ? linear + 1 : linear));
  EXPECT(tile.shfl_up(linear, 2) == (rank >= 2 ? linear - 2 : linear));
  EXPECT(tile.shfl_xor(linear, size / 2) == base + (rank ^ size / 2));
  unsigned odd = 0;
  for (unsigned i = 1; i < size; i += 2) odd |= 1U << i;
  EXPECT(tile.ballot(rank % 2 == 1) == odd);
  EXPECT(tile.any(rank == size - 1) == 1 && tile.any(false) == 0);
  EXPECT(tile.all(rank < size) == 1 && tile.all(rank != size - 1) == 0);
  unsigned same = 0;
  for (unsigned i = 0; i < size; ++i) same |= i % 3 == rank % 3 ? 1U << i : 0U;
  EXPECT(tile.match_any(rank % 3) == same);
  int all = -1;
  EXPECT(tile.match_all(base, all) == (size == 32 ? ~0U : (1U << size) - 1) && all == 1);
  EXPECT(tile.match_all(rank, all) == (size == 1 ? 1 : 0) && all == (size == 1 ? 1 : 0));
  tile.sync();
}

struct Pair {
  double a;
  long long b;
};

__global__ void tiles() {
  const cg::thread_block block = cg::this_thread_block();
  const unsigned linear = threadIdx.y * blockDim.x + threadIdx.x;
  EXPECT(block.thread_rank() == linear && block.size() == 96 && block.num_threads() == 96);
  EXPECT(block.group_index().x == blockIdx.x && block.thread_index().y == threadIdx.y &&
         block.dim_threads().x == 16);
  check_tile(cg::tiled_partition<32>(block), linear);
  check_tile(cg::tiled_partition<8>(block), linear);
  check_tile(cg::tiled_partition<2>(block), linear);
  check_tile(cg::tiled_partition<1>(block), linear);
  const auto warp = cg::tiled_partition<32>(block);
  EXPECT(warp.meta_group_rank() == linear / 32 && warp.meta_group_size() == 3);
  const auto eight = cg::tiled_partition<8>(warp);
  check_tile(eight, linear);
  EXPECT(eight.meta_group_rank() == linear % 32 / 8 && eight.meta_group_size() == 4);
  const auto two = cg::tiled_partition<2>(eight);
  EXPECT(two.meta_group_rank() == linear % 8 / 2 && two.meta_group_size() == 4);
  const cg::thread_block_tile<8> erased = eight;
  EXPECT(erased.meta_group_rank() == linear % 32 / 8 && erased.shfl(linear, 0) == linear / 8 * 8);
  const Pair pair = warp.shfl(Pair{linear * 0.5, linear}, 3);
  EXPECT(pair.a == (linear / 32 * 32 + 3) * 0.5 && pair.b == linear / 32 * 32 + 3);
  const cg::thread_group any = cg::tiled_partition(block, 4);
  EXPECT(any.size() == 4 && any.thread_rank() == linear % 4);
  const cg::thread_group half = cg::tiled_partition(any, 2);
  EXPECT(half.size() == 2 && half.thread_rank() == linear % 2);
  any.sync();
  cg::thread_group(block).sync();
  EXPECT(cg::this_thread().size() == 1 && cg::this_thread().thread_rank() == 0);
  cg::sync(block);
  EXPECT(cg::group_size(eight) == 8 && cg::thread_rank(eight) == linear % 8);
  EXPECT(cg::invoke_one_broadcast(eight, [&] { return linear; }) == linear / 8 * 8);
  const auto cluster = cg::this_cluster();
  EXPECT(cluster.num_blocks() == 1 && cluster.block_rank() == 0 && cluster.thread_rank() == linear);
  cluster.sync();
  const auto grid = cg::this_grid();
  EXPECT(!grid.is_valid() && grid.block_rank() == blockIdx.x &&
         grid.thread_rank() == blockIdx.x * 96ULL + linear && grid.size() == 2 * 96);
}

// Lanes at one place; the others wait elsewhere meanwhile.
__global__ void coalesced() {
  const unsigned lane = threadIdx.x % 32;
  if (lane % 3 == 0) {
    const cg::coalesced_group group = cg::coalesced_threads();
    EXPECT(group.size() == 11 && group.thread_rank() == lane / 3);
    EXPECT(group.shfl(lane, 4) == 12);
    EXPECT(group.shfl_up(lane, 1) == (lane == 0 ? 0 : lane - 3));
    EXPECT(group.shfl_down(lane, 1) == (lane == 30 ? 30 : lane + 3));
    EXPECT(group.ballot(lane >= 15) == 0x7E0);
    EXPECT(group.match_any(lane % 2) == (lane % 2 == 0 ? 0x555 : 0x2AA));
    const auto pairs = cg::tiled_partition<2>(group);
    EXPECT(pairs.size() == (lane == 30 ? 1 : 2) && pairs.meta_group_size() == 6 &&
           pairs.meta_group_rank() == lane / 6);
    EXPECT(pairs.shfl(lane, 0) == lane / 6 * 6);
    const auto label = cg::labeled_partition(group, static_cast<int>(lane % 4));
    unsigned n = 0, below = 0;
    for (unsigned i = 0; i < 32; i += 3) {
      n += i % 4 == lane % 4 ? 1 : 0;
      below += i % 4 == lane % 4 && i < lane ? 1 : 0;
    }
    EXPECT(label.size() == n && label.thread_rank() == below && label.meta_group_size() == 4);
    const auto part = cg::binary_partition(group, lane < 10);
    EXPECT(part.size() == (lane < 10 ? 4 : 7) && part.meta_group_size() == 2);
    for (int i = 0; i < 5; ++i) group.sync();
  } else if (lane % 3 == 1) {
    const auto group = cg::coalesced_threads();
    EXPECT(group.size() == 11);
    for (int i = 0; i < 3; ++i) group.sync();
  } else {
    for (int i = 0; i < 100; ++i) atomicAdd(&wrong, 0);
    EXPECT(cg::coalesced_threads().size() == 10);
  }
  cg::this_thread_block().sync();
}

// Tiles of 64 and 128 threads, and a block whose last tile is not whole.
__global__ void wide(int* turn) {
  __shared__ cg::block_tile_memory<320> memory;
  const auto block = cg::this_thread_block(memory);
  const auto tile = cg::tiled_partition<64>(block);
  const auto large = cg::tiled_partition<128>(block);
  const unsigned t = threadIdx.x;
  EXPECT(tile.thread_rank() == t % 64 && tile.meta_group_rank() == t / 64 && tile.meta_group_size() == 5);
  EXPECT(tile.shfl(t, 40) == t / 64 * 64 + 40);
  EXPECT(tile.any(t % 64 == 63) == 1 && tile.all(t % 64 != 63) == 0 && tile.all(true) == 1);
  // In turn: each tile waits for its own threads alone.
  for (unsigned i = 0; i <= t / 64; ++i) {
    if (t % 64 == i) turn[t / 64] += 1;
    tile.sync();
    EXPECT(turn[t / 64] == static_cast<int>(i + 1));
    tile.sync();
  }
  large.sync();
  EXPECT(large.size() == 128 && large.thread_rank() == t % 128);
}

__global__ void in_two_steps(int* data) {
  const auto block = cg::this_thread_block();
  if (threadIdx.x >= 70) return;  // as arrived
  data[threadIdx.x] = static_cast<int>(threadIdx.x);
  auto token = block.barrier_arrive();
  const int own = static_cast<int>(threadIdx.x) * 2;
  block.barrier_wait(std::move(token));
  EXPECT(data[69 - threadIdx.x] == 69 - static_cast<int>(threadIdx.x));
  auto next = block.barrier_arrive();
  block.barrier_wait(std::move(next));
  data[threadIdx.x] = own;
  EXPECT(own == data[threadIdx.x]);
}

int main() {
  int* data = nullptr;
  cudaMalloc(&data, 128 * sizeof(int));
  cudaMemset(data, 0, 128 * sizeof(int));
  tiles<<<2, dim3(16, 6)>>>();
  coalesced<<<2, 64>>>();
  wide<<<1, 320>>>(data);
  in_two_steps<<<1, 100>>>(data);
  if (const cudaError_t error = cudaDeviceSynchronize(); error != cudaSuccess) {
    std::printf("%s\n", cudaGetErrorString(error));
    return 1;
  }
  return wrong == 0 ? 0 : 2;
}
