// The device of the runtime API, by the GPU that is imitated, and what it says of kernels.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <unordered_map>

#include "emulation/simt/block.hpp"
#include "emulation/simt/imitated_gpu.hpp"
#include "emulation/simt/include/assay_simt.h"
#include "emulation/simt/runtime.hpp"
#include "reference/core/cpu.hpp"

namespace assay_simt::runtime {
namespace {

using assay::simt::imitated_gpu;
using assay::simt::ImitatedGpu;

constexpr const char* bus_id = "0000:00:00.0";

struct Settings {
  std::mutex mutex{};
  unsigned flags = 0;
  cudaFuncCache cache = cudaFuncCachePreferNone;
  cudaSharedMemConfig banks = cudaSharedMemBankSizeFourByte;
  // Stack of a thread, printf's buffer, heap, depth, launches pending, fetches of L2, persisting L2: CUDA's defaults.
  std::size_t limits[7] = {1024, 1 << 20, 8 << 20, 2, 2048, 64, 0};
  struct Function {
    int dynamic_shared = 0, carveout = -1;
    bool any_cluster = false;
  };
  std::unordered_map<const void*, Function> functions{};
};
Settings& settings() {
  static Settings& all = *new Settings;
  return all;
}

cudaError_t check_device(int device) { return device == 0 ? cudaSuccess : remember(cudaErrorInvalidDevice); }

template <std::size_t n>
void set(int (&to)[n], const int (&values)[n]) {
  std::copy(std::begin(values), std::end(values), std::begin(to));
}

// The same for all that are imitated: CUDA's guide, technical specifications from compute capability 7 on.
void set_limits_of_textures(cudaDeviceProp& p) {
  p.maxTexture1D = 131072;
  p.maxTexture1DMipmap = 32768;
  p.maxTexture1DLinear = 1 << 28;
  set(p.maxTexture2D, {131072, 65536});
  set(p.maxTexture2DMipmap, {32768, 32768});
  set(p.maxTexture2DLinear, {131072, 65000, 2097120});
  set(p.maxTexture2DGather, {32768, 32768});
  set(p.maxTexture3D, {16384, 16384, 16384});
  set(p.maxTexture3DAlt, {8192, 8192, 32768});
  p.maxTextureCubemap = 32768;
  set(p.maxTexture1DLayered, {32768, 2048});
  set(p.maxTexture2DLayered, {32768, 32768, 2048});
  set(p.maxTextureCubemapLayered, {32768, 2046});
  p.maxSurface1D = 32768;
  set(p.maxSurface2D, {131072, 65536});
  set(p.maxSurface3D, {16384, 16384, 16384});
  set(p.maxSurface1DLayered, {32768, 2048});
  set(p.maxSurface2DLayered, {32768, 32768, 2048});
  p.maxSurfaceCubemap = 32768;
  set(p.maxSurfaceCubemapLayered, {32768, 2046});
  p.textureAlignment = p.surfaceAlignment = 512;
  p.texturePitchAlignment = 32;
}

cudaDeviceProp properties() {
  const ImitatedGpu& gpu = imitated_gpu();
  const assay::simt::LaunchLimits limits = assay::simt::imitated_limits();
  cudaDeviceProp p{};
  std::snprintf(p.name, sizeof p.name, "CPU, as compute capability %d.%d (%s)", gpu.architecture / 10,
                gpu.architecture % 10, gpu.board);
  std::snprintf(p.uuid.bytes, sizeof p.uuid.bytes, "assay simt sm%d", gpu.architecture);
  p.totalGlobalMem = assay::available_memory_bytes();
  p.sharedMemPerBlock = assay::simt::shared_without_optin;
  p.sharedMemPerBlockOptin = gpu.shared_optin;
  p.sharedMemPerMultiprocessor = gpu.shared_per_multiprocessor;
  p.reservedSharedMemPerBlock = gpu.shared_reserved;
  p.regsPerBlock = p.regsPerMultiprocessor = 65536;
  p.warpSize = 32;
  p.memPitch = 2147483647;
  p.maxThreadsPerBlock = static_cast<int>(limits.threads_per_block);
  p.maxThreadsPerMultiProcessor = gpu.threads_per_multiprocessor;
  p.maxBlocksPerMultiProcessor = gpu.blocks_per_multiprocessor;
  const auto tell = [](int(&to)[3], const dim3& most) {
    set(to, {static_cast<int>(most.x), static_cast<int>(most.y), static_cast<int>(most.z)});
  };
  tell(p.maxThreadsDim, limits.block);
  tell(p.maxGridSize, limits.grid);
  p.totalConstMem = std::size_t{64} << 10;
  p.major = gpu.architecture / 10;
  p.minor = gpu.architecture % 10;
  set_limits_of_textures(p);
  p.multiProcessorCount = gpu.multiprocessors;
  p.memoryBusWidth = gpu.bus_bits;
  p.l2CacheSize = static_cast<int>(gpu.l2);
  p.clockRate = gpu.clock_khz;
  p.memoryClockRate = gpu.memory_clock_khz;
  p.singleToDoublePrecisionPerfRatio = gpu.single_to_double;
  if (p.major >= 8) {
    p.persistingL2CacheMaxSize = static_cast<int>(gpu.l2 / 4 * 3);
    p.accessPolicyMaxWindowSize = 128 << 20;
  }
  p.asyncEngineCount = 2;
  for (int* const yes :
       {&p.canMapHostMemory, &p.concurrentKernels, &p.deviceOverlap, &p.unifiedAddressing,
        &p.streamPrioritiesSupported, &p.globalL1CacheSupported, &p.localL1CacheSupported, &p.managedMemory,
        &p.concurrentManagedAccess, &p.computePreemptionSupported, &p.canUseHostPointerForRegisteredMem,
        &p.cooperativeLaunch, &p.hostRegisterSupported, &p.hostRegisterReadOnlySupported,
        &p.memoryPoolsSupported, &p.unifiedFunctionPointers})
    *yes = 1;
  p.clusterLaunch = p.major >= 9 ? 1 : 0;
  p.deviceNumaId = -1;
  p.hostNumaId = -1;
  p.computeMode = cudaComputeModeDefault;
  return p;
}

// Shared memory is given out in pieces of 128 bytes, of 256 before compute capability 8.
std::size_t shared_of_block(std::size_t bytes) {
  const ImitatedGpu& gpu = imitated_gpu();
  const std::size_t unit = gpu.architecture >= 80 ? 128 : 256;
  return (bytes + gpu.shared_reserved + unit - 1) / unit * unit;
}

int blocks_per_multiprocessor(int threads, std::size_t shared_bytes, std::size_t most_shared) {
  const ImitatedGpu& gpu = imitated_gpu();
  if (threads > 1024 || shared_bytes > most_shared) return 0;
  const int warps = (threads + 31) / 32;
  const int by_threads = gpu.threads_per_multiprocessor / 32 / warps;
  const std::size_t shared = shared_of_block(shared_bytes);
  const int by_shared =
      shared == 0 ? gpu.blocks_per_multiprocessor : static_cast<int>(gpu.shared_per_multiprocessor / shared);
  return std::min({gpu.blocks_per_multiprocessor, by_threads, by_shared});
}

}  // namespace
}  // namespace assay_simt::runtime

