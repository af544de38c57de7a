// Kernels that do not end, under ASSAY_SIMT_SECONDS: those whose threads wait now and then end with an error, and one
// that never does ends the process. Settings that mean nothing do so too.
#include <cooperative_groups.h>
#include <sys/wait.h>
#include <cuda/atomic>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

static int failed = 0;
#define CHECK(condition)                                  \
  do {                                                    \
    if (!(condition)) {                                   \
      std::printf("line %d: %s\n", __LINE__, #condition); \
      failed = 1;                                         \
    }                                                     \
  } while (0)

__global__ void spins_at_barriers() {
  for (;;) __syncthreads();
}
__global__ void spins_by_atomics(int* flag) {
  if (threadIdx.x == 3) {
    while (atomicAdd(flag, 0) == 0) {
    }
  }
  __syncthreads();
}
__global__ void spins_by_shuffles() {
  for (;;) __shfl_xor_sync(0xFFFFFFFF, 1, 1);
}
__global__ void waits(cuda::atomic<int>* flag) { flag->wait(0); }
__global__ void grid_waits() {
  if (blockIdx.x == 0) {
    for (;;) __syncthreads();
  }
  cooperative_groups::this_grid().sync();
}
__global__ void never_waits(volatile int* flag) {
  while (*flag == 0) {
  }
}
__global__ void ends(int* n) { atomicAdd(n, 1); }
__global__ void subnormal(float* out, float x) { *out = x * 0.5F; }

// Its exit code, and what it says.
static std::string output;
static int run(const char* program, const std::string& how) {
  const std::size_t bar = how.find('|');
  const std::string command = how.substr(0, bar) + " '" + program + "' " + how.substr(bar + 1) + " 2>&1";
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return -1;
  output.resize(4096);
  output.resize(std::fread(output.data(), 1, output.size(), pipe));
  const int status = pclose(pipe);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int count, char** values) {
  static int zero = 0;
  int* const flag = &zero;  // memory of the host, which cudaDeviceReset() does not release
  if (count > 1 && std::strcmp(values[1], "spin") == 0) {
    never_waits<<<2, 2>>>(flag);
    return 1;
  }
  if (count > 1) {
    float* out = nullptr;
    cudaMallocManaged(&out, sizeof *out);
    subnormal<<<1, 1>>>(out, 1.0e-38F);
    return *out == 0 ? 3 : 4;
  }
  CHECK(run(values[0], "ASSAY_SIMT_SECONDS=0.1|spin") == 124);
  CHECK(output.find("endless.cu:") != std::string::npos);
  CHECK(output.find("grid (2, 1, 1), block (2, 1, 1)") != std::string::npos);
  CHECK(run(values[0], "ASSAY_SIMT_FTZ=1|number") == 3);
  CHECK(run(values[0], "ASSAY_SIMT_FTZ=0|number") == 4);
  CHECK(run(values[0], "ASSAY_SIMT_THREADS=2 ASSAY_SIMT_STACK=65536|number") == 4);
  for (const char* const wrong :
       {"ASSAY_SIMT_SCHEDULE=backward", "ASSAY_SIMT_SCHEDULE=random:", "ASSAY_SIMT_SCHEDULE=random:x",
        "ASSAY_SIMT_THREADS=0", "ASSAY_SIMT_THREADS=", "ASSAY_SIMT_THREADS=2x", "ASSAY_SIMT_STACK=100",
        "ASSAY_SIMT_FTZ=yes", "ASSAY_SIMT_SECONDS=0", "ASSAY_SIMT_SECONDS=-1", "ASSAY_SIMT_SECONDS=nan"}) {
    CHECK(run(values[0], wrong + std::string("|number")) == 2);
    CHECK(output.rfind(std::string(wrong) + ": expected ", 0) == 0);
  }

  setenv("ASSAY_SIMT_SECONDS", "0.1", 1);
  static cuda::atomic<int> none{0};
  cuda::atomic<int>* atomic = &none;
  const auto times_out = [&](const char* text) {
    CHECK(cudaDeviceSynchronize() == cudaErrorLaunchTimeout);
    const char* const got = cudaGetErrorString(cudaErrorLaunchTimeout);
    if (std::strstr(got, text) == nullptr || std::strstr(got, "no end within 0.1 s") == nullptr) {
      std::printf("not \"%s\": %s\n", text, got);
      failed = 1;
    }
    cudaDeviceReset();
  };
  spins_at_barriers<<<2, 64>>>();
  times_out("of 64 threads wait");
  spins_by_atomics<<<1, 32>>>(flag);
  times_out("block (0, 0, 0): 32 of 32 threads wait, 31 at a barrier");
  spins_by_shuffles<<<1, 32>>>();
  times_out("in a warp operation");
  grid_waits<<<1, 1>>>();
  times_out("block (0, 0, 0)");
  CHECK(cudaLaunchCooperativeKernel(grid_waits, 3, 2, nullptr) == cudaSuccess);
  times_out("block (0, 0, 0)");
  // In a block alone on its OS thread nobody else can write.
  waits<<<1, 4>>>(atomic);
  CHECK(cudaDeviceSynchronize() == cudaErrorLaunchFailure);
  CHECK(std::strstr(cudaGetErrorString(cudaErrorLaunchFailure), "4 for what others write") != nullptr);
  cudaDeviceReset();
  void* arguments[] = {&atomic};
  CHECK(cudaLaunchCooperativeKernel(waits, 2, 4, arguments) == cudaSuccess);
  times_out("4 for what others write");
  ends<<<100, 100>>>(flag);
  CHECK(cudaDeviceSynchronize() == cudaSuccess && *flag == 10000);
  return failed;
}
