// assert in a kernel ends the launch with CUDA's error and message, and leaves the host alive.
#include <cuda_runtime.h>

#include <unistd.h>
#include <cassert>
#include <cstdio>
#include <cstring>

__global__ void checks(int limit) {
  __syncthreads();
  assert(static_cast<int>(threadIdx.x) < limit);
  __syncthreads();
}

int main() {
  checks<<<2, 64>>>(64);
  if (cudaDeviceSynchronize() != cudaSuccess) {
    std::printf("an assertion that holds\n");
    return 1;
  }
  // What the kernel says goes to a file.
  std::FILE* const said = std::tmpfile();
  const int before = dup(2);
  dup2(fileno(said), 2);
  checks<<<1, 64>>>(33);
  const cudaError_t error = cudaDeviceSynchronize();
  dup2(before, 2);
  char text[1000] = {};
  std::rewind(said);
  const std::size_t length = std::fread(text, 1, sizeof text - 1, said);
  std::fclose(said);
  int failed = 0;
  if (error != cudaErrorAssert || static_cast<int>(error) != 710 ||
      std::strcmp(cudaGetErrorString(error), "device-side assert triggered") != 0) {
    std::printf("error %d: %s\n", static_cast<int>(error), cudaGetErrorString(error));
    failed = 1;
  }
  const char* const words =
      "checks(int): block: [0,0,0], thread: [33,0,0] Assertion `static_cast<int>(threadIdx.x) < limit` "
      "failed.";
  if (length == 0 || std::strstr(text, words) == nullptr ||
      std::strstr(text, "assertions.cu:11: ") == nullptr) {
    std::printf("said: %s\n", text);
    failed = 1;
  }
  return failed;
}