using namespace assay_simt::runtime;

cudaError_t cudaDriverGetVersion(int* version) { return cudaRuntimeGetVersion(version); }
cudaError_t cudaRuntimeGetVersion(int* version) {
  if (version == nullptr) return remember(cudaErrorInvalidValue);
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* count) {
  if (count == nullptr) return remember(cudaErrorInvalidValue);
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  if (device == nullptr) return remember(cudaErrorInvalidValue);
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) { return check_device(device); }
cudaError_t cudaInitDevice(int device, unsigned, unsigned) { return check_device(device); }
cudaError_t cudaSetValidDevices(int* devices, int count) {
  if (devices == nullptr && count != 0) return remember(cudaErrorInvalidValue);
  for (int i = 0; i < count; ++i) {
    if (devices[i] != 0) return remember(cudaErrorInvalidDevice);
  }
  return cudaSuccess;
}
cudaError_t cudaChooseDevice(int* device, const cudaDeviceProp* wanted) {
  if (device == nullptr || wanted == nullptr) return remember(cudaErrorInvalidValue);
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* out, int device) {
  if (out == nullptr) return remember(cudaErrorInvalidValue);
  if (const cudaError_t error = check_device(device); error != cudaSuccess) return error;
  *out = properties();
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  if (value == nullptr) return remember(cudaErrorInvalidValue);
  if (const cudaError_t error = check_device(device); error != cudaSuccess) return error;
  const cudaDeviceProp p = properties();
  switch (attribute) {
#define CUDA_DEVICE_ATTRIBUTE(name, number, expression) \
  case name:                                            \
    *value = static_cast<int>(expression);              \
    return cudaSuccess;
#include "emulation/simt/include/cuda_device_attributes.def"
#undef CUDA_DEVICE_ATTRIBUTE
    case cudaDevAttrMax: break;
  }
  return remember(cudaErrorInvalidValue);
}
cudaError_t cudaDeviceGetP2PAttribute(int* value, cudaDeviceP2PAttr, int from, int to) {
  if (value == nullptr) return remember(cudaErrorInvalidValue);
  // Of two devices, and there is one.
  return remember(from == 0 && to == 0 ? cudaErrorInvalidValue : cudaErrorInvalidDevice);
}
cudaError_t cudaSetDeviceFlags(unsigned flags) {
  if ((flags & ~static_cast<unsigned>(cudaDeviceMask)) != 0) return remember(cudaErrorInvalidValue);
  const std::scoped_lock lock(settings().mutex);
  settings().flags = flags;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceFlags(unsigned* flags) {
  if (flags == nullptr) return remember(cudaErrorInvalidValue);
  const std::scoped_lock lock(settings().mutex);
  *flags = settings().flags | cudaDeviceMapHost;
  return cudaSuccess;
}
cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  if (can == nullptr) return remember(cudaErrorInvalidValue);
  *can = 0;
  return device == 0 && peer == 0 ? cudaSuccess : remember(cudaErrorInvalidDevice);
}
cudaError_t cudaDeviceEnablePeerAccess(int, unsigned flags) {
  return remember(flags != 0 ? cudaErrorInvalidValue : cudaErrorInvalidDevice);
}
cudaError_t cudaDeviceDisablePeerAccess(int peer) {
  return remember(peer == 0 ? cudaErrorPeerAccessNotEnabled : cudaErrorInvalidDevice);
}
cudaError_t cudaDeviceSetLimit(cudaLimit limit, std::size_t value) {
  if (limit < cudaLimitStackSize || limit > cudaLimitPersistingL2CacheSize)
    return remember(cudaErrorUnsupportedLimit);
  const std::scoped_lock lock(settings().mutex);
  settings().limits[limit] = value;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetLimit(std::size_t* value, cudaLimit limit) {
  if (value == nullptr) return remember(cudaErrorInvalidValue);
  if (limit < cudaLimitStackSize || limit > cudaLimitPersistingL2CacheSize)
    return remember(cudaErrorUnsupportedLimit);
  const std::scoped_lock lock(settings().mutex);
  *value = settings().limits[limit];
  return cudaSuccess;
}
cudaError_t cudaDeviceSetCacheConfig(cudaFuncCache config) {
  const std::scoped_lock lock(settings().mutex);
  settings().cache = config;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetCacheConfig(cudaFuncCache* config) {
  if (config == nullptr) return remember(cudaErrorInvalidValue);
  const std::scoped_lock lock(settings().mutex);
  *config = settings().cache;
  return cudaSuccess;
}
// The GPUs that are imitated have banks of four bytes, whatever is asked for.
cudaError_t cudaDeviceSetSharedMemConfig(cudaSharedMemConfig) { return cudaSuccess; }
cudaError_t cudaDeviceGetSharedMemConfig(cudaSharedMemConfig* config) {
  if (config == nullptr) return remember(cudaErrorInvalidValue);
  *config = cudaSharedMemBankSizeFourByte;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetPCIBusId(char* id, int length, int device) {
  if (id == nullptr || length <= static_cast<int>(std::strlen(bus_id)))
    return remember(cudaErrorInvalidValue);
  if (const cudaError_t error = check_device(device); error != cudaSuccess) return error;
  std::snprintf(id, static_cast<std::size_t>(length), "%s", bus_id);
  return cudaSuccess;
}
cudaError_t cudaDeviceGetByPCIBusId(int* device, const char* id) {
  if (device == nullptr || id == nullptr) return remember(cudaErrorInvalidValue);
  // With or without its domain.
  if (std::strcmp(id, bus_id) != 0 && std::strcmp(id, bus_id + 5) != 0)
    return remember(cudaErrorInvalidDevice);
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetTexture1DLinearMaxWidth(std::size_t* elements, const cudaChannelFormatDesc* format,
                                                 int device) {
  if (elements == nullptr || format == nullptr || element_bytes(*format) == 0)
    return remember(cudaErrorInvalidValue);
  if (const cudaError_t error = check_device(device); error != cudaSuccess) return error;
  *elements = static_cast<std::size_t>(properties().maxTexture1DLinear);
  return cudaSuccess;
}
cudaError_t cudaCtxResetPersistingL2Cache() { return cudaSuccess; }
cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total) {
  if (free_bytes == nullptr || total == nullptr) return remember(cudaErrorInvalidValue);
  *free_bytes = *total = assay::available_memory_bytes();
  return cudaSuccess;
}

// --- kernels ---------------------------------------------------------------------------------------------------------

std::size_t assay_simt::most_dynamic_shared(const void* function) {
  const std::scoped_lock lock(settings().mutex);
  const auto found = settings().functions.find(function);
  const bool asked = found != settings().functions.end() && found->second.dynamic_shared != 0;
  return asked ? static_cast<std::size_t>(found->second.dynamic_shared) : assay::simt::shared_without_optin;
}
cudaError_t assay_simt::function_attributes(cudaFuncAttributes* out, const void* function, bool known) {
  if (out == nullptr) return remember(cudaErrorInvalidValue);
  if (function == nullptr || !(known || invoker_of(function) != nullptr))
    return remember(cudaErrorInvalidDeviceFunction);
  *out = {};
  out->maxThreadsPerBlock = 1024;
  out->ptxVersion = out->binaryVersion = imitated_gpu().architecture;
  out->maxDynamicSharedSizeBytes = static_cast<int>(most_dynamic_shared(function));
  const std::scoped_lock lock(settings().mutex);
  const auto found = settings().functions.find(function);
  out->preferredShmemCarveout = found == settings().functions.end() ? -1 : found->second.carveout;
  return cudaSuccess;
}
cudaError_t assay_simt::set_function_attribute(const void* function, cudaFuncAttribute attribute, int value) {
  if (function == nullptr) return remember(cudaErrorInvalidDeviceFunction);
  return on_device([&] {
    const std::scoped_lock lock(settings().mutex);
    Settings::Function& of = settings().functions[function];
    switch (attribute) {
      case cudaFuncAttributeMaxDynamicSharedMemorySize:
        if (value < 0 || static_cast<std::size_t>(value) > imitated_gpu().shared_optin)
          return cudaErrorInvalidValue;
        of.dynamic_shared = value;
        return cudaSuccess;
      case cudaFuncAttributePreferredSharedMemoryCarveout:
        if (value < -1 || value > 100) return cudaErrorInvalidValue;
        of.carveout = value;
        return cudaSuccess;
      case cudaFuncAttributeNonPortableClusterSizeAllowed: of.any_cluster = value != 0; return cudaSuccess;
      case cudaFuncAttributeClusterSchedulingPolicyPreference: return cudaSuccess;
      default: return cudaErrorInvalidValue;
    }
  });
}
cudaError_t assay_simt::set_cache_config(const void* function, cudaFuncCache) {
  return function == nullptr ? remember(cudaErrorInvalidDeviceFunction) : cudaSuccess;
}
cudaError_t assay_simt_occupancy(int* blocks, int threads, std::size_t shared_bytes) {
  if (blocks == nullptr || threads < 1) return remember(cudaErrorInvalidValue);
  *blocks = blocks_per_multiprocessor(threads, shared_bytes, imitated_gpu().shared_optin);
  return cudaSuccess;
}
cudaError_t assay_simt::occupancy(int* blocks, const void* function, int threads, std::size_t shared_bytes) {
  if (blocks == nullptr || threads < 1) return remember(cudaErrorInvalidValue);
  if (function == nullptr) return remember(cudaErrorInvalidDeviceFunction);
  *blocks = blocks_per_multiprocessor(threads, shared_bytes, most_dynamic_shared(function));
  return cudaSuccess;
}
// The most threads on a multiprocessor; of block sizes that give as many, the largest.
cudaError_t assay_simt::potential_block_size(int* blocks, int* threads, const void* function,
                                             std::size_t (*shared_bytes)(const void* context, int threads),
                                             const void* context, int most_threads) {
  if (blocks == nullptr || threads == nullptr) return remember(cudaErrorInvalidValue);
  if (function == nullptr) return remember(cudaErrorInvalidDeviceFunction);
  const int most = most_threads <= 0 ? 1024 : std::min(most_threads, 1024);
  int best = -1;
  for (int size = (most + 31) / 32 * 32; size > 0; size -= 32) {
    const int count = std::min(size, most);
    const int resident =
        blocks_per_multiprocessor(count, shared_bytes(context, count), most_dynamic_shared(function));
    if (resident * count <= best) continue;
    best = resident * count;
    *threads = count;
    *blocks = resident * imitated_gpu().multiprocessors;
  }
  return cudaSuccess;
}
cudaError_t assay_simt::available_dynamic_shared(std::size_t* bytes, const void* function, int blocks,
                                                 int threads) {
  if (bytes == nullptr || blocks < 1 || threads < 1) return remember(cudaErrorInvalidValue);
  if (function == nullptr) return remember(cudaErrorInvalidDeviceFunction);
  const ImitatedGpu& gpu = imitated_gpu();
  if (blocks > blocks_per_multiprocessor(threads, 0, gpu.shared_optin))
    return remember(cudaErrorInvalidValue);
  const std::size_t unit = gpu.architecture >= 80 ? 128 : 256;
  const std::size_t each = gpu.shared_per_multiprocessor / static_cast<std::size_t>(blocks) / unit * unit;
  *bytes = std::min(each - gpu.shared_reserved, gpu.shared_optin);
  return cudaSuccess;
}
