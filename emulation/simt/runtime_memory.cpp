// Memory of the runtime API: what lies where, and the calls that take it and give it back.
#include "emulation/simt/runtime_memory.hpp"

#include <algorithm>
#include <new>

#include "reference/core/cpu.hpp"

namespace assay_simt::runtime {

// CUDA gives at least 256 bytes.
assay::LargeMemory device_memory(std::size_t bytes) {
  constexpr std::size_t large = std::size_t{4} << 20;
  if (bytes >= large) return assay::large_memory(bytes);
  return {static_cast<unsigned char*>(::operator new(bytes, std::align_val_t(pitch_alignment))),
          {pitch_alignment}};
}

namespace {

void taken(CUmemPoolHandle_st& pool, std::size_t bytes) {
  const std::uint64_t used = pool.used += bytes;
  std::uint64_t high = pool.used_high;
  while (used > high && !pool.used_high.compare_exchange_weak(high, used)) {
  }
}

}  // namespace

Memory& memory() {
  static Memory& all = *new Memory;  // globals of programs free theirs late
  return all;
}

Memory::Pieces::const_iterator Memory::at_or_before(const void* at) const {
  auto found = pieces_.upper_bound(static_cast<const char*>(at));
  if (found == pieces_.begin()) return pieces_.end();
  --found;
  return static_cast<const char*>(at) < found->first + found->second.bytes ? found : pieces_.end();
}

cudaError_t Memory::allocate(void** out, std::size_t bytes, Piece piece) {
  if (out == nullptr) return cudaErrorInvalidValue;
  *out = nullptr;
  if (bytes == 0) return cudaSuccess;
  if (bytes > assay::available_memory_bytes()) return cudaErrorMemoryAllocation;
  try {
    piece.memory = device_memory(bytes);
  } catch (const std::bad_alloc&) {
    return cudaErrorMemoryAllocation;
  }
  piece.bytes = bytes;
  if (piece.pool != nullptr) taken(*piece.pool, bytes);
  *out = piece.memory.get();
  const std::scoped_lock lock(mutex_);
  pieces_.insert_or_assign(static_cast<const char*>(*out), std::move(piece));
  return cudaSuccess;
}

cudaError_t Memory::release(void* at, bool pinned) {
  if (at == nullptr) return cudaSuccess;
  const std::scoped_lock lock(mutex_);
  const auto found = pieces_.find(static_cast<const char*>(at));
  if (found == pieces_.end()) return cudaErrorInvalidValue;
  Piece& piece = found->second;
  const bool of_device = piece.place == Place::device || piece.place == Place::managed;
  if (pinned ? piece.place != Place::pinned : !of_device) return cudaErrorInvalidValue;
  if (piece.of_graph) {
    if (!piece.live) return cudaErrorInvalidValue;
    piece.live = false;
    return cudaSuccess;
  }
  if (piece.pool != nullptr) piece.pool->used -= piece.bytes;
  pieces_.erase(found);
  return cudaSuccess;
}

cudaError_t Memory::add(void* at, std::size_t bytes, Place place, unsigned flags) {
  if (at == nullptr || bytes == 0) return cudaErrorInvalidValue;
  const std::scoped_lock lock(mutex_);
  // Neither may lie in another piece, nor may another piece begin in it.
  const auto* const begin = static_cast<const char*>(at);
  const auto next = pieces_.lower_bound(begin);
  if (at_or_before(at) != pieces_.end() || (next != pieces_.end() && next->first < begin + bytes))
    return cudaErrorHostMemoryAlreadyRegistered;
  Piece piece;
  piece.bytes = bytes;
  piece.place = place;
  piece.flags = flags;
  pieces_.emplace(begin, std::move(piece));
  return cudaSuccess;
}

cudaError_t Memory::remove_registered(void* at) {
  if (at == nullptr) return cudaErrorInvalidValue;
  const std::scoped_lock lock(mutex_);
  const auto found = pieces_.find(static_cast<const char*>(at));
  if (found == pieces_.end() || found->second.place != Place::registered)
    return cudaErrorHostMemoryNotRegistered;
  pieces_.erase(found);
  return cudaSuccess;
}

void Memory::add_symbol(const void* at, std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  if (at_or_before(at) != pieces_.end()) return;
  Piece piece;
  piece.bytes = bytes;
  piece.place = Place::symbol;
  pieces_.emplace(static_cast<const char*>(at), std::move(piece));
}

Found Memory::find(const void* at) const {
  const std::scoped_lock lock(mutex_);
  const auto found = at_or_before(at);
  if (found == pieces_.end()) return {};
  const Piece& piece = found->second;
  return {piece.place, const_cast<char*>(found->first), piece.bytes, piece.flags, piece.pool};
}

bool Memory::whole(const void* at, std::size_t bytes) const {
  const Found found = find(at);
  if (found.place == Place::host) return true;
  return bytes <= found.bytes - static_cast<std::size_t>(static_cast<const char*>(at) - found.begin);
}

void Memory::clear() {
  const std::scoped_lock lock(mutex_);
  std::erase_if(pieces_, [](const auto& piece) { return piece.second.place != Place::symbol; });
  default_pool().used = 0;
}

cudaError_t Memory::begin_life(void* at, bool again) {
  const std::scoped_lock lock(mutex_);
  const auto found = pieces_.find(static_cast<const char*>(at));
  if (found == pieces_.end() || (found->second.live && !again)) return cudaErrorInvalidValue;
  found->second.live = true;
  return cudaSuccess;
}

void Memory::drop_of_graph(void* at) {
  const std::scoped_lock lock(mutex_);
  pieces_.erase(static_cast<const char*>(at));
}

std::size_t Memory::bytes_of_graphs(bool live_only) const {
  const std::scoped_lock lock(mutex_);
  std::size_t bytes = 0;
  for (const auto& [at, piece] : pieces_) {
    if (piece.of_graph && (piece.live || !live_only)) bytes += piece.bytes;
  }
  return bytes;
}

bool Memory::any_of_pool(const CUmemPoolHandle_st* pool) const {
  const std::scoped_lock lock(mutex_);
  return std::any_of(pieces_.begin(), pieces_.end(),
                     [pool](const auto& piece) { return piece.second.pool == pool; });
}
namespace {

cudaError_t allocate(void** out, std::size_t bytes, Place place, unsigned flags) {
  return on_device([&] {
    if (const cudaError_t error = why_not_now(false); error != cudaSuccess) return error;
    Piece piece;
    piece.place = place;
    piece.flags = flags;
    return memory().allocate(out, bytes, std::move(piece));
  });
}

// Whether all of the range is managed memory, or of the host.
cudaError_t check_managed(const void* at, std::size_t bytes) {
  const Found found = memory().find(at);
  if (at == nullptr || bytes == 0 || found.place != Place::managed || !memory().whole(at, bytes))
    return cudaErrorInvalidValue;
  return cudaSuccess;
}
bool is_location(int device) { return device == 0 || device == cudaCpuDeviceId; }

}  // namespace
}  // namespace assay_simt::runtime

