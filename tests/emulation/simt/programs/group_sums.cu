// Reductions and scans of cooperative groups, and copies by them.
#include <cooperative_groups.h>
#include <cooperative_groups/memcpy_async.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>
#include <cuda/atomic>

#include <cstdio>

namespace cg = cooperative_groups;

__device__ int wrong = 0;
#define EXPECT(condition)                                                         \
  do {                                                                            \
    if (!(condition) && atomicAdd(&wrong, 1) == 0)                                \
      std::printf("line %d, thread %u: %s\n", __LINE__, threadIdx.x, #condition); \
  } while (0)

__host__ __device__ int value_of(unsigned t) { return static_cast<int>(t * 37 % 101) - 50; }

template <class Group>
__device__ void check(const Group& group, unsigned first) {
  const unsigned n = group.size(), rank = group.thread_rank();
  const int own = value_of(first + rank);
  int sum = 0, least = 1000, most = -1000, ands = -1, ors = 0, xors = 0, before = 0, most_so_far = -1000;
  for (unsigned i = 0; i < n; ++i) {
    const int x = value_of(first + i);
    if (i < rank) before += x;
    if (i <= rank) most_so_far = x > most_so_far ? x : most_so_far;
    sum += x;
    least = x < least ? x : least;
    most = x > most ? x : most;
    ands &= x;
    ors |= x;
    xors ^= x;
  }
  EXPECT(cg::reduce(group, own, cg::plus<int>()) == sum);
  EXPECT(cg::reduce(group, own, cg::less<int>()) == least);
  EXPECT(cg::reduce(group, own, cg::greater<int>()) == most);
  EXPECT(cg::reduce(group, own, cg::bit_and<int>()) == ands);
  EXPECT(cg::reduce(group, own, cg::bit_or<int>()) == ors);
  EXPECT(cg::reduce(group, own, cg::bit_xor<int>()) == xors);
  EXPECT(cg::reduce(group, own, [](int a, int b) { return a > b ? a : b; }) == most);
  EXPECT(cg::inclusive_scan(group, own) == before + own);
  EXPECT(cg::exclusive_scan(group, own) == before);
  EXPECT(cg::inclusive_scan(group, own, cg::greater<int>()) == most_so_far);
  // No commutation is assumed in a scan: maps x -> a x + b modulo 2^32, one after another.
  struct Map {
    unsigned a, b;
  };
  const auto map_of = [&](unsigned i) { return Map{2 * i + 3, i * i + 1}; };
  const auto then = [](const Map& f, const Map& g) { return Map{f.a * g.a, g.a * f.b + g.b}; };
  Map want = map_of(first);
  for (unsigned i = 1; i <= rank; ++i) want = then(want, map_of(first + i));
  const Map got = cg::inclusive_scan(group, map_of(first + rank), then);
  EXPECT(got.a == want.a && got.b == want.b);
}

__global__ void sums(int* total, cuda::atomic<int, cuda::thread_scope_device>* counter, int* ticket) {
  const auto block = cg::this_thread_block();
  const unsigned t = threadIdx.x;
  const auto warp = cg::tiled_partition<32>(block);
  check(warp, t / 32 * 32);
  check(cg::tiled_partition<4>(warp), t / 4 * 4);
  check(cg::tiled_partition<1>(warp), t);
  check(cg::tiled_partition<128>(block), t / 128 * 128);
  if (t % 32 < 13) check(cg::coalesced_threads(), t / 32 * 32);
  cg::reduce_store_async(warp, total + t / 32, 1, cg::plus<int>());
  EXPECT(total[t / 32] == 32 || warp.thread_rank() != 0);
  cg::reduce_update_async(warp, *counter, 2, cg::plus<int>());
  block.sync();
  EXPECT(counter->load() == static_cast<int>(2 * blockDim.x));
  block.sync();
  // Each thread reserves its number of places: all differ.
  const int wanted = static_cast<int>(t % 3), at = cg::exclusive_scan_update(warp, *counter, wanted);
  for (int i = 0; i < wanted; ++i) ticket[at - static_cast<int>(2 * blockDim.x) + i] += 1;
}

// The order of a sum that rounds: the formula of the header's page.
__global__ void rounded() {
  const auto warp = cg::tiled_partition<32>(cg::this_thread_block());
  float x[32], y[32];
  for (unsigned i = 0; i < 32; ++i) x[i] = 1.0F / static_cast<float>(i + 1);
  for (unsigned d = 16; d != 0; d /= 2) {
    for (unsigned i = 0; i < 32; ++i) y[i] = x[i] + x[i ^ d];
    for (unsigned i = 0; i < 32; ++i) x[i] = y[i];
  }
  EXPECT(cg::reduce(warp, 1.0F / static_cast<float>(threadIdx.x + 1), cg::plus<float>()) == x[threadIdx.x]);
}

// Copies are there after the wait, and not before.
__global__ void copies(const int* from, int n) {
  extern __shared__ int to[];
  const auto block = cg::this_thread_block();
  to[threadIdx.x] = -1;
  block.sync();
  cg::memcpy_async(block, to, from, sizeof(int) * static_cast<unsigned>(n));
  cg::memcpy_async(block, to + n, static_cast<unsigned>(n), from + n, static_cast<unsigned>(2 * n));
  const int own = static_cast<int>(4 * threadIdx.x);  // what this thread copies first
  EXPECT(own >= n || to[own] == -1);
  cg::wait_prior<1>(block);
  for (int i = 0; i < n; ++i) EXPECT(to[i] == value_of(static_cast<unsigned>(i)));
  cg::wait(block);
  for (int i = 0; i < 2 * n; ++i) EXPECT(to[i] == value_of(static_cast<unsigned>(i)));
  const auto warp = cg::tiled_partition<32>(block);
  block.sync();
  if (warp.meta_group_rank() == 1) {
    cg::memcpy_async(warp, to, from + 5, cuda::aligned_size_t<4>(sizeof(int) * 40));
    cg::wait(warp);
    for (int i = 0; i < 40; ++i) EXPECT(to[i] == value_of(static_cast<unsigned>(i + 5)));
  }
}

int main() {
  constexpr int n = 101;
  int *total = nullptr, *ticket = nullptr, *from = nullptr;
  cuda::atomic<int, cuda::thread_scope_device>* counter = nullptr;
  cudaMallocManaged(&total, 64 * sizeof(int));
  cudaMallocManaged(&ticket, 1024 * sizeof(int));
  cudaMallocManaged(&counter, sizeof *counter);
  cudaMallocManaged(&from, 3 * n * sizeof(int));
  *counter = 0;
  for (int i = 0; i < 1024; ++i) ticket[i] = 0;
  for (int i = 0; i < 3 * n; ++i) from[i] = value_of(static_cast<unsigned>(i));
  sums<<<1, 256>>>(total, counter, ticket);
  rounded<<<1, 32>>>();
  copies<<<1, 128, 2 * n * sizeof(int)>>>(from, n);
  if (const cudaError_t error = cudaDeviceSynchronize(); error != cudaSuccess) {
    std::printf("%s\n", cudaGetErrorString(error));
    return 1;
  }
  int places = 0;
  for (int t = 0; t < 256; ++t) places += t % 3;
  for (int i = 0; i < 1024; ++i) {
    if (ticket[i] != (i < places ? 1 : 0)) return 3;
  }
  return wrong == 0 ? 0 : 2;
}
