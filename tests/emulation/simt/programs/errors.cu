// Errors as CUDA gives them: of launches, copies and pointers; a kernel that cannot end.
#include <cuda_runtime.h>

#include <cstdio>
#include <cstring>

static int failed = 0;
static void expect(cudaError_t got, cudaError_t want, int line) {
  if (got == want) return;
  std::printf("line %d: %s, not %s\n", line, cudaGetErrorName(got), cudaGetErrorName(want));
  failed = 1;
}
#define EXPECT(call, error) expect((call), error, __LINE__)

__global__ void nothing() {}
__global__ void waits_for_ever() {
  if (threadIdx.x == 0) __syncwarp();
  __syncthreads();
}

int main() {
  nothing<<<1, 1025>>>();
  EXPECT(cudaPeekAtLastError(), cudaErrorInvalidConfiguration);
  EXPECT(cudaGetLastError(), cudaErrorInvalidConfiguration);
  EXPECT(cudaGetLastError(), cudaSuccess);
  nothing<<<0, 1>>>();
  EXPECT(cudaGetLastError(), cudaErrorInvalidConfiguration);
  nothing<<<1, 32, 1 << 20>>>();
  EXPECT(cudaGetLastError(), cudaErrorInvalidValue);
  nothing<<<dim3(2, 3), dim3(4, 5), 0, nullptr>>>();
  EXPECT(cudaGetLastError(), cudaSuccess);

  int host[4] = {1, 2, 3, 4}, *device = nullptr, *pinned = nullptr, *managed = nullptr;
  EXPECT(cudaMalloc(&device, sizeof host), cudaSuccess);
  EXPECT(cudaMallocHost(&pinned, sizeof host), cudaSuccess);
  EXPECT(cudaMallocManaged(&managed, sizeof host), cudaSuccess);
  EXPECT(cudaMalloc(&device, std::size_t{1} << 60), cudaErrorMemoryAllocation);
  EXPECT(cudaMalloc(&device, sizeof host), cudaSuccess);
  EXPECT(cudaMemcpy(device, host, sizeof host, cudaMemcpyHostToDevice), cudaSuccess);
  EXPECT(cudaMemcpy(device, host, sizeof host, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT(cudaMemcpy(host, device, sizeof host, cudaMemcpyHostToHost), cudaErrorInvalidValue);
  EXPECT(cudaMemcpy(device, host, sizeof host + 1, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT(cudaMemcpy(device + 2, host, sizeof host, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT(cudaMemcpy(nullptr, host, sizeof host, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT(cudaMemcpy(pinned, device, sizeof host, cudaMemcpyDeviceToHost), cudaSuccess);
  EXPECT(cudaMemcpy(managed, pinned, sizeof host, cudaMemcpyHostToDevice), cudaSuccess);
  if (std::memcmp(managed, host, sizeof host) != 0) failed = 1;
  EXPECT(cudaMemset(host, 0, sizeof host), cudaErrorInvalidValue);
  EXPECT(cudaFree(host), cudaErrorInvalidValue);
  EXPECT(cudaFree(pinned), cudaErrorInvalidValue);
  EXPECT(cudaFreeHost(pinned), cudaSuccess);
  EXPECT(cudaFree(managed), cudaSuccess);
  EXPECT(cudaFree(nullptr), cudaSuccess);
  EXPECT(cudaFree(device), cudaSuccess);
  EXPECT(cudaFree(device), cudaErrorInvalidValue);
  int* mapped = nullptr;
  EXPECT(cudaHostGetDevicePointer(&mapped, host, 0), cudaErrorInvalidValue);
  EXPECT(cudaHostRegister(host, sizeof host, cudaHostRegisterMapped), cudaSuccess);
  EXPECT(cudaHostRegister(host, sizeof host, cudaHostRegisterMapped), cudaErrorHostMemoryAlreadyRegistered);
  EXPECT(cudaHostGetDevicePointer(&mapped, host, 0), cudaSuccess);
  EXPECT(cudaFreeHost(host), cudaErrorInvalidValue);
  EXPECT(cudaHostUnregister(host), cudaSuccess);
  EXPECT(cudaHostUnregister(host), cudaErrorHostMemoryNotRegistered);
  if (mapped != host) failed = 1;

  int value = 0, blocks = 0;
  EXPECT(cudaDeviceGetAttribute(&value, cudaDevAttrWarpSize, 0), cudaSuccess);
  if (value != 32) failed = 1;
  EXPECT(cudaDeviceGetAttribute(&value, static_cast<cudaDeviceAttr>(999), 0), cudaErrorInvalidValue);
  EXPECT(cudaDeviceGetAttribute(&value, cudaDevAttrWarpSize, 1), cudaErrorInvalidDevice);
  // 2048 threads and 228 KiB a multiprocessor, 32 blocks at most; a block takes 1 KiB beside its own.
  EXPECT(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, nothing, 256, 0), cudaSuccess);
  if (blocks != 8) failed = 1;
  EXPECT(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, nothing, 33, 37 << 10), cudaSuccess);
  if (blocks != 6) failed = 1;
  EXPECT(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, nothing, 32, 0), cudaSuccess);
  if (blocks != 32) failed = 1;

  EXPECT(cudaGetLastError(), cudaErrorInvalidDevice);
  EXPECT(cudaSetDevice(1), cudaErrorInvalidDevice);
  EXPECT(cudaGetLastError(), cudaErrorInvalidDevice);

  // A kernel's error stays.
  waits_for_ever<<<2, 32>>>();
  EXPECT(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  EXPECT(cudaGetLastError(), cudaErrorLaunchFailure);
  EXPECT(cudaGetLastError(), cudaErrorLaunchFailure);
  if (std::strstr(cudaGetErrorString(cudaErrorLaunchFailure), "32 of 32 threads wait, 31 at a barrier") ==
      nullptr) {
    std::printf("%s\n", cudaGetErrorString(cudaErrorLaunchFailure));
    failed = 1;
  }
  EXPECT(cudaDeviceReset(), cudaSuccess);
  EXPECT(cudaGetLastError(), cudaSuccess);
  return failed;
}
