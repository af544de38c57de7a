// Memory, pools, arrays and copies of the runtime API.
#include <algorithm>
#include <cstring>
#include <new>
#include <unordered_set>

#include "emulation/simt/grid.hpp"
#include "emulation/simt/runtime.hpp"
#include "reference/core/cpu.hpp"

struct CUmemPoolHandle_st {
  std::atomic<std::uint64_t> used{0}, used_high{0}, threshold{0};
  int reuse[3] = {1, 1, 1};
  std::size_t most = 0;
  bool of_program = false;
};

namespace assay_simt::runtime {
namespace {

constexpr std::size_t pitch_alignment = 512;

// CUDA gives at least 256 bytes, and textures of linear memory begin at multiples of 512.
assay::LargeMemory device_memory(std::size_t bytes) {
  constexpr std::size_t large = std::size_t{4} << 20;
  if (bytes >= large) return assay::large_memory(bytes);
  return {static_cast<unsigned char*>(::operator new(bytes, std::align_val_t(pitch_alignment))),
          {pitch_alignment}};
}

void taken(CUmemPoolHandle_st& pool, std::size_t bytes) {
  const std::uint64_t used = pool.used += bytes;
  std::uint64_t high = pool.used_high;
  while (used > high && !pool.used_high.compare_exchange_weak(high, used)) {
  }
}

template <class T>
struct Live {
  std::mutex mutex{};
  std::unordered_set<const T*> all{};
  bool has(const T* one) {
    const std::scoped_lock lock(mutex);
    return all.contains(one);
  }
  void add(const T* one) {
    const std::scoped_lock lock(mutex);
    all.insert(one);
  }
  bool remove(const T* one) {
    const std::scoped_lock lock(mutex);
    return all.erase(one) != 0;
  }
};
template <class T>
Live<T>& live() {
  static Live<T>& of_type = *new Live<T>;
  return of_type;
}

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

std::size_t element_bytes(const cudaChannelFormatDesc& format) {
  const int bits[] = {format.x, format.y, format.z, format.w};
  int channels = 0;
  while (channels < 4 && bits[channels] != 0) ++channels;
  if (channels == 0 || channels == 3) return 0;
  for (int i = 0; i < 4; ++i) {
    if (bits[i] != (i < channels ? bits[0] : 0)) return 0;
  }
  if (bits[0] != 8 && bits[0] != 16 && bits[0] != 32) return 0;
  const bool of_floats = format.f == cudaChannelFormatKindFloat && bits[0] != 8;
  if (!of_floats && format.f != cudaChannelFormatKindSigned && format.f != cudaChannelFormatKindUnsigned)
    return 0;
  return static_cast<std::size_t>(bits[0] / 8 * channels);
}

bool is_array(const cudaArray* array) { return array != nullptr && live<cudaArray>().has(array); }
bool is_mipmapped(const cudaMipmappedArray* array) {
  return array != nullptr && live<cudaMipmappedArray>().has(array);
}

// --- copies ----------------------------------------------------------------------------------------------------------

namespace {

// Memory of the host that CUDA does not know may be read by every copy of the host; memory of the device only by its
// own directions; pinned and managed memory by all.
bool agrees(const void* at, bool device) {
  const Place place = memory().find(at).place;
  return device ? place != Place::host : place != Place::device && place != Place::symbol;
}
bool to_device(cudaMemcpyKind kind) {
  return kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
}
bool from_device(cudaMemcpyKind kind) {
  return kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
}

// One side of a copy: rows of bytes.
struct Rows {
  unsigned char* first = nullptr;
  std::size_t pitch = 0, slice = 0;  // bytes from row to row, and from slice to slice
};

Rows rows_of(const cudaArray* array, const cudaPitchedPtr& pointer, const cudaPos& at) {
  if (array != nullptr)
    return {array->row(at.y, at.z) + at.x * array->element, array->row_bytes(),
            array->row_bytes() * array->rows()};
  const std::size_t slice = pointer.pitch * pointer.ysize;
  return {static_cast<unsigned char*>(pointer.ptr) + at.z * slice + at.y * pointer.pitch + at.x,
          pointer.pitch, slice};
}

// Bytes of a row that is copied: the extent counts elements where an array takes part.
std::size_t width_bytes(const cudaMemcpy3DParms& copy) {
  const cudaArray* const array = copy.srcArray != nullptr ? copy.srcArray : copy.dstArray;
  return copy.extent.width * (array == nullptr ? 1 : array->element);
}

cudaError_t check_side(const cudaArray* array, const cudaPitchedPtr& pointer, const cudaPos& at,
                       const cudaExtent& extent, std::size_t bytes, cudaMemcpyKind kind, bool device) {
  if (array != nullptr) {
    if (!is_array(array)) return cudaErrorInvalidResourceHandle;
    if (kind != cudaMemcpyDefault && !device) return cudaErrorInvalidValue;
    const bool within = at.x + bytes / array->element <= array->extent.width &&
                        at.y + extent.height <= array->rows() && at.z + extent.depth <= array->slices() &&
                        bytes % array->element == 0;
    return within ? cudaSuccess : cudaErrorInvalidValue;
  }
  if (pointer.ptr == nullptr) return cudaErrorInvalidValue;
  const bool rows = extent.height > 1 || extent.depth > 1;
  if (rows && at.x + bytes > pointer.pitch) return cudaErrorInvalidPitchValue;
  if (extent.depth > 1 && at.y + extent.height > pointer.ysize) return cudaErrorInvalidValue;
  const Rows side = rows_of(nullptr, pointer, at);
  const std::size_t reach = (extent.depth - 1) * side.slice + (extent.height - 1) * side.pitch + bytes;
  if (!memory().whole(side.first, reach)) return cudaErrorInvalidValue;
  if (kind != cudaMemcpyDefault && !agrees(side.first, device)) return cudaErrorInvalidValue;
  return cudaSuccess;
}

}  // namespace

cudaError_t check_copy(const cudaMemcpy3DParms& copy) {
  if (copy.kind < cudaMemcpyHostToHost || copy.kind > cudaMemcpyDefault)
    return cudaErrorInvalidMemcpyDirection;
  const cudaExtent& extent = copy.extent;
  if (extent.width == 0 || extent.height == 0 || extent.depth == 0) return cudaSuccess;
  if (is_array(copy.srcArray) && is_array(copy.dstArray) && copy.srcArray->element != copy.dstArray->element)
    return cudaErrorInvalidValue;
  for (const cudaArray* const array : {copy.srcArray, copy.dstArray}) {
    if (array != nullptr && !is_array(array)) return cudaErrorInvalidResourceHandle;
  }
  const std::size_t bytes = width_bytes(copy);
  const cudaError_t error =
      check_side(copy.dstArray, copy.dstPtr, copy.dstPos, extent, bytes, copy.kind, to_device(copy.kind));
  if (error != cudaSuccess) return error;
  return check_side(copy.srcArray, copy.srcPtr, copy.srcPos, extent, bytes, copy.kind,
                    from_device(copy.kind));
}

cudaError_t do_copy(const cudaMemcpy3DParms& copy) {
  const cudaExtent& extent = copy.extent;
  if (extent.width == 0 || extent.height == 0 || extent.depth == 0) return cudaSuccess;
  const Rows to = rows_of(copy.dstArray, copy.dstPtr, copy.dstPos);
  const Rows from = rows_of(copy.srcArray, copy.srcPtr, copy.srcPos);
  const std::size_t bytes = width_bytes(copy);
  for (std::size_t z = 0; z < extent.depth; ++z) {
    for (std::size_t y = 0; y < extent.height; ++y)
      std::memmove(to.first + z * to.slice + y * to.pitch, from.first + z * from.slice + y * from.pitch,
                   bytes);
  }
  return cudaSuccess;
}

cudaMemcpy3DParms copy_of_bytes(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  cudaMemcpy3DParms copy{};
  copy.dstPtr = {to, bytes, bytes, 1};
  copy.srcPtr = {const_cast<void*>(from), bytes, bytes, 1};
  copy.extent = {bytes, 1, 1};
  copy.kind = kind;
  return copy;
}

cudaError_t check_fill(const cudaMemsetParams& fill) {
  if (fill.elementSize != 1 && fill.elementSize != 2 && fill.elementSize != 4) return cudaErrorInvalidValue;
  if (fill.width == 0 || fill.height == 0) return cudaSuccess;
  const std::size_t bytes = fill.width * fill.elementSize;
  if (fill.height > 1 && bytes > fill.pitch) return cudaErrorInvalidValue;
  if (fill.dst == nullptr || memory().find(fill.dst).place == Place::host) return cudaErrorInvalidValue;
  return memory().whole(fill.dst, (fill.height - 1) * fill.pitch + bytes) ? cudaSuccess
                                                                          : cudaErrorInvalidValue;
}

cudaError_t do_fill(const cudaMemsetParams& fill) {
  for (std::size_t y = 0; y < fill.height; ++y) {
    auto* const row = static_cast<unsigned char*>(fill.dst) + y * fill.pitch;
    if (fill.elementSize == 1) {
      std::memset(row, static_cast<int>(fill.value & 0xFFU), fill.width);
    } else {
      for (std::size_t x = 0; x < fill.width; ++x)
        std::memcpy(row + x * fill.elementSize, &fill.value, fill.elementSize);  // little-endian
    }
  }
  return cudaSuccess;
}

namespace {

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

// A copy or a fill by a stream, or by a call that waits: then no stream may capture that would have to wait for it.
template <class Task>
cudaError_t begin(const Task& task, cudaError_t (*check)(const Task&), bool async, cudaStream_t stream) {
  if (async && assay::simt::Block::current() != nullptr)
    return after_grid(stream, [task, check] { return begin(task, check, true, nullptr); });
  return on_device([&] {
    if (!async) {
      if (const cudaError_t error = why_not_now(true); error != cudaSuccess) return error;
    }
    const cudaError_t error = check(task);
    return error != cudaSuccess ? error : enqueue(stream, task);
  });
}
cudaError_t begin_copy(const cudaMemcpy3DParms& copy, bool async, cudaStream_t stream) {
  return begin(copy, check_copy, async, stream);
}
cudaError_t begin_fill(const cudaMemsetParams& fill, bool async, cudaStream_t stream) {
  return begin(fill, check_fill, async, stream);
}

cudaMemcpy3DParms copy_of_rows(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                               std::size_t width, std::size_t height, cudaMemcpyKind kind) {
  cudaMemcpy3DParms copy{};
  copy.dstPtr = {to, to_pitch, width, height};
  copy.srcPtr = {const_cast<void*>(from), from_pitch, width, height};
  copy.extent = {width, height, 1};
  copy.kind = kind;
  return copy;
}
cudaError_t begin_rows(const cudaMemcpy3DParms& copy, bool async, cudaStream_t stream) {
  // The width must not pass a pitch even where one row is copied.
  if (copy.extent.width > copy.dstPtr.pitch || copy.extent.width > copy.srcPtr.pitch)
    return remember(cudaErrorInvalidPitchValue);
  return begin_copy(copy, async, stream);
}

// A rectangle of an array, by bytes and rows.
struct Rectangle {
  cudaArray_const_t array;
  std::size_t byte, row;
};
cudaError_t begin_rectangle(const Rectangle* to, const Rectangle* from, cudaPitchedPtr memory_side,
                            std::size_t width, std::size_t height, cudaMemcpyKind kind, bool async,
                            cudaStream_t stream) {
  cudaMemcpy3DParms copy{};
  std::size_t element = 1;
  for (const Rectangle* const side : {to, from}) {
    if (side == nullptr) continue;
    if (!is_array(side->array)) return remember(cudaErrorInvalidResourceHandle);
    element = side->array->element;
    if (side->byte % element != 0 || width % element != 0) return remember(cudaErrorInvalidValue);
    (side == to ? copy.dstArray : copy.srcArray) = const_cast<cudaArray_t>(side->array);
    (side == to ? copy.dstPos : copy.srcPos) = {side->byte / element, side->row, 0};
  }
  if (to == nullptr) copy.dstPtr = memory_side;
  if (from == nullptr) copy.srcPtr = memory_side;
  if ((to == nullptr || from == nullptr) && width > memory_side.pitch)
    return remember(cudaErrorInvalidPitchValue);
  copy.extent = {width / element, height, 1};
  copy.kind = kind;
  return begin_copy(copy, async, stream);
}

// Bytes that may run over the ends of an array's rows: row by row.
cudaError_t begin_run(cudaArray_const_t array, std::size_t byte, std::size_t row, void* memory_side,
                      std::size_t bytes, bool to_array, cudaMemcpyKind kind, bool async,
                      cudaStream_t stream) {
  if (!is_array(array)) return remember(cudaErrorInvalidResourceHandle);
  if (byte >= array->row_bytes() || row >= array->rows() ||
      bytes > array->row_bytes() * (array->rows() - row) - byte)
    return remember(cudaErrorInvalidValue);
  auto* at = static_cast<char*>(memory_side);
  while (bytes > 0) {
    const std::size_t now = std::min(bytes, array->row_bytes() - byte);
    const Rectangle rectangle{array, byte, row};
    const cudaError_t error =
        begin_rectangle(to_array ? &rectangle : nullptr, to_array ? nullptr : &rectangle, {at, now, now, 1},
                        now, 1, kind, async, stream);
    if (error != cudaSuccess) return error;
    at += now;
    bytes -= now;
    byte = 0;
    ++row;
  }
  return cudaSuccess;
}

cudaError_t begin_copy_3d(const cudaMemcpy3DParms* copy, bool async, cudaStream_t stream) {
  return copy == nullptr ? remember(cudaErrorInvalidValue) : begin_copy(*copy, async, stream);
}
cudaError_t begin_peer_3d(const cudaMemcpy3DPeerParms* copy, bool async, cudaStream_t stream) {
  if (copy == nullptr) return remember(cudaErrorInvalidValue);
  if (copy->srcDevice != 0 || copy->dstDevice != 0) return remember(cudaErrorInvalidDevice);
  const cudaMemcpy3DParms same{copy->srcArray, copy->srcPos, copy->srcPtr, copy->dstArray,
                               copy->dstPos,   copy->dstPtr, copy->extent, cudaMemcpyDeviceToDevice};
  return begin_copy(same, async, stream);
}
cudaError_t begin_fill_3d(const cudaPitchedPtr& to, int byte, const cudaExtent& extent, bool async,
                          cudaStream_t stream) {
  if (extent.width > to.pitch || (extent.depth > 1 && extent.height > to.ysize))
    return remember(cudaErrorInvalidValue);
  for (std::size_t z = 0; z < extent.depth; ++z) {
    const cudaError_t error = begin_fill({static_cast<char*>(to.ptr) + z * to.pitch * to.ysize, to.pitch,
                                          static_cast<unsigned>(byte), 1, extent.width, extent.height},
                                         async, stream);
    if (error != cudaSuccess) return error;
  }
  return cudaSuccess;
}

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

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  return begin_copy(copy_of_bytes(to, from, bytes, kind), false, nullptr);
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return begin_copy(copy_of_bytes(to, from, bytes, kind), true, stream);
}
cudaError_t cudaMemcpyPeer(void* to, int to_device, const void* from, int from_device, std::size_t bytes) {
  if (to_device != 0 || from_device != 0) return remember(cudaErrorInvalidDevice);
  return cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToDevice);
}
cudaError_t cudaMemcpyPeerAsync(void* to, int to_device, const void* from, int from_device, std::size_t bytes,
                                cudaStream_t stream) {
  if (to_device != 0 || from_device != 0) return remember(cudaErrorInvalidDevice);
  return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream);
}
cudaError_t cudaMemcpy2D(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                         std::size_t width, std::size_t height, cudaMemcpyKind kind) {
  return begin_rows(copy_of_rows(to, to_pitch, from, from_pitch, width, height, kind), false, nullptr);
}
cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                              std::size_t width, std::size_t height, cudaMemcpyKind kind,
                              cudaStream_t stream) {
  return begin_rows(copy_of_rows(to, to_pitch, from, from_pitch, width, height, kind), true, stream);
}
cudaError_t cudaMemcpy3D(const cudaMemcpy3DParms* copy) { return begin_copy_3d(copy, false, nullptr); }
cudaError_t cudaMemcpy3DAsync(const cudaMemcpy3DParms* copy, cudaStream_t stream) {
  return begin_copy_3d(copy, true, stream);
}
cudaError_t cudaMemcpy3DPeer(const cudaMemcpy3DPeerParms* copy) {
  return begin_peer_3d(copy, false, nullptr);
}
cudaError_t cudaMemcpy3DPeerAsync(const cudaMemcpy3DPeerParms* copy, cudaStream_t stream) {
  return begin_peer_3d(copy, true, stream);
}
cudaError_t cudaMemset(void* at, int byte, std::size_t bytes) {
  return begin_fill({at, bytes, static_cast<unsigned>(byte), 1, bytes, 1}, false, nullptr);
}
cudaError_t cudaMemsetAsync(void* at, int byte, std::size_t bytes, cudaStream_t stream) {
  return begin_fill({at, bytes, static_cast<unsigned>(byte), 1, bytes, 1}, true, stream);
}
cudaError_t cudaMemset2D(void* at, std::size_t pitch, int byte, std::size_t width, std::size_t height) {
  return begin_fill({at, pitch, static_cast<unsigned>(byte), 1, width, height}, false, nullptr);
}
cudaError_t cudaMemset2DAsync(void* at, std::size_t pitch, int byte, std::size_t width, std::size_t height,
                              cudaStream_t stream) {
  return begin_fill({at, pitch, static_cast<unsigned>(byte), 1, width, height}, true, stream);
}
cudaError_t cudaMemset3D(cudaPitchedPtr at, int byte, cudaExtent extent) {
  return begin_fill_3d(at, byte, extent, false, nullptr);
}
cudaError_t cudaMemset3DAsync(cudaPitchedPtr at, int byte, cudaExtent extent, cudaStream_t stream) {
  return begin_fill_3d(at, byte, extent, true, stream);
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

// --- pools -----------------------------------------------------------------------------------------------------------

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

// --- arrays ----------------------------------------------------------------------------------------------------------

namespace assay_simt::runtime {
namespace {

cudaError_t new_array(std::unique_ptr<cudaArray>& out, const cudaChannelFormatDesc& format,
                      const cudaExtent& extent, unsigned flags) {
  constexpr unsigned known = cudaArrayLayered | cudaArraySurfaceLoadStore | cudaArrayCubemap |
                             cudaArrayTextureGather | cudaArrayColorAttachment;
  if ((flags & ~known) != 0)
    return (flags & cudaArraySparse) != 0 ? cudaErrorNotSupported : cudaErrorInvalidValue;
  const std::size_t element = element_bytes(format);
  if (element == 0) return cudaErrorInvalidChannelDescriptor;
  const bool cube = (flags & cudaArrayCubemap) != 0, layered = (flags & cudaArrayLayered) != 0;
  if (extent.width == 0) return cudaErrorInvalidValue;
  if (cube && (extent.width != extent.height || extent.depth % 6 != 0 || extent.depth == 0 ||
               (!layered && extent.depth != 6)))
    return cudaErrorInvalidValue;
  if (layered && extent.depth == 0) return cudaErrorInvalidValue;
  if (!cube && !layered && extent.depth != 0 && extent.height == 0) return cudaErrorInvalidValue;
  constexpr std::size_t most = std::size_t{1} << 20;
  if (extent.width > most || extent.height > most || extent.depth > most) return cudaErrorInvalidValue;
  auto array = std::make_unique<cudaArray>();
  array->format = format;
  array->extent = extent;
  array->flags = flags;
  array->element = element;
  const std::size_t bytes = array->row_bytes() * array->rows() * array->slices();
  if (bytes > assay::available_memory_bytes()) return cudaErrorMemoryAllocation;
  array->memory = device_memory(bytes);
  live<cudaArray>().add(array.get());
  out = std::move(array);
  return cudaSuccess;
}

}  // namespace
}  // namespace assay_simt::runtime

cudaChannelFormatDesc cudaCreateChannelDesc(int x, int y, int z, int w, cudaChannelFormatKind kind) {
  return {x, y, z, w, kind};
}
cudaError_t cudaGetChannelDesc(cudaChannelFormatDesc* format, cudaArray_const_t array) {
  if (format == nullptr) return remember(cudaErrorInvalidValue);
  if (!is_array(array)) return remember(cudaErrorInvalidResourceHandle);
  *format = array->format;
  return cudaSuccess;
}
cudaError_t cudaMalloc3DArray(cudaArray_t* array, const cudaChannelFormatDesc* format, cudaExtent extent,
                              unsigned flags) {
  if (array == nullptr || format == nullptr) return remember(cudaErrorInvalidValue);
  *array = nullptr;
  return on_device([&] {
    if (const cudaError_t error = why_not_now(false); error != cudaSuccess) return error;
    std::unique_ptr<cudaArray> made;
    const cudaError_t error = new_array(made, *format, extent, flags);
    *array = made.release();
    return error;
  });
}
cudaError_t cudaMallocArray(cudaArray_t* array, const cudaChannelFormatDesc* format, std::size_t width,
                            std::size_t height, unsigned flags) {
  if ((flags & (cudaArrayLayered | cudaArrayCubemap)) != 0) return remember(cudaErrorInvalidValue);
  return cudaMalloc3DArray(array, format, {width, height, 0}, flags);
}
cudaError_t cudaFreeArray(cudaArray_t array) {
  if (array == nullptr) return cudaSuccess;
  return on_device([&] {
    if (!is_array(array)) return cudaErrorInvalidResourceHandle;
    if (array->of_mipmap) return cudaErrorInvalidValue;
    live<cudaArray>().remove(array);
    delete array;
    return cudaSuccess;
  });
}
cudaError_t cudaArrayGetInfo(cudaChannelFormatDesc* format, cudaExtent* extent, unsigned* flags,
                             cudaArray_t array) {
  if (!is_array(array)) return remember(cudaErrorInvalidResourceHandle);
  if (format != nullptr) *format = array->format;
  if (extent != nullptr) *extent = array->extent;
  if (flags != nullptr) *flags = array->flags;
  return cudaSuccess;
}
cudaError_t cudaMallocMipmappedArray(cudaMipmappedArray_t* out, const cudaChannelFormatDesc* format,
                                     cudaExtent extent, unsigned levels, unsigned flags) {
  if (out == nullptr || format == nullptr || levels == 0) return remember(cudaErrorInvalidValue);
  *out = nullptr;
  return on_device([&] {
    // No more levels than lead to a single element.
    std::size_t longest = std::max({extent.width, extent.height, extent.depth});
    if ((flags & (cudaArrayLayered | cudaArrayCubemap)) != 0) longest = std::max(extent.width, extent.height);
    unsigned most = 1;
    for (; longest > 1; longest /= 2) ++most;
    auto made = std::make_unique<cudaMipmappedArray>();
    for (unsigned i = 0; i < std::min(levels, most); ++i) {
      const auto half = [i](std::size_t n) { return n == 0 ? 0 : std::max<std::size_t>(1, n >> i); };
      const bool layers = (flags & (cudaArrayLayered | cudaArrayCubemap)) != 0;
      const cudaExtent smaller{half(extent.width), half(extent.height),
                               layers ? extent.depth : half(extent.depth)};
      std::unique_ptr<cudaArray> level;
      if (const cudaError_t error = new_array(level, *format, smaller, flags); error != cudaSuccess)
        return error;
      level->of_mipmap = true;
      made->levels.push_back(std::move(level));
    }
    live<cudaMipmappedArray>().add(made.get());
    *out = made.release();
    return cudaSuccess;
  });
}
cudaError_t cudaFreeMipmappedArray(cudaMipmappedArray_t array) {
  if (array == nullptr) return cudaSuccess;
  return on_device([&] {
    if (!live<cudaMipmappedArray>().remove(array)) return cudaErrorInvalidResourceHandle;
    for (const auto& level : array->levels) live<cudaArray>().remove(level.get());
    delete array;
    return cudaSuccess;
  });
}
cudaError_t cudaGetMipmappedArrayLevel(cudaArray_t* level, cudaMipmappedArray_const_t array,
                                       unsigned number) {
  if (level == nullptr) return remember(cudaErrorInvalidValue);
  if (!is_mipmapped(array)) return remember(cudaErrorInvalidResourceHandle);
  if (number >= array->levels.size()) return remember(cudaErrorInvalidValue);
  *level = array->levels[number].get();
  return cudaSuccess;
}

cudaError_t cudaMemcpyToArray(cudaArray_t to, std::size_t byte, std::size_t row, const void* from,
                              std::size_t bytes, cudaMemcpyKind kind) {
  return begin_run(to, byte, row, const_cast<void*>(from), bytes, true, kind, false, nullptr);
}
cudaError_t cudaMemcpyFromArray(void* to, cudaArray_const_t from, std::size_t byte, std::size_t row,
                                std::size_t bytes, cudaMemcpyKind kind) {
  return begin_run(from, byte, row, to, bytes, false, kind, false, nullptr);
}
cudaError_t cudaMemcpyToArrayAsync(cudaArray_t to, std::size_t byte, std::size_t row, const void* from,
                                   std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return begin_run(to, byte, row, const_cast<void*>(from), bytes, true, kind, true, stream);
}
cudaError_t cudaMemcpyFromArrayAsync(void* to, cudaArray_const_t from, std::size_t byte, std::size_t row,
                                     std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return begin_run(from, byte, row, to, bytes, false, kind, true, stream);
}
cudaError_t cudaMemcpyArrayToArray(cudaArray_t to, std::size_t to_byte, std::size_t to_row,
                                   cudaArray_const_t from, std::size_t from_byte, std::size_t from_row,
                                   std::size_t bytes, cudaMemcpyKind kind) {
  return cudaMemcpy2DArrayToArray(to, to_byte, to_row, from, from_byte, from_row, bytes, 1, kind);
}
cudaError_t cudaMemcpy2DToArray(cudaArray_t to, std::size_t byte, std::size_t row, const void* from,
                                std::size_t pitch, std::size_t width, std::size_t height,
                                cudaMemcpyKind kind) {
  const Rectangle rectangle{to, byte, row};
  return begin_rectangle(&rectangle, nullptr, {const_cast<void*>(from), pitch, width, height}, width, height,
                         kind, false, nullptr);
}
cudaError_t cudaMemcpy2DToArrayAsync(cudaArray_t to, std::size_t byte, std::size_t row, const void* from,
                                     std::size_t pitch, std::size_t width, std::size_t height,
                                     cudaMemcpyKind kind, cudaStream_t stream) {
  const Rectangle rectangle{to, byte, row};
  return begin_rectangle(&rectangle, nullptr, {const_cast<void*>(from), pitch, width, height}, width, height,
                         kind, true, stream);
}
cudaError_t cudaMemcpy2DFromArray(void* to, std::size_t pitch, cudaArray_const_t from, std::size_t byte,
                                  std::size_t row, std::size_t width, std::size_t height,
                                  cudaMemcpyKind kind) {
  const Rectangle rectangle{from, byte, row};
  return begin_rectangle(nullptr, &rectangle, {to, pitch, width, height}, width, height, kind, false,
                         nullptr);
}
cudaError_t cudaMemcpy2DFromArrayAsync(void* to, std::size_t pitch, cudaArray_const_t from, std::size_t byte,
                                       std::size_t row, std::size_t width, std::size_t height,
                                       cudaMemcpyKind kind, cudaStream_t stream) {
  const Rectangle rectangle{from, byte, row};
  return begin_rectangle(nullptr, &rectangle, {to, pitch, width, height}, width, height, kind, true, stream);
}
cudaError_t cudaMemcpy2DArrayToArray(cudaArray_t to, std::size_t to_byte, std::size_t to_row,
                                     cudaArray_const_t from, std::size_t from_byte, std::size_t from_row,
                                     std::size_t width, std::size_t height, cudaMemcpyKind kind) {
  const Rectangle target{to, to_byte, to_row}, source{from, from_byte, from_row};
  return begin_rectangle(&target, &source, {}, width, height, kind, false, nullptr);
}

// --- symbols ---------------------------------------------------------------------------------------------------------

cudaError_t assay_simt::symbol_address(void** address, const void* symbol, std::size_t size) {
  if (address == nullptr) return remember(cudaErrorInvalidValue);
  if (symbol == nullptr) return remember(cudaErrorInvalidSymbol);
  memory().add_symbol(symbol, size);
  *address = const_cast<void*>(symbol);
  return cudaSuccess;
}
cudaError_t assay_simt::copy_symbol(void* other, const void* symbol, std::size_t bytes, std::size_t offset,
                                    std::size_t size, bool to_symbol, cudaMemcpyKind kind, bool async,
                                    cudaStream_t stream) {
  if (other == nullptr || offset > size || bytes > size - offset) return remember(cudaErrorInvalidValue);
  const bool right = kind == cudaMemcpyDefault || (to_symbol ? to_device(kind) : from_device(kind));
  if (!right) return remember(cudaErrorInvalidMemcpyDirection);
  memory().add_symbol(symbol, size);
  char* const at = static_cast<char*>(const_cast<void*>(symbol)) + offset;
  const cudaMemcpy3DParms copy =
      to_symbol ? copy_of_bytes(at, other, bytes, kind) : copy_of_bytes(other, at, bytes, kind);
  return begin_copy(copy, async, stream);
}
