// Copies and fills of the runtime API: what is checked, and what a stream does with them.
#include <cstring>

#include "emulation/simt/grid.hpp"
#include "emulation/simt/runtime_memory.hpp"

namespace assay_simt::runtime {

namespace {

// Memory of the host that CUDA does not know may be read by every copy of the host; memory of the device only by its
// own directions; pinned and managed memory by all.
bool agrees(const void* at, bool device) {
  const Place place = memory().find(at).place;
  return device ? place != Place::host : place != Place::device && place != Place::symbol;
}
}  // namespace

bool to_device(cudaMemcpyKind kind) {
  return kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
}
bool from_device(cudaMemcpyKind kind) {
  return kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
}

namespace {

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
}  // namespace

cudaError_t begin_copy(const cudaMemcpy3DParms& copy, bool async, cudaStream_t stream) {
  return begin(copy, check_copy, async, stream);
}

namespace {

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
}  // namespace
}  // namespace assay_simt::runtime

using namespace assay_simt::runtime;

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
// --- of arrays -------------------------------------------------------------------------------------------------------

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
