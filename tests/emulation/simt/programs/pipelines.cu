// cuda::barrier of a block with copies and byte counts, and cuda::pipeline of one thread, of a block, of producers and
// consumers. Copies are there after the wait, and not before.
#include <cooperative_groups.h>
#include <cuda/barrier>
#include <cuda/pipeline>

#include <cstdio>

namespace cg = cooperative_groups;
using barrier = cuda::barrier<cuda::thread_scope_block>;
static_assert(sizeof(barrier) == 8);

__device__ int wrong = 0;
#define EXPECT(condition)                                                         \
  do {                                                                            \
    if (!(condition) && atomicAdd(&wrong, 1) == 0)                                \
      std::printf("line %d, thread %u: %s\n", __LINE__, threadIdx.x, #condition); \
  } while (0)

__global__ void phases(const int* from) {
  __shared__ barrier bar;
  __shared__ int to[128];
  const auto block = cg::this_thread_block();
  const unsigned t = threadIdx.x;
  if (t == 0) init(&bar, static_cast<std::ptrdiff_t>(blockDim.x));
  block.sync();
  for (int round = 0; round < 5; ++round) {
    to[t] = -1;
    bar.arrive_and_wait();
    EXPECT(to[127 - t] == -1);
    bar.arrive_and_wait();
    to[t] = static_cast<int>(t) * round;
    barrier::arrival_token token = bar.arrive();
    bar.wait(std::move(token));
    EXPECT(to[127 - t] == static_cast<int>(127 - t) * round);
    bar.arrive_and_wait();
  }
  // Copies belong to the phase.
  to[t] = -1;
  block.sync();
  cuda::memcpy_async(to + t, from + t, sizeof(int), bar);
  EXPECT(to[t] == -1);
  bar.arrive_and_wait();
  EXPECT(to[127 - t] == from[127 - t]);
  block.sync();
  to[t] = -1;
  block.sync();
  cuda::memcpy_async(block, to, from + 1, cuda::aligned_size_t<4>(sizeof to), bar);
  bar.arrive_and_wait();
  EXPECT(to[127 - t] == from[128 - t]);
  // Half of the threads leave.
  block.sync();
  if (t % 2 == 1) {
    bar.arrive_and_drop();
    return;
  }
  bar.arrive_and_wait();
  for (int i = 0; i < 3; ++i) bar.arrive_and_wait();
}

// One thread announces the bytes and starts the copy; all wait by parity.
__global__ void bytes(const int* from) {
  __shared__ barrier bar;
  __shared__ __align__(16) int to[64];
  if (threadIdx.x == 0) init(&bar, static_cast<std::ptrdiff_t>(blockDim.x));
  to[threadIdx.x] = -1;
  __syncthreads();
  for (int phase = 0; phase < 3; ++phase) {
    barrier::arrival_token token{};
    if (threadIdx.x == 0) {
      cuda::device::memcpy_async_tx(to, from + 64 * phase, cuda::aligned_size_t<16>(sizeof to), bar);
      token = cuda::device::barrier_arrive_tx(bar, 1, sizeof to);
      EXPECT(to[0] == (phase == 0 ? -1 : from[64 * (phase - 1)]));
    } else {
      token = bar.arrive();
    }
    if (phase == 0) {
      bar.wait(std::move(token));
    } else if (phase == 1) {
      bar.wait_parity(true);
    } else {
      while (!bar.try_wait_parity(false)) {
      }
    }
    EXPECT(to[63 - threadIdx.x] == from[64 * phase + 63 - static_cast<int>(threadIdx.x)]);
    __syncthreads();
  }
  EXPECT(cuda::device::barrier_native_handle(bar) == reinterpret_cast<std::uint64_t*>(&bar));
}

constexpr unsigned stages = 3, pieces = 11;

// Each thread's own copies, `stages` of them on their way.
__global__ void own(const int* from, int* to) {
  __shared__ int buffer[stages][64];
  const unsigned t = threadIdx.x;
  for (auto& stage : buffer) stage[t] = -1;
  auto pipe = cuda::make_pipeline();
  unsigned fetched = 0;
  for (unsigned i = 0; i < pieces; ++i) {
    for (; fetched < pieces && fetched < i + stages; ++fetched) {
      pipe.producer_acquire();
      cuda::memcpy_async(&buffer[fetched % stages][t], from + fetched * 64 + t, cuda::aligned_size_t<4>(4),
                         pipe);
      pipe.producer_commit();
      if (fetched >= stages) EXPECT(buffer[fetched % stages][t] == from[(fetched - stages) * 64 + t]);
    }
    if (i % 2 == 0) {
      pipe.consumer_wait();
    } else if (fetched - i > 2) {
      cuda::pipeline_consumer_wait_prior<2>(pipe);
    } else {
      cuda::pipeline_consumer_wait_prior<0>(pipe);
    }
    EXPECT(i + 1 >= fetched || buffer[(i + 1) % stages][t] != from[(i + 1) * 64 + t] || i + 3 > pieces);
    to[i * 64 + t] = buffer[i % stages][t];
    pipe.consumer_release();
  }
}

// All threads produce and consume: a thread reads what others have copied.
__global__ void of_block(const int* from, int* to) {
  __shared__ cuda::pipeline_shared_state<cuda::thread_scope_block, stages> state;
  __shared__ int buffer[stages][64];
  const auto block = cg::this_thread_block();
  auto pipe = cuda::make_pipeline(block, &state);
  unsigned fetched = 0;
  for (unsigned i = 0; i < pieces; ++i) {
    for (; fetched < pieces && fetched < i + stages; ++fetched) {
      pipe.producer_acquire();
      cuda::memcpy_async(block, buffer[fetched % stages], from + fetched * 64, sizeof buffer[0], pipe);
      pipe.producer_commit();
    }
    pipe.consumer_wait();
    to[i * 64 + threadIdx.x] = buffer[i % stages][63 - threadIdx.x];
    pipe.consumer_release();
  }
}

// A warp copies, the others read.
template <bool ByRole>
__global__ void roles(const int* from, int* to) {
  __shared__ cuda::pipeline_shared_state<cuda::thread_scope_block, stages> state;
  __shared__ int buffer[stages][64];
  const auto block = cg::this_thread_block();
  const bool produces = threadIdx.x < 32;
  auto pipe = [&] {
    if constexpr (ByRole) {
      return cuda::make_pipeline(block, &state,
                                 produces ? cuda::pipeline_role::producer : cuda::pipeline_role::consumer);
    } else {
      return cuda::make_pipeline(block, &state, std::size_t{32});
    }
  }();
  for (unsigned i = 0; i < pieces; ++i) {
    if (produces) {
      pipe.producer_acquire();
      for (unsigned k = threadIdx.x; k < 64; k += 32)
        cuda::memcpy_async(&buffer[i % stages][k], from + i * 64 + k, sizeof(int), pipe);
      pipe.producer_commit();
    } else {
      pipe.consumer_wait();
      to[i * 64 + threadIdx.x - 32] = buffer[i % stages][95 - threadIdx.x];
      pipe.consumer_release();
    }
  }
}

int main() {
  constexpr int n = static_cast<int>(64 * pieces);
  int *from = nullptr, *to[4] = {};
  cudaMallocManaged(&from, n * sizeof(int));
  for (int i = 0; i < n; ++i) from[i] = 1000 + i * 7 % 997;
  for (int*& t : to) {
    cudaMallocManaged(&t, n * sizeof(int));
    for (int i = 0; i < n; ++i) t[i] = -1;
  }
  phases<<<2, 128>>>(from);
  bytes<<<2, 64>>>(from);
  own<<<1, 64>>>(from, to[0]);
  of_block<<<1, 64>>>(from, to[1]);
  roles<false><<<1, 96>>>(from, to[2]);
  roles<true><<<1, 96>>>(from, to[3]);
  if (const cudaError_t error = cudaDeviceSynchronize(); error != cudaSuccess) {
    std::printf("%s\n", cudaGetErrorString(error));
    return 1;
  }
  for (int i = 0; i < n; ++i) {
    const int mirrored = from[i / 64 * 64 + 63 - i % 64];
    if (to[0][i] != from[i] || to[1][i] != mirrored || to[2][i] != mirrored || to[3][i] != mirrored) {
      std::printf("element %d: %d %d %d %d, not %d and %d\n", i, to[0][i], to[1][i], to[2][i], to[3][i],
                  from[i], mirrored);
      return 3;
    }
  }
  return wrong == 0 ? 0 : 2;
}
