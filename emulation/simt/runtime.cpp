// The runtime API of the dialect, cuda_runtime_api.h.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "emulation/simt/grid.hpp"
#include "emulation/simt/include/assay_simt.h"
#include "emulation/simt/include/cuda_launch.h"
#include "emulation/simt/include/cuda_runtime_api.h"
#include "reference/core/cpu.hpp"
#include "reference/core/large_memory.hpp"

struct CUstream_st {
  int unused = 0;
};
struct CUevent_st {
  bool recorded = false;
  std::chrono::steady_clock::time_point at{};
};

namespace {

using assay::large_memory;
using assay::LargeMemory;

// Where a piece of memory lies for CUDA. What is not known here is the host's.
enum class Place : std::uint8_t { host, pinned, registered, device, managed };

struct Piece {
  LargeMemory memory{};
  std::size_t bytes = 0;
  Place place = Place::host;
};

class Memory {
 public:
  cudaError_t allocate(void** out, std::size_t bytes, Place place) {
    if (out == nullptr) return cudaErrorInvalidValue;
    *out = nullptr;
    if (bytes == 0) return cudaSuccess;
    if (bytes > assay::available_memory_bytes()) return cudaErrorMemoryAllocation;
    Piece piece{large_memory(bytes), bytes, place};
    *out = piece.memory.get();
    const std::scoped_lock lock(mutex_);
    pieces_.emplace(static_cast<const char*>(*out), std::move(piece));
    return cudaSuccess;
  }
  cudaError_t release(void* memory, bool pinned) {
    if (memory == nullptr) return cudaSuccess;
    const std::scoped_lock lock(mutex_);
    const auto found = pieces_.find(static_cast<const char*>(memory));
    if (found == pieces_.end() || found->second.place == Place::registered ||
        (found->second.place == Place::pinned) != pinned)
      return cudaErrorInvalidValue;
    pieces_.erase(found);
    return cudaSuccess;
  }
  cudaError_t add_registered(void* at, std::size_t bytes) {
    if (at == nullptr || bytes == 0) return cudaErrorInvalidValue;
    bool whole = true;
    if (place_of(at, bytes, whole) != Place::host) return cudaErrorHostMemoryAlreadyRegistered;
    const std::scoped_lock lock(mutex_);
    pieces_.emplace(static_cast<const char*>(at), Piece{{}, bytes, Place::registered});
    return cudaSuccess;
  }
  cudaError_t remove_registered(void* at) {
    const std::scoped_lock lock(mutex_);
    const auto found = pieces_.find(static_cast<const char*>(at));
    if (found == pieces_.end() || found->second.place != Place::registered)
      return cudaErrorHostMemoryNotRegistered;
    pieces_.erase(found);
    return cudaSuccess;
  }
  // Where [at, at + bytes) lies; false in `whole` if it leaves the piece in which it begins.
  Place place_of(const void* at, std::size_t bytes, bool& whole) const {
    const std::scoped_lock lock(mutex_);
    const auto* const begin = static_cast<const char*>(at);
    auto found = pieces_.upper_bound(begin);
    if (found == pieces_.begin()) return Place::host;
    --found;
    const char* const end = found->first + found->second.bytes;
    if (begin >= end) return Place::host;
    whole = whole && bytes <= static_cast<std::size_t>(end - begin);
    return found->second.place;
  }

 private:
  mutable std::mutex mutex_;
  std::map<const char*, Piece> pieces_{};
};
Memory& memory() {
  static Memory all;
  return all;
}

struct LastError {
  cudaError_t error = cudaSuccess;
  bool stays = false;  // of a kernel
  std::string text{};
};
thread_local LastError last_error;

cudaError_t remember(cudaError_t error) {
  if (assay::simt::Block* const block = assay::simt::Block::current(); block != nullptr) {
    if (error != cudaSuccess) block->last_error() = error;
    return error;
  }
  if (error != cudaSuccess && !last_error.stays) last_error.error = error;
  return error;
}

// What a kernel asks for is done when its grid has ended, in order with what it launches.
template <class Call>
cudaError_t after_grid(cudaStream_t stream, const Call& call) {
  struct Later final : assay::simt::Deferred {
    explicit Later(const Call& c) : call(c) {}
    assay::simt::Outcome run() override {
      const cudaError_t error = call();
      if (error == cudaSuccess) return {};
      return {assay::simt::Ended::failed,
              std::string("what a kernel copies or sets: ") + cudaGetErrorName(error)};
    }
    Call call;
  };
  const assay::simt::Block& block = *assay::simt::Block::current();
  block.grid()->defer(block.number(), stream == cudaStreamTailLaunch, std::make_unique<Later>(call));
  return cudaSuccess;
}

// Host memory that CUDA does not know may be read by every copy; memory of the device only by its own directions.
cudaError_t check_copy(const void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  if (bytes == 0) return cudaSuccess;
  if (to == nullptr || from == nullptr) return cudaErrorInvalidValue;
  if (kind < cudaMemcpyHostToHost || kind > cudaMemcpyDefault) return cudaErrorInvalidMemcpyDirection;
  bool whole = true;
  const Place to_place = memory().place_of(to, bytes, whole),
              from_place = memory().place_of(from, bytes, whole);
  if (!whole) return cudaErrorInvalidValue;
  const auto agrees = [](Place place, bool device) {
    return device ? place != Place::host : place != Place::device;
  };
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice,
             from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (kind == cudaMemcpyDefault || (agrees(to_place, to_device) && agrees(from_place, from_device)))
    return cudaSuccess;
  return cudaErrorInvalidValue;
}

}  // namespace

