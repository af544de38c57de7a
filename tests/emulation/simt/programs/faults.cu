// Accesses that no memory stands behind, and a division by zero: the launch fails with CUDA's code and says where, and
// the program goes on after a reset.
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

__global__ void writes(int* p) {
  __shared__ int own[64];
  own[threadIdx.x] = 1;
  __syncthreads();
  if (threadIdx.x == 37) p[5] = own[0];
}
__global__ void divides(int* p, int by) { p[threadIdx.x] = 7 / by; }
__device__ int deep(int n, volatile int* p) {
  volatile char much[200];
  much[n % 200] = static_cast<char>(n);
  return n == 0 ? *p : deep(n - 1, p) + much[n % 200];
}
__global__ void reads_from_deep(volatile int* p) { deep(50, p); }

// Bytes of shared memory seen as vectors, which the compiler moves by instructions that want them aligned.
template <class T>
__global__ void sees_vectors(float4* p) {
  __shared__ char before;
  __shared__ T bytes[16 * 32];
  before = static_cast<char>(p != nullptr);
  auto* const vectors = reinterpret_cast<float4*>(bytes);
  vectors[threadIdx.x] = p[threadIdx.x];
  __syncthreads();
  p[threadIdx.x] = vectors[31 - threadIdx.x];
  p[threadIdx.x].w = before;
}

int main() {
  static int here[64];
  const auto illegal = [](const char* where) {
    CHECK(cudaDeviceSynchronize() == cudaErrorIllegalAddress);
    const char* const text = cudaGetErrorString(cudaErrorIllegalAddress);
    if (std::strstr(text, where) == nullptr) {
      std::printf("not \"%s\": %s\n", where, text);
      failed = 1;
    }
    // The error stays, and nothing runs until the device is reset.
    int* memory = nullptr;
    CHECK(cudaMalloc(&memory, 4) == cudaErrorIllegalAddress);
    here[5] = 7;
    writes<<<2, 64>>>(here);
    CHECK(cudaGetLastError() == cudaErrorIllegalAddress && here[5] == 7);
    cudaDeviceReset();
    writes<<<2, 64>>>(here);
    CHECK(cudaDeviceSynchronize() == cudaSuccess && here[5] == 1);
  };
  for (int i = 0; i < 3; ++i) {
    writes<<<5, 64>>>(nullptr);
    illegal("thread (37, 0, 0)");
    writes<<<1, 64>>>(reinterpret_cast<int*>(std::size_t{1} << 46));
    illegal("an illegal memory access at 0x400000000014");
    writes<<<1, 64>>>(reinterpret_cast<int*>(std::size_t{1} << 63));
    illegal("an illegal memory access at an address that is misaligned, or none");
    reads_from_deep<<<1, 1>>>(nullptr);
    illegal("faults.cu:");
  }
  volatile int zero = 0;  // which no compiler knows
  divides<<<1, 3>>>(here, zero);
  CHECK(cudaDeviceSynchronize() == cudaErrorLaunchFailure);
  CHECK(std::strstr(cudaGetErrorString(cudaErrorLaunchFailure), "integer division by zero") != nullptr);
  cudaDeviceReset();
  divides<<<1, 3>>>(here, 0);  // a compiler may know better than to divide
  static_cast<void>(cudaDeviceSynchronize());
  cudaDeviceReset();
  divides<<<1, 3>>>(here, 2);
  CHECK(cudaDeviceSynchronize() == cudaSuccess && here[2] == 3);
  float4* vectors = nullptr;
  cudaMallocManaged(&vectors, 32 * sizeof *vectors);
  for (int i = 0; i < 32; ++i) vectors[i] = make_float4(static_cast<float>(i), 0, static_cast<float>(-i), 0);
  sees_vectors<unsigned char><<<1, 32>>>(vectors);
  CHECK(cudaDeviceSynchronize() == cudaSuccess && vectors[5].x == 26 && vectors[5].w == 1);
  return failed;
}