using namespace assay_simt::runtime;

cudaError_t cudaMalloc(void** out, std::size_t bytes) { return allocate(out, bytes, Place::device, 0); }
cudaError_t cudaMallocHost(void** out, std::size_t bytes, unsigned flags) {
  return allocate(out, bytes, Place::pinned, flags);
}
cudaError_t cudaHostAlloc(void** out, std::size_t bytes, unsigned flags) {
  if (flags > 7) return remember(cudaErrorInvalidValue);
  return allocate(out, bytes, Place::pinned, flags);
}
cudaError_t cudaMallocManaged(void** out, std::size_t bytes, unsigned flags) {
  if (bytes == 0 || (flags != cudaMemAttachGlobal && flags != cudaMemAttachHost))
    return remember(cudaErrorInvalidValue);
  return allocate(out, bytes, Place::managed, flags);
}
cudaError_t cudaMallocPitch(void** out, std::size_t* pitch, std::size_t width, std::size_t height) {
  if (pitch == nullptr) return remember(cudaErrorInvalidValue);
  *pitch = (width + pitch_alignment - 1) / pitch_alignment * pitch_alignment;
  return cudaMalloc(out, *pitch * height);
}
cudaError_t cudaMalloc3D(cudaPitchedPtr* out, cudaExtent extent) {
  if (out == nullptr) return remember(cudaErrorInvalidValue);
  *out = {nullptr, 0, extent.width, extent.height};
  return cudaMallocPitch(&out->ptr, &out->pitch, extent.width, extent.height * extent.depth);
}
cudaError_t cudaHostRegister(void* at, std::size_t bytes, unsigned flags) {
  return on_device([&] { return memory().add(at, bytes, Place::registered, flags); });
}
cudaError_t cudaHostUnregister(void* at) {
  return on_device([&] { return memory().remove_registered(at); });
}
cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned flags) {
  if (device == nullptr || host == nullptr || flags != 0) return remember(cudaErrorInvalidValue);
  const Place place = memory().find(host).place;
  if (place != Place::pinned && place != Place::registered) return remember(cudaErrorInvalidValue);
  *device = host;
  return cudaSuccess;
}
cudaError_t cudaHostGetFlags(unsigned* flags, void* host) {
  const Found found = memory().find(host);
  if (flags == nullptr || (found.place != Place::pinned && found.place != Place::registered))
    return remember(cudaErrorInvalidValue);
  *flags = found.flags | cudaHostAllocMapped;
  return cudaSuccess;
}
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* at) {
  if (attributes == nullptr) return remember(cudaErrorInvalidValue);
  void* const pointer = const_cast<void*>(at);
  switch (memory().find(at).place) {
    case Place::host:
      *attributes = {cudaMemoryTypeUnregistered, cudaInvalidDeviceId, nullptr, pointer};
      break;
    case Place::pinned:
    case Place::registered: *attributes = {cudaMemoryTypeHost, 0, pointer, pointer}; break;
    case Place::device:
    case Place::symbol: *attributes = {cudaMemoryTypeDevice, 0, pointer, nullptr}; break;
    case Place::managed: *attributes = {cudaMemoryTypeManaged, 0, pointer, pointer}; break;
  }
  return cudaSuccess;
}
cudaError_t cudaFree(void* at) {
  return on_device([&] {
    const cudaError_t error = why_not_now(false);
    return error != cudaSuccess ? error : memory().release(at, false);
  });
}
cudaError_t cudaFreeHost(void* at) {
  return on_device([&] { return memory().release(at, true); });
}