void assay_simt::report(int error, const std::string& text) {
  const bool assertion = text.find("device-side assert triggered") != std::string::npos;  // assertion.cpp
  const auto code = assertion ? cudaErrorAssert : static_cast<cudaError_t>(error);
  if (text.empty()) {
    remember(code);
  } else if (!last_error.stays) {
    last_error = {code, true, std::string(cudaGetErrorString(code)) + ": " + text};
  }
}

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
#define CUDA_ERROR(name, number, text) \
  case name:                           \
    return #name;
#include "emulation/simt/include/cuda_errors.def"
#undef CUDA_ERROR
  }
  return "unrecognized error code";
}

const char* cudaGetErrorString(cudaError_t error) {
  if (error == last_error.error && !last_error.text.empty()) return last_error.text.c_str();
  switch (error) {
#define CUDA_ERROR(name, number, text) \
  case name:                           \
    return text;
#include "emulation/simt/include/cuda_errors.def"
#undef CUDA_ERROR
  }
  return "unrecognized error code";
}

cudaError_t cudaGetLastError() {
  if (assay::simt::Block* const block = assay::simt::Block::current(); block != nullptr)
    return static_cast<cudaError_t>(std::exchange(block->last_error(), 0));
  const cudaError_t error = last_error.error;
  if (!last_error.stays) last_error.error = cudaSuccess;
  return error;
}
cudaError_t cudaPeekAtLastError() {
  if (assay::simt::Block* const block = assay::simt::Block::current(); block != nullptr)
    return static_cast<cudaError_t>(block->last_error());
  return last_error.error;
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
cudaError_t cudaSetDevice(int device) { return device == 0 ? cudaSuccess : remember(cudaErrorInvalidDevice); }

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int device) {
  if (p == nullptr) return remember(cudaErrorInvalidValue);
  if (device != 0) return remember(cudaErrorInvalidDevice);
  const assay::simt::LaunchLimits limits;
  *p = {};
  std::snprintf(p->name, sizeof p->name, "CPU, as compute capability 9.0");
  p->totalGlobalMem = assay::available_memory_bytes();
  p->sharedMemPerBlock = std::size_t{48} << 10;
  p->sharedMemPerBlockOptin = limits.shared_bytes;
  p->sharedMemPerMultiprocessor = std::size_t{228} << 10;
  p->totalConstMem = std::size_t{64} << 10;
  p->major = 9;
  p->multiProcessorCount = 132;
  p->warpSize = 32;
  p->maxThreadsPerBlock = static_cast<int>(limits.threads_per_block);
  p->maxThreadsPerMultiProcessor = 2048;
  p->regsPerBlock = 65536;
  const dim3 most[] = {limits.block, limits.grid};
  int* const to[] = {p->maxThreadsDim, p->maxGridSize};
  for (int i = 0; i < 2; ++i) {
    to[i][0] = static_cast<int>(most[i].x);
    to[i][1] = static_cast<int>(most[i].y);
    to[i][2] = static_cast<int>(most[i].z);
  }
  p->l2CacheSize = 50 << 20;
  p->memoryBusWidth = 5120;
  p->concurrentKernels = p->managedMemory = p->unifiedAddressing = p->canMapHostMemory = p->asyncEngineCount =
      1;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  if (value == nullptr) return remember(cudaErrorInvalidValue);
  cudaDeviceProp p;
  if (const cudaError_t error = cudaGetDeviceProperties(&p, device); error != cudaSuccess) return error;
  const auto give = [value](auto number) {
    *value = static_cast<int>(number);
    return cudaSuccess;
  };
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock: return give(p.maxThreadsPerBlock);
    case cudaDevAttrMaxBlockDimX: return give(p.maxThreadsDim[0]);
    case cudaDevAttrMaxBlockDimY: return give(p.maxThreadsDim[1]);
    case cudaDevAttrMaxBlockDimZ: return give(p.maxThreadsDim[2]);
    case cudaDevAttrMaxGridDimX: return give(p.maxGridSize[0]);
    case cudaDevAttrMaxGridDimY: return give(p.maxGridSize[1]);
    case cudaDevAttrMaxGridDimZ: return give(p.maxGridSize[2]);
    case cudaDevAttrTotalConstantMemory: return give(p.totalConstMem);
    case cudaDevAttrKernelExecTimeout: return give(0);
    case cudaDevAttrIntegrated: return give(p.integrated);
    case cudaDevAttrEccEnabled: return give(p.ECCEnabled);
    case cudaDevAttrGlobalMemoryBusWidth: return give(p.memoryBusWidth);
    case cudaDevAttrL2CacheSize: return give(p.l2CacheSize);
    case cudaDevAttrMaxThreadsPerMultiProcessor: return give(p.maxThreadsPerMultiProcessor);
    case cudaDevAttrAsyncEngineCount: return give(p.asyncEngineCount);
    case cudaDevAttrMemoryPoolsSupported: return give(0);
    case cudaDevAttrMaxSharedMemoryPerBlock: return give(p.sharedMemPerBlock);
    case cudaDevAttrWarpSize: return give(p.warpSize);
    case cudaDevAttrMaxRegistersPerBlock: return give(p.regsPerBlock);
    case cudaDevAttrClockRate: return give(1980000);
    case cudaDevAttrMultiProcessorCount: return give(p.multiProcessorCount);
    case cudaDevAttrCanMapHostMemory: return give(p.canMapHostMemory);
    case cudaDevAttrComputeMode: return give(cudaComputeModeDefault);
    case cudaDevAttrConcurrentKernels: return give(p.concurrentKernels);
    case cudaDevAttrMemoryClockRate: return give(2619000);
    case cudaDevAttrUnifiedAddressing: return give(p.unifiedAddressing);
    case cudaDevAttrComputeCapabilityMajor: return give(p.major);
    case cudaDevAttrComputeCapabilityMinor: return give(p.minor);
    case cudaDevAttrManagedMemory: return give(p.managedMemory);
    case cudaDevAttrPageableMemoryAccess: return give(p.pageableMemoryAccess);
    case cudaDevAttrConcurrentManagedAccess: return give(p.concurrentManagedAccess);
    case cudaDevAttrCooperativeLaunch: return give(p.cooperativeLaunch);
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: return give(p.sharedMemPerBlockOptin);
  }
  return remember(cudaErrorInvalidValue);
}
cudaError_t cudaSetDeviceFlags(unsigned) { return cudaSuccess; }
cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  if (can == nullptr) return remember(cudaErrorInvalidValue);
  *can = 0;
  return device == 0 && peer == 0 ? cudaSuccess : remember(cudaErrorInvalidDevice);
}

