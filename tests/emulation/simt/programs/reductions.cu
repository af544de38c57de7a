// Sums through shared memory, shuffles and atomics; shared memory of a launch; a constant.
#include <cuda_runtime.h>

#include <cstdio>
#include <vector>

#define CHECK(call)                                                      \
  do {                                                                   \
    const cudaError_t error = (call);                                    \
    if (error != cudaSuccess) {                                          \
      std::printf("line %d: %s\n", __LINE__, cudaGetErrorString(error)); \
      return 1;                                                          \
    }                                                                    \
  } while (0)

__constant__ float scale[2];

template <int N>
__global__ void __launch_bounds__(N) sum(const float* __restrict__ x, float* out, int n) {
  __shared__ float part[N];
  const int t = static_cast<int>(threadIdx.x), i = static_cast<int>(blockIdx.x * blockDim.x) + t;
  part[t] = i < n ? x[i] * scale[1] : 0.0F;
  __syncthreads();
  for (int d = N / 2; d >= 32; d /= 2) {
    if (t < d) part[t] += part[t + d];
    __syncthreads();
  }
  if (t >= 32) return;
  float value = part[t];
  for (int d = 16; d > 0; d /= 2) value += __shfl_down_sync(0xFFFFFFFF, value, static_cast<unsigned>(d));
  if (t == 0) atomicAdd(out, value);
}

__global__ void reverse(int* data, int n) {
  extern __shared__ int all[];
  const int t = static_cast<int>(threadIdx.x);
  all[t] = data[t];
  __syncthreads();
  data[t] = all[n - 1 - t];
}

int main() {
  constexpr int n = 100000;
  const std::vector<float> host(n, 1.0F);
  float *x = nullptr, *out = nullptr, got = 0;
  CHECK(cudaMalloc(&x, n * sizeof(float)));
  CHECK(cudaMalloc(&out, sizeof(float)));
  CHECK(cudaMemset(out, 0, sizeof(float)));
  const float constants[2] = {0, 2};
  CHECK(cudaMemcpyToSymbol(scale, constants, sizeof constants));
  CHECK(cudaMemcpy(x, host.data(), n * sizeof(float), cudaMemcpyHostToDevice));
  // Variables may have the names of CUDA's own.
  const dim3 blockDim(256), gridDim((n + 255) / 256);
  sum<256><<<gridDim, blockDim>>>(x, out, n);
  CHECK(cudaGetLastError());
  CHECK(cudaMemcpy(&got, out, sizeof(float), cudaMemcpyDeviceToHost));
  if (got != 2.0F * n) return 2;

  int numbers[64], *data = nullptr;
  for (int i = 0; i < 64; ++i) numbers[i] = i;
  CHECK(cudaMalloc(&data, sizeof numbers));
  CHECK(cudaMemcpy(data, numbers, sizeof numbers, cudaMemcpyHostToDevice));
  reverse<<<1, 64, 64 * sizeof(int)>>>(data, 64);
  CHECK(cudaMemcpy(numbers, data, sizeof numbers, cudaMemcpyDeviceToHost));
  for (int i = 0; i < 64; ++i) {
    if (numbers[i] != 63 - i) return 3;
  }
  CHECK(cudaFree(x));
  CHECK(cudaFree(out));
  CHECK(cudaFree(data));
  return 0;
}
