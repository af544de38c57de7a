//--blockDim=256 --gridDim=4
// y = a x + y on the GPU, or on the CPU by `assay simt run saxpy.cu -- 1000`.
#include <cstdio>
#include <cstdlib>

__global__ void saxpy(int n, float a, const float* x, float* y) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) y[i] = a * x[i] + y[i];
}

int main(int argc, char** argv) {
  const int n = argc > 1 ? std::atoi(argv[1]) : 1000;
  const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(float);
  float *x = nullptr, *y = nullptr;
  if (cudaMallocManaged(&x, bytes) != cudaSuccess || cudaMallocManaged(&y, bytes) != cudaSuccess) return 1;
  for (int i = 0; i < n; ++i) {
    x[i] = static_cast<float>(i);
    y[i] = 1;
  }
  saxpy<<<(n + 255) / 256, 256>>>(n, 2.0F, x, y);
  if (const cudaError_t error = cudaDeviceSynchronize(); error != cudaSuccess) {
    std::printf("%s\n", cudaGetErrorString(error));
    return 1;
  }
  int wrong = 0;
  for (int i = 0; i < n; ++i) wrong += y[i] == 2 * static_cast<float>(i) + 1 ? 0 : 1;
  std::printf("%d of %d results are wrong\n", wrong, n);
  return wrong == 0 ? 0 : 1;
}
