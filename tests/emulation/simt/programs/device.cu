// What the API tells of the device, for the GPU that ASSAY_SIMT_ARCH names, by CUDA's guide; occupancy; limits; peers.
#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

static int failed = 0;
static void expect(cudaError_t got, cudaError_t want, int line) {
  if (got == want) return;
  std::printf("line %d: %s, not %s\n", line, cudaGetErrorName(got), cudaGetErrorName(want));
  failed = 1;
}
static void check(bool holds, int line) {
  if (holds) return;
  std::printf("line %d\n", line);
  failed = 1;
}
#define EXPECT(call, error) expect((call), error, __LINE__)
#define OK(call) expect((call), cudaSuccess, __LINE__)
#define CHECK(condition) check((condition), __LINE__)

__global__ void nothing() {}
__global__ void other() {}

// The table of the guide: compute capability, threads, blocks and KiB of shared memory of a multiprocessor, KiB of a
// block that asks for them.
struct Row {
  const char* name;
  int major, minor, threads, blocks, shared, optin;
};
static const Row rows[] = {{"sm_70", 7, 0, 2048, 32, 96, 96},     {"sm_75", 7, 5, 1024, 16, 64, 64},
                           {"sm_80", 8, 0, 2048, 32, 164, 163},   {"sm_86", 8, 6, 1536, 16, 100, 99},
                           {"sm_89", 8, 9, 1536, 24, 100, 99},    {"sm_90", 9, 0, 2048, 32, 228, 227},
                           {"sm_100", 10, 0, 2048, 32, 228, 227}, {"sm_120", 12, 0, 1536, 24, 100, 99}};