cudaError_t cudaMemPrefetchAsync(const void* at, std::size_t bytes, int device, cudaStream_t) {
  if (!is_location(device)) return remember(cudaErrorInvalidDevice);
  return on_device([&] { return check_managed(at, bytes); });
}
cudaError_t cudaMemPrefetchAsync(const void* at, std::size_t bytes, cudaMemLocation location, unsigned,
                                 cudaStream_t stream) {
  return cudaMemPrefetchAsync(
      at, bytes, location.type == cudaMemLocationTypeDevice ? location.id : cudaCpuDeviceId, stream);
}
cudaError_t cudaMemAdvise(const void* at, std::size_t bytes, cudaMemoryAdvise advice, int device) {
  if (advice < cudaMemAdviseSetReadMostly || advice > cudaMemAdviseUnsetAccessedBy)
    return remember(cudaErrorInvalidValue);
  const bool of_a_device = advice >= cudaMemAdviseSetPreferredLocation;
  if (of_a_device && advice != cudaMemAdviseUnsetPreferredLocation && !is_location(device))
    return remember(cudaErrorInvalidDevice);
  return on_device([&] { return check_managed(at, bytes); });
}
cudaError_t cudaMemAdvise(const void* at, std::size_t bytes, cudaMemoryAdvise advice,
                          cudaMemLocation location) {
  return cudaMemAdvise(at, bytes, advice,
                       location.type == cudaMemLocationTypeDevice ? location.id : cudaCpuDeviceId);
}
cudaError_t cudaStreamAttachMemAsync(cudaStream_t stream, void* at, std::size_t, unsigned flags) {
  if (stream_of(stream) == nullptr) return remember(cudaErrorInvalidResourceHandle);
  if (flags != cudaMemAttachGlobal && flags != cudaMemAttachHost && flags != cudaMemAttachSingle)
    return remember(cudaErrorInvalidValue);
  return on_device(
      [&] { return memory().find(at).place == Place::managed ? cudaSuccess : cudaErrorInvalidValue; });
}

cudaError_t cudaIpcGetMemHandle(cudaIpcMemHandle_t*, void*) { return remember(cudaErrorNotSupported); }
cudaError_t cudaIpcOpenMemHandle(void**, cudaIpcMemHandle_t, unsigned) {
  return remember(cudaErrorNotSupported);
}
cudaError_t cudaIpcCloseMemHandle(void*) { return remember(cudaErrorNotSupported); }
cudaError_t cudaIpcGetEventHandle(cudaIpcEventHandle_t*, cudaEvent_t) {
  return remember(cudaErrorNotSupported);
}
cudaError_t cudaIpcOpenEventHandle(cudaEvent_t*, cudaIpcEventHandle_t) {
  return remember(cudaErrorNotSupported);
}
