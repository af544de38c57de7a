// Thrust of the system's package: device memory is the process's own, so its algorithms for the host work on it.
#include <thrust/copy.h>
#include <thrust/device_free.h>
#include <thrust/device_malloc.h>
#include <thrust/device_ptr.h>
#include <thrust/device_vector.h>
#include <thrust/execution_policy.h>
#include <thrust/host_vector.h>
#include <thrust/reduce.h>
#include <thrust/scan.h>
#include <thrust/sort.h>
#include <thrust/system/cuda/execution_policy.h>
#include <thrust/transform.h>

#include <cstdio>

static int failed = 0;
static void check(bool holds, int line) {
  if (holds) return;
  std::printf("line %d\n", line);
  failed = 1;
}
#define CHECK(condition) check((condition), __LINE__)

static __global__ void twice(int* p, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) p[i] *= 2;
}
static __global__ void sort_two(int* p) {
  // Each thread its own pair.
  int* const mine = p + 2 * threadIdx.x;
  thrust::sort(thrust::seq, mine, mine + 2);
}

int main() {
  constexpr int n = 1000;
  thrust::host_vector<int> host(n);
  for (int i = 0; i < n; ++i) host[static_cast<std::size_t>(i)] = i * 7919 % n;
  thrust::device_vector<int> device = host;
  // A kernel, copies of the runtime API and algorithms on the same memory.
  int* const raw = thrust::raw_pointer_cast(device.data());
  sort_two<<<1, n / 2>>>(raw);
  CHECK(cudaMemcpy(host.data(), raw, n * sizeof(int), cudaMemcpyDeviceToHost) == cudaSuccess);
  CHECK(host[0] == 0 && host[1] == 919 && host[2] == 757 && host[3] == 838);
  thrust::sort(device.begin(), device.end());
  twice<<<4, 256>>>(raw, n);
  CHECK(thrust::reduce(device.begin(), device.end(), 0, thrust::plus<int>()) == n * (n - 1));
  thrust::exclusive_scan(thrust::device, device.begin(), device.end(), device.begin());
  CHECK(device[n - 1] == (n - 1) * (n - 2));
  int* memory = nullptr;
  CHECK(cudaMalloc(&memory, n * sizeof(int)) == cudaSuccess);
  thrust::device_ptr<int> pointer(memory);
  thrust::copy(device.begin(), device.end(), pointer);
  thrust::transform(thrust::cuda::par.on(nullptr), pointer, pointer + n, pointer, thrust::negate<int>());
  int last = 0;
  CHECK(cudaMemcpy(&last, memory + n - 1, sizeof last, cudaMemcpyDeviceToHost) == cudaSuccess);
  CHECK(last == -(n - 1) * (n - 2));
  cudaPointerAttributes attributes{};
  CHECK(cudaPointerGetAttributes(&attributes, raw) == cudaSuccess && attributes.type == cudaMemoryTypeDevice);
  const thrust::device_ptr<float> floats = thrust::device_malloc<float>(4);
  CHECK(cudaPointerGetAttributes(&attributes, floats.get()) == cudaSuccess);
  CHECK(attributes.type == cudaMemoryTypeDevice);
  thrust::device_free(floats);
  CHECK(cudaFree(memory) == cudaSuccess);
  CHECK(cudaGetLastError() == cudaSuccess);
  return failed;
}