int main() {
  const char* const named = std::getenv("ASSAY_SIMT_ARCH");
  const Row* row = nullptr;
  for (const Row& one : rows) {
    if (std::strcmp(one.name, named == nullptr ? "sm_90" : named) == 0) row = &one;
  }
  if (row == nullptr) return 3;
  cudaDeviceProp p;
  OK(cudaGetDeviceProperties(&p, 0));
  EXPECT(cudaGetDeviceProperties(&p, 1), cudaErrorInvalidDevice);
  CHECK(p.major == row->major && p.minor == row->minor && p.warpSize == 32 &&
        p.regsPerMultiprocessor == 65536);
  CHECK(p.maxThreadsPerMultiProcessor == row->threads && p.maxBlocksPerMultiProcessor == row->blocks);
  CHECK(p.sharedMemPerMultiprocessor == static_cast<std::size_t>(row->shared) << 10);
  CHECK(p.sharedMemPerBlockOptin == static_cast<std::size_t>(row->optin) << 10 &&
        p.sharedMemPerBlock == 49152);
  CHECK(p.maxThreadsDim[2] == 64 && p.maxGridSize[0] == 2147483647 && p.maxGridSize[1] == 65535);
  CHECK(p.clusterLaunch == (row->major >= 9 ? 1 : 0));
  int value = 0;
  OK(cudaDeviceGetAttribute(&value, cudaDevAttrComputeCapabilityMajor, 0));
  CHECK(value == row->major && cudaDevAttrComputeCapabilityMajor == 75);
  OK(cudaDeviceGetAttribute(&value, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0));
  CHECK(value == row->optin << 10 && cudaDevAttrMaxSharedMemoryPerBlockOptin == 97);

  // Blocks of 128 threads and of shared memory in pieces of 128 bytes (256 before 8.0), 1 KiB more each from 8.0 on.
  const int piece = row->major >= 8 ? 128 : 256, more = row->major >= 8 ? 1024 : 0;
  for (const int shared : {0, 1000, 5000, 19660, 20000, 21840, 33106, 40000, 45666}) {
    const int of_block = (shared + more + piece - 1) / piece * piece;
    int want = row->threads / 128 < row->blocks ? row->threads / 128 : row->blocks;
    if (of_block > 0 && (row->shared << 10) / of_block < want) want = (row->shared << 10) / of_block;
    OK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&value, nothing, 128, static_cast<std::size_t>(shared)));
    CHECK(value == want);
  }
  int blocks = 0, threads = 0;
  OK(cudaOccupancyMaxPotentialBlockSize(&blocks, &threads, nothing));
  // The largest size of a block by which all threads of a multiprocessor may be there.
  int largest = 0;
  for (int size = 32; size <= 1024; size += 32) {
    if (row->threads % size == 0 && row->threads / size <= row->blocks) largest = size;
  }
  CHECK(threads == largest && blocks == row->threads / largest * p.multiProcessorCount);
  OK(cudaOccupancyMaxPotentialBlockSizeVariableSMem(
      &blocks, &threads, nothing, [](int n) { return n * 16; }, 256));
  CHECK(threads <= 256);
  std::size_t bytes = 0;
  OK(cudaOccupancyAvailableDynamicSMemPerBlock(&bytes, nothing, 2, 128));
  int fit = 0;
  OK(cudaFuncSetAttribute(nothing, cudaFuncAttributeMaxDynamicSharedMemorySize, row->optin << 10));
  OK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&fit, nothing, 128, bytes));
  CHECK(fit == 2);
  OK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&fit, nothing, 128, bytes + 256));
  CHECK(fit == 1);
  EXPECT(cudaFuncSetAttribute(nothing, cudaFuncAttributeMaxDynamicSharedMemorySize, (row->optin << 10) + 1),
         cudaErrorInvalidValue);
  cudaFuncAttributes attributes;
  OK(cudaFuncGetAttributes(&attributes, nothing));
  CHECK(attributes.maxDynamicSharedSizeBytes == row->optin << 10 && attributes.maxThreadsPerBlock == 1024);
  OK(cudaFuncGetAttributes(&attributes, other));
  CHECK(attributes.maxDynamicSharedSizeBytes == 49152);

  std::size_t limit = 0;
  OK(cudaDeviceSetLimit(cudaLimitMallocHeapSize, 123456));
  OK(cudaDeviceGetLimit(&limit, cudaLimitMallocHeapSize));
  CHECK(limit == 123456);
  EXPECT(cudaDeviceGetLimit(&limit, static_cast<cudaLimit>(77)), cudaErrorUnsupportedLimit);
  char id[32];
  int device = -1;
  OK(cudaDeviceGetPCIBusId(id, sizeof id, 0));
  OK(cudaDeviceGetByPCIBusId(&device, id));
  CHECK(device == 0);
  EXPECT(cudaDeviceGetPCIBusId(id, 5, 0), cudaErrorInvalidValue);
  EXPECT(cudaDeviceEnablePeerAccess(0, 0), cudaErrorInvalidDevice);
  EXPECT(cudaDeviceDisablePeerAccess(0), cudaErrorPeerAccessNotEnabled);
  int least = 1, greatest = 1;
  OK(cudaDeviceGetStreamPriorityRange(&least, &greatest));
  CHECK(greatest < least && least == 0);
  cudaIpcMemHandle_t handle;
  EXPECT(cudaIpcGetMemHandle(&handle, nullptr), cudaErrorNotSupported);
  // Names and texts of errors.
  CHECK(cudaErrorInvalidPitchValue == 12 && cudaErrorStreamCaptureUnsupported == 900 &&
        cudaErrorInvalidPtx == 218);
  CHECK(std::strcmp(cudaGetErrorName(cudaErrorLaunchOutOfResources), "cudaErrorLaunchOutOfResources") == 0);
  CHECK(std::strcmp(cudaGetErrorString(cudaErrorLaunchOutOfResources),
                    "too many resources requested for launch") == 0);
  CHECK(std::strcmp(cudaGetErrorString(static_cast<cudaError_t>(12345)), "unrecognized error code") == 0);
  return failed;
}