cudaError_t assay_simt_occupancy(int* blocks, int threads, std::size_t shared_bytes) {
  if (blocks == nullptr || threads < 1) return remember(cudaErrorInvalidValue);
  cudaDeviceProp p;
  if (const cudaError_t error = cudaGetDeviceProperties(&p, 0); error != cudaSuccess) return error;
  constexpr int most_blocks = 32;
  constexpr std::size_t reserved = 1024;  // bytes of shared memory that each block takes besides
  const int warps = (threads + 31) / 32;
  const int by_threads = threads > p.maxThreadsPerBlock ? 0 : p.maxThreadsPerMultiProcessor / (32 * warps);
  const int by_memory = shared_bytes > p.sharedMemPerBlockOptin
                            ? 0
                            : static_cast<int>(p.sharedMemPerMultiprocessor / (shared_bytes + reserved));
  *blocks = std::min({most_blocks, by_threads, by_memory});
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
  if (assay::simt::Block* const block = assay::simt::Block::current(); block != nullptr)
    block->fail("a kernel calls cudaDeviceSynchronize(), which no kernel may since compute capability 9.0");
  return last_error.stays ? last_error.error : cudaSuccess;
}
cudaError_t cudaDeviceReset() {
  last_error = {};
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total) {
  if (free_bytes == nullptr || total == nullptr) return remember(cudaErrorInvalidValue);
  *free_bytes = *total = assay::available_memory_bytes();
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** out, std::size_t bytes) {
  return remember(memory().allocate(out, bytes, Place::device));
}
cudaError_t cudaMallocHost(void** out, std::size_t bytes, unsigned) {
  return remember(memory().allocate(out, bytes, Place::pinned));
}
cudaError_t cudaHostAlloc(void** out, std::size_t bytes, unsigned flags) {
  return cudaMallocHost(out, bytes, flags);
}
cudaError_t cudaMallocManaged(void** out, std::size_t bytes, unsigned) {
  return remember(memory().allocate(out, bytes, Place::managed));
}
cudaError_t cudaHostRegister(void* at, std::size_t bytes, unsigned) {
  return remember(memory().add_registered(at, bytes));
}
cudaError_t cudaHostUnregister(void* at) { return remember(memory().remove_registered(at)); }
cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned) {
  bool whole = true;
  if (device == nullptr || host == nullptr || memory().place_of(host, 1, whole) == Place::host)
    return remember(cudaErrorInvalidValue);
  *device = host;
  return cudaSuccess;
}
cudaError_t cudaFree(void* at) { return remember(memory().release(at, false)); }
cudaError_t cudaFreeHost(void* at) { return remember(memory().release(at, true)); }

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  if (const cudaError_t error = check_copy(to, from, bytes, kind); error != cudaSuccess)
    return remember(error);
  if (bytes != 0) std::memmove(to, from, bytes);
  return cudaDeviceSynchronize();
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (assay::simt::Block::current() == nullptr) return cudaMemcpy(to, from, bytes, kind);
  return after_grid(stream, [=] { return cudaMemcpy(to, from, bytes, kind); });
}
cudaError_t cudaMemcpy2D(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                         std::size_t width, std::size_t height, cudaMemcpyKind kind) {
  if (width > to_pitch || width > from_pitch) return remember(cudaErrorInvalidValue);
  for (std::size_t row = 0; row < height; ++row) {
    const cudaError_t error = cudaMemcpy(static_cast<char*>(to) + row * to_pitch,
                                         static_cast<const char*>(from) + row * from_pitch, width, kind);
    if (error != cudaSuccess) return error;
  }
  return cudaSuccess;
}
cudaError_t cudaMemset(void* at, int byte, std::size_t bytes) {
  if (bytes == 0) return cudaSuccess;
  bool whole = true;
  if (at == nullptr || memory().place_of(at, bytes, whole) == Place::host || !whole)
    return remember(cudaErrorInvalidValue);
  std::memset(at, byte, bytes);
  return cudaDeviceSynchronize();
}
cudaError_t cudaMemsetAsync(void* at, int byte, std::size_t bytes, cudaStream_t stream) {
  if (assay::simt::Block::current() == nullptr) return cudaMemset(at, byte, bytes);
  return after_grid(stream, [=] { return cudaMemset(at, byte, bytes); });
}

