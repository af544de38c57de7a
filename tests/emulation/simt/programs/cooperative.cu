// Cooperative grids: barriers of all blocks, blocks that wait for each other by memory, limits; launches by calls.
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cuda/atomic>

#include <cstdio>
#include <cstring>

namespace cg = cooperative_groups;

static int failed = 0;
static void expect(cudaError_t got, cudaError_t want, int line) {
  if (got == want) return;
  std::printf("line %d: %s, not %s\n", line, cudaGetErrorName(got), cudaGetErrorName(want));
  failed = 1;
}
#define EXPECT(call, error) expect((call), error, __LINE__)
#define CHECK(condition)                                  \
  do {                                                    \
    if (!(condition)) {                                   \
      std::printf("line %d: %s\n", __LINE__, #condition); \
      failed = 1;                                         \
    }                                                     \
  } while (0)

// Sums in a tree over the grid: each round needs all of the one before.
__global__ void sum(long long* data, unsigned n, int* valid) {
  __shared__ int own;
  const cg::grid_group grid = cg::this_grid();
  if (threadIdx.x == 0) own = static_cast<int>(blockIdx.x);
  if (grid.thread_rank() == 0) *valid = grid.is_valid() ? 1 : 0;
  unsigned left = n;
  while (left > 1) {
    const unsigned half = (left + 1) / 2;
    for (auto i = grid.thread_rank(); i + half < left; i += grid.size()) data[i] += data[i + half];
    grid.sync();
    left = half;
  }
  // Shared memory is the block's own all the while.
  if (own != static_cast<int>(blockIdx.x)) *valid = -1;
}

// Every block sees what all have written before they arrived.
__global__ void in_two_steps(int* data, int* wrong) {
  const auto grid = cg::this_grid();
  const auto rank = grid.thread_rank(), size = grid.num_threads();
  for (int round = 1; round < 4; ++round) {
    data[rank] = round;
    auto token = grid.barrier_arrive();
    grid.barrier_wait(std::move(token));
    if (data[size - 1 - rank] != round) atomicAdd(wrong, 1);
    grid.sync();
  }
}

// The blocks in a ring, from the last to the first: each waits for the one after it.
__global__ void ring(volatile int* turn, cuda::atomic<int, cuda::thread_scope_device>* other) {
  const int me = static_cast<int>(blockIdx.x), n = static_cast<int>(gridDim.x);
  if (threadIdx.x == 0) {
    while (atomicAdd(const_cast<int*>(turn), 0) != n - 1 - me) {
    }
    atomicAdd(const_cast<int*>(turn), 1);
    for (int now = *other; now != n - 1 - me; now = *other) other->wait(now);
    ++*other;
  }
  __syncthreads();
}

__global__ void leaves(int) {
  if (blockIdx.x == 1) return;
  cg::this_grid().sync();
}
__global__ void deadlock(int) {
  if (blockIdx.x == 2 && threadIdx.x == 0) __syncwarp();
  cg::this_grid().sync();
}
__global__ void plain(int* out, int a, double b) {
  if (threadIdx.x == 0) out[blockIdx.x] = a + static_cast<int>(2 * b) + static_cast<int>(blockDim.x);
}

int main() {
  constexpr unsigned n = 10000;
  long long* data = nullptr;
  int* valid = nullptr;
  cudaMallocManaged(&data, n * sizeof *data);
  cudaMallocManaged(&valid, 2048 * sizeof *valid);
  for (const unsigned blocks : {1U, 7U, 40U}) {
    for (unsigned i = 0; i < n; ++i) data[i] = i;
    *valid = 0;
    unsigned size = n;
    void* arguments[] = {&data, &size, &valid};
    EXPECT(cudaLaunchCooperativeKernel(sum, blocks, 64, arguments), cudaSuccess);
    EXPECT(cudaDeviceSynchronize(), cudaSuccess);
    CHECK(data[0] == static_cast<long long>(n) * (n - 1) / 2);
    CHECK(*valid == 1);
  }
  {
    int* wrong = valid + 2047;
    *wrong = 0;
    void* arguments[] = {&valid, &wrong};
    EXPECT(cudaLaunchCooperativeKernel(in_two_steps, dim3(3, 2), dim3(8, 4), arguments), cudaSuccess);
    EXPECT(cudaDeviceSynchronize(), cudaSuccess);
    CHECK(*wrong == 0);
  }
  {
    cuda::atomic<int, cuda::thread_scope_device>* other = nullptr;
    cudaMallocManaged(&other, sizeof *other);
    *other = 0;
    *valid = 0;
    void* arguments[] = {&valid, &other};
    auto* const address = reinterpret_cast<void*>(ring);
    EXPECT(cudaLaunchCooperativeKernel(static_cast<void*>(&failed), 6, 32, arguments),
           cudaErrorInvalidDeviceFunction);
    EXPECT(cudaGetLastError(), cudaErrorInvalidDeviceFunction);
    CHECK(!assay_simt::register_kernel(ring));  // it is known
    EXPECT(cudaLaunchCooperativeKernel(address, 6, 32, arguments), cudaSuccess);
    EXPECT(cudaDeviceSynchronize(), cudaSuccess);
    CHECK(*valid == 6 && *other == 6);
  }
  // 132 multiprocessors, two blocks of 1024 threads each.
  int none = 0;
  void* argument[] = {&none};
  EXPECT(cudaLaunchCooperativeKernel(leaves, 132 * 2 + 1, 1024, argument),
         cudaErrorCooperativeLaunchTooLarge);
  EXPECT(cudaGetLastError(), cudaErrorCooperativeLaunchTooLarge);
  EXPECT(cudaLaunchCooperativeKernel(leaves, 1, 1025, argument), cudaErrorInvalidConfiguration);
  EXPECT(cudaGetLastError(), cudaErrorInvalidConfiguration);

  // Calls.
  int three = 3;
  double half = 2.5;
  void* arguments[] = {&valid, &three, &half};
  EXPECT(cudaLaunchKernel(plain, 5, 32, arguments), cudaSuccess);
  for (int i = 0; i < 5; ++i) CHECK(valid[i] == 40);
  EXPECT(cudaLaunchKernel(plain, 5, 0, arguments), cudaErrorInvalidConfiguration);
  EXPECT(cudaGetLastError(), cudaErrorInvalidConfiguration);
  EXPECT(cudaLaunchKernel(reinterpret_cast<const void*>(plain), 2, 16, arguments, 0, nullptr), cudaSuccess);
  CHECK(valid[1] == 24 && valid[2] == 40);
  cudaLaunchAttribute attributes[2] = {};
  attributes[0].id = cudaLaunchAttributeClusterDimension;
  attributes[0].val.clusterDim.x = attributes[0].val.clusterDim.y = attributes[0].val.clusterDim.z = 1;
  attributes[1].id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attributes[1].val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config = {};
  config.gridDim = 3;
  config.blockDim = 8;
  config.attrs = attributes;
  config.numAttrs = 2;
  EXPECT(cudaLaunchKernelEx(&config, plain, valid, 1, 0.5F), cudaSuccess);
  CHECK(valid[0] == 10 && valid[2] == 10 && valid[3] == 40);
  EXPECT(cudaLaunchKernelExC(&config, reinterpret_cast<const void*>(plain), arguments), cudaSuccess);
  CHECK(valid[2] == 16);
  attributes[0].val.clusterDim.x = 2;
  EXPECT(cudaLaunchKernelEx(&config, plain, valid, 1, 0.5F), cudaErrorNotSupported);
  EXPECT(cudaGetLastError(), cudaErrorNotSupported);
  cudaFuncAttributes of_kernel;
  EXPECT(cudaFuncGetAttributes(&of_kernel, plain), cudaSuccess);
  CHECK(of_kernel.maxThreadsPerBlock == 1024 && of_kernel.binaryVersion == 90);
  EXPECT(cudaFuncGetAttributes(&of_kernel, static_cast<const void*>(&failed)),
         cudaErrorInvalidDeviceFunction);
  EXPECT(cudaGetLastError(), cudaErrorInvalidDeviceFunction);

  // A barrier that a block does not reach; a block that cannot end; no cooperative launch.
  const auto fails = [&](const char* text, auto&& launch) {
    launch();
    EXPECT(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
    const char* const got = cudaGetErrorString(cudaErrorLaunchFailure);
    if (std::strstr(got, text) == nullptr) {
      std::printf("not \"%s\": %s\n", text, got);
      failed = 1;
    }
    cudaDeviceReset();
  };
  fails("3 of 4 blocks wait for all of the grid",
        [&] { cudaLaunchCooperativeKernel(leaves, 4, 32, argument); });
  fails("block (2, 0, 0): deadlock: 32 of 32 threads wait, 31 at a barrier and 1 in a warp operation",
        [&] { cudaLaunchCooperativeKernel(deadlock, 4, 32, argument); });
  fails("not cooperative", [&] { cudaLaunchKernel(leaves, 2, 32, argument); });
  // And all works afterwards, with new memory: a reset has freed what there was.
  EXPECT(cudaMallocManaged(&valid, 2048 * sizeof *valid), cudaSuccess);
  EXPECT(cudaLaunchKernel(plain, 5, 32, arguments), cudaSuccess);
  CHECK(valid[0] == 40 && valid[4] == 40);
  EXPECT(cudaGetLastError(), cudaSuccess);
  return failed;
}
