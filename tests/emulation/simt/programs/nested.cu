// Kernels that launch kernels: what they launch runs when their grid has ended, in order; the tail last of all.
#include <cuda_runtime.h>

#include <cstdio>
#include <cstring>

static int failed = 0;
#define CHECK(condition)                                  \
  do {                                                    \
    if (!(condition)) {                                   \
      std::printf("line %d: %s\n", __LINE__, #condition); \
      failed = 1;                                         \
    }                                                     \
  } while (0)

__device__ int events[64];
__device__ int event_count = 0;
__device__ void happens(int what) { events[atomicAdd(&event_count, 1)] = what; }

// A literal 0 is what the parameter makes of it.
__global__ void takes_zeros(const int* none, int zero, double real, bool* bits) {
  happens(none == nullptr && zero == 0 && real == 0 && bits == nullptr ? 7 : 8);
}
template <class T>
__global__ void takes_one(T value, int plus) {
  happens(static_cast<int>(sizeof(T)) + static_cast<int>(value) + plus);
}
__global__ void event(int what) { happens(what); }
__global__ void child(int what) {
  event<<<1, 1>>>(what + 1);
  happens(what);
}
__global__ void parent() {
  const int b = static_cast<int>(blockIdx.x) * 100;
  if (threadIdx.x != 0) return;
  event<<<1, 1, 0, cudaStreamTailLaunch>>>(b + 90);
  child<<<1, 1>>>(b + 10);
  event<<<1, 1, 0, cudaStreamFireAndForget>>>(b + 20);
  cudaStream_t stream;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  event<<<1, 1, 0, stream>>>(b + 30);
  cudaStreamDestroy(stream);
  if (b == 0) happens(-1);
}

// 2^k leaves, each launched by its branch.
__global__ void tree(int depth, int* leaves) {
  if (depth == 0) {
    atomicAdd(leaves, 1);
  } else {
    tree<<<1, 1>>>(depth - 1, leaves);
    tree<<<1, 1>>>(depth - 1, leaves);
  }
}

__global__ void deeper(int* deepest, int depth, int* error) {
  *deepest = depth;
  deeper<<<1, 1>>>(deepest, depth + 1, error);
  if (const cudaError_t e = cudaGetLastError(); e != cudaSuccess) *error = e;
  if (cudaGetLastError() != cudaSuccess) *error = -1;
}

// Each thread sees its own errors; the host none of them.
__global__ void errors(int* got) {
  const unsigned t = threadIdx.x;
  if (t % 2 == 0) event<<<1, 2000>>>(0);
  __syncthreads();
  got[t] = cudaPeekAtLastError();
  if (t % 2 == 0) got[t] += cudaGetLastError();
  got[t] += cudaGetLastError();
}

// Arguments are copies, memory of the kernel's own lives on.
__global__ void fill(int* memory, int value) { memory[threadIdx.x] = value + static_cast<int>(threadIdx.x); }
__global__ void gather(int* memory, int* out) {
  out[threadIdx.x] = memory[threadIdx.x];
  __syncthreads();
  if (threadIdx.x == 0) cudaFree(memory);
}
__global__ void own_memory(int* out) {
  int* memory = nullptr;
  if (cudaMalloc(&memory, 8 * sizeof(int)) != cudaSuccess) return;
  int value = 1000 * static_cast<int>(threadIdx.x + blockIdx.x * blockDim.x);
  fill<<<1, 8>>>(memory, value);
  value = 5;
  cudaMemsetAsync(memory, 0, sizeof(int));
  gather<<<1, 8>>>(memory, out + 8 * (threadIdx.x + blockIdx.x * blockDim.x));
}

__global__ void hangs() {
  if (threadIdx.x == 0) __syncwarp();
  __syncthreads();
}
__global__ void launches_what_hangs(int* after) {
  hangs<<<1, 32>>>();
  fill<<<1, 1>>>(after, 7);
}
__global__ void synchronizes() { cudaDeviceSynchronize(); }

int main() {
  parent<<<2, 32>>>();
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
  const int want[] = {-1, 10, 11, 20, 30, 110, 111, 120, 130, 90, 190};
  CHECK(event_count == 11);
  for (int i = 0; i < 11; ++i) CHECK(events[i] == want[i]);
  takes_zeros<<<1, 1>>>(0, 0, 0, 0);
  takes_one<<<1, 1>>>(0, 2);
  takes_one<double><<<1, 1>>>(0, 0);
  CHECK(cudaDeviceSynchronize() == cudaSuccess && event_count == 14);
  CHECK(events[11] == 7 && events[12] == 6 && events[13] == 8);

  int *numbers = nullptr, *error = nullptr;
  cudaMallocManaged(&numbers, 1024 * sizeof(int));
  cudaMallocManaged(&error, sizeof(int));
  *numbers = 0;
  tree<<<1, 1>>>(7, numbers);
  cudaDeviceSynchronize();
  CHECK(*numbers == 128);

  *error = 0;
  deeper<<<1, 1>>>(numbers, 0, error);
  CHECK(cudaDeviceSynchronize() == cudaSuccess && cudaGetLastError() == cudaSuccess);
  CHECK(*numbers == 24 && *error == cudaErrorLaunchMaxDepthExceeded);

  errors<<<1, 64>>>(numbers);
  CHECK(cudaGetLastError() == cudaSuccess);
  for (int t = 0; t < 64; ++t) CHECK(numbers[t] == (t % 2 == 0 ? 2 * cudaErrorInvalidConfiguration : 0));

  own_memory<<<4, 32>>>(numbers);
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
  for (int i = 0; i < 1024; ++i) CHECK(numbers[i] == (i % 8 == 0 ? 0 : 1000 * (i / 8) + i % 8));

  *numbers = 0;
  launches_what_hangs<<<1, 1>>>(numbers);
  CHECK(cudaDeviceSynchronize() == cudaErrorLaunchFailure && *numbers == 0);
  CHECK(std::strstr(cudaGetErrorString(cudaGetLastError()), "nested.cu:") != nullptr);
  cudaDeviceReset();
  synchronizes<<<1, 1>>>();
  CHECK(std::strstr(cudaGetErrorString(cudaGetLastError()), "cudaDeviceSynchronize") != nullptr);
  cudaDeviceReset();
  return failed;
}