cudaError_t assay_simt_copy_symbol(void* to, const void* from, std::size_t bytes, std::size_t offset,
                                   std::size_t size, bool to_symbol) {
  if (to == nullptr || from == nullptr || offset > size || bytes > size - offset)
    return remember(cudaErrorInvalidValue);
  std::memcpy(static_cast<char*>(to) + (to_symbol ? offset : 0),
              static_cast<const char*>(from) + (to_symbol ? 0 : offset), bytes);
  return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  if (stream == nullptr) return remember(cudaErrorInvalidValue);
  *stream = new CUstream_st;
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) { return cudaStreamCreate(stream); }
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (stream == nullptr) return remember(cudaErrorInvalidResourceHandle);
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaDeviceSynchronize(); }
cudaError_t cudaStreamQuery(cudaStream_t) { return cudaDeviceSynchronize(); }
cudaError_t cudaStreamAddCallback(cudaStream_t stream, cudaStreamCallback_t call, void* argument, unsigned) {
  if (call == nullptr) return remember(cudaErrorInvalidValue);
  call(stream, cudaDeviceSynchronize(), argument);
  return cudaSuccess;
}
cudaError_t cudaLaunchHostFunc(cudaStream_t, cudaHostFn_t call, void* argument) {
  if (call == nullptr) return remember(cudaErrorInvalidValue);
  call(argument);
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t event, unsigned) {
  return event == nullptr ? remember(cudaErrorInvalidResourceHandle) : cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  if (event == nullptr) return remember(cudaErrorInvalidValue);
  *event = new CUevent_st;
  return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) { return cudaEventCreate(event); }
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  if (event == nullptr) return remember(cudaErrorInvalidResourceHandle);
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
  if (event == nullptr) return remember(cudaErrorInvalidResourceHandle);
  *event = {true, std::chrono::steady_clock::now()};
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return event == nullptr ? remember(cudaErrorInvalidResourceHandle) : cudaDeviceSynchronize();
}
cudaError_t cudaEventQuery(cudaEvent_t event) { return cudaEventSynchronize(event); }
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  if (milliseconds == nullptr) return remember(cudaErrorInvalidValue);
  if (begin == nullptr || end == nullptr || !begin->recorded || !end->recorded)
    return remember(cudaErrorInvalidResourceHandle);
  *milliseconds = std::chrono::duration<float, std::milli>(end->at - begin->at).count();
  return cudaSuccess;
}
