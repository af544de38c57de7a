// Pools of the runtime API, and memory that streams take from them.
#include "emulation/simt/runtime_memory.hpp"

namespace assay_simt::runtime {

CUmemPoolHandle_st& default_pool() {
  static CUmemPoolHandle_st& pool = *new CUmemPoolHandle_st;
  return pool;
}
std::atomic<CUmemPoolHandle_st*>& current_pool() {
  static std::atomic<CUmemPoolHandle_st*> pool{&default_pool()};
  return pool;
}
bool is_pool(const CUmemPoolHandle_st* pool) {
  return pool == &default_pool() || live<CUmemPoolHandle_st>().has(pool);
}

}  // namespace assay_simt::runtime

using namespace assay_simt::runtime;

cudaError_t cudaMallocFromPoolAsync(void** out, std::size_t bytes, cudaMemPool_t pool, cudaStream_t stream) {
  return on_device([&] {
    CUstream_st* const queue = stream_of(stream);
    if (queue == nullptr || !is_pool(pool)) return cudaErrorInvalidResourceHandle;
    if (out == nullptr || bytes == 0) return cudaErrorInvalidValue;
    if (queue->capture != nullptr) {
      AllocationWork work;
      work.parameters.bytesize = bytes;
      Piece piece;
      piece.place = Place::device;
      piece.of_graph = true;
      if (const cudaError_t error = memory().allocate(out, bytes, std::move(piece)); error != cudaSuccess)
        return error;
      work.parameters.dptr = *out;
      work.memory = std::make_shared<GraphMemory>();
      work.memory->memory = *out;
      return enqueue(stream, std::move(work));
    }
    if (pool->most != 0 && pool->used + bytes > pool->most) return cudaErrorMemoryAllocation;
    Piece piece;
    piece.place = Place::device;
    piece.pool = pool;
    return memory().allocate(out, bytes, std::move(piece));
  });
}
cudaError_t cudaMallocAsync(void** out, std::size_t bytes, cudaStream_t stream) {
  return cudaMallocFromPoolAsync(out, bytes, current_pool(), stream);
}
cudaError_t cudaMallocAsync(void** out, std::size_t bytes, cudaMemPool_t pool, cudaStream_t stream) {
  return cudaMallocFromPoolAsync(out, bytes, pool, stream);
}
cudaError_t cudaFreeAsync(void* at, cudaStream_t stream) {
  return on_device([&] {
    if (stream_of(stream) == nullptr) return cudaErrorInvalidResourceHandle;
    if (at == nullptr) return cudaErrorInvalidValue;
    return enqueue(stream, FreeWork{at});
  });
}
cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties) {
  if (pool == nullptr || properties == nullptr || properties->allocType != cudaMemAllocationTypePinned)
    return remember(cudaErrorInvalidValue);
  if (properties->handleTypes != cudaMemHandleTypeNone) return remember(cudaErrorNotSupported);
  if (properties->location.type != cudaMemLocationTypeDevice || properties->location.id != 0)
    return remember(cudaErrorInvalidDevice);
  *pool = new CUmemPoolHandle_st;
  (*pool)->of_program = true;
  (*pool)->most = properties->maxSize;
  live<CUmemPoolHandle_st>().add(*pool);
  return cudaSuccess;
}
cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  if (pool == &default_pool() || !live<CUmemPoolHandle_st>().remove(pool))
    return remember(cudaErrorInvalidValue);
  if (current_pool() == pool) current_pool() = &default_pool();
  // Memory that is still out goes back to it later.
  if (!memory().any_of_pool(pool)) delete pool;
  return cudaSuccess;
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  if (!is_pool(pool) || value == nullptr) return remember(cudaErrorInvalidValue);
  switch (attribute) {
    case cudaMemPoolReuseFollowEventDependencies:
    case cudaMemPoolReuseAllowOpportunistic:
    case cudaMemPoolReuseAllowInternalDependencies:
      pool->reuse[attribute - cudaMemPoolReuseFollowEventDependencies] = *static_cast<const int*>(value);
      return cudaSuccess;
    case cudaMemPoolAttrReleaseThreshold:
      pool->threshold = *static_cast<const std::uint64_t*>(value);
      return cudaSuccess;
    case cudaMemPoolAttrReservedMemHigh:
    case cudaMemPoolAttrUsedMemHigh:
      if (*static_cast<const std::uint64_t*>(value) != 0) break;
      pool->used_high = pool->used.load();
      return cudaSuccess;
    case cudaMemPoolAttrReservedMemCurrent:
    case cudaMemPoolAttrUsedMemCurrent: break;
  }
  return remember(cudaErrorInvalidValue);
}
// A pool gives back at once what is freed: it reserves what is used.
cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  if (!is_pool(pool) || value == nullptr) return remember(cudaErrorInvalidValue);
  auto* const number = static_cast<std::uint64_t*>(value);
  switch (attribute) {
    case cudaMemPoolReuseFollowEventDependencies:
    case cudaMemPoolReuseAllowOpportunistic:
    case cudaMemPoolReuseAllowInternalDependencies:
      *static_cast<int*>(value) = pool->reuse[attribute - cudaMemPoolReuseFollowEventDependencies];
      return cudaSuccess;
    case cudaMemPoolAttrReleaseThreshold: *number = pool->threshold; return cudaSuccess;
    case cudaMemPoolAttrReservedMemCurrent:
    case cudaMemPoolAttrUsedMemCurrent: *number = pool->used; return cudaSuccess;
    case cudaMemPoolAttrReservedMemHigh:
    case cudaMemPoolAttrUsedMemHigh: *number = pool->used_high; return cudaSuccess;
  }
  return remember(cudaErrorInvalidValue);
}
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, std::size_t) {
  return is_pool(pool) ? cudaSuccess : remember(cudaErrorInvalidValue);
}
cudaError_t cudaMemPoolSetAccess(cudaMemPool_t pool, const cudaMemAccessDesc* access, std::size_t count) {
  if (!is_pool(pool) || (access == nullptr && count != 0)) return remember(cudaErrorInvalidValue);
  for (std::size_t i = 0; i < count; ++i) {
    if (access[i].location.type != cudaMemLocationTypeDevice || access[i].location.id != 0)
      return remember(cudaErrorInvalidDevice);
    // Its own device always may.
    if (access[i].flags != cudaMemAccessFlagsProtReadWrite) return remember(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}
cudaError_t cudaMemPoolGetAccess(cudaMemAccessFlags* flags, cudaMemPool_t pool, cudaMemLocation* location) {
  if (flags == nullptr || location == nullptr || !is_pool(pool)) return remember(cudaErrorInvalidValue);
  if (location->type != cudaMemLocationTypeDevice || location->id != 0)
    return remember(cudaErrorInvalidDevice);
  *flags = cudaMemAccessFlagsProtReadWrite;
  return cudaSuccess;
}
cudaError_t cudaMemPoolExportToShareableHandle(void*, cudaMemPool_t, cudaMemAllocationHandleType, unsigned) {
  return remember(cudaErrorNotSupported);
}
cudaError_t cudaMemPoolImportFromShareableHandle(cudaMemPool_t*, void*, cudaMemAllocationHandleType,
                                                 unsigned) {
  return remember(cudaErrorNotSupported);
}
cudaError_t cudaMemPoolExportPointer(cudaMemPoolPtrExportData*, void*) {
  return remember(cudaErrorNotSupported);
}
cudaError_t cudaMemPoolImportPointer(void**, cudaMemPool_t, cudaMemPoolPtrExportData*) {
  return remember(cudaErrorNotSupported);
}
cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
  if (pool == nullptr) return remember(cudaErrorInvalidValue);
  if (device != 0) return remember(cudaErrorInvalidDevice);
  *pool = &default_pool();
  return cudaSuccess;
}
cudaError_t cudaDeviceGetMemPool(cudaMemPool_t* pool, int device) {
  if (pool == nullptr) return remember(cudaErrorInvalidValue);
  if (device != 0) return remember(cudaErrorInvalidDevice);
  *pool = current_pool();
  return cudaSuccess;
}
cudaError_t cudaDeviceSetMemPool(int device, cudaMemPool_t pool) {
  if (device != 0) return remember(cudaErrorInvalidDevice);
  if (!is_pool(pool)) return remember(cudaErrorInvalidValue);
  current_pool() = pool;
  return cudaSuccess;
}
