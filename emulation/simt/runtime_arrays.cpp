// Arrays and mipmapped arrays of the runtime API.
#include "emulation/simt/runtime_memory.hpp"
#include "reference/core/cpu.hpp"

namespace assay_simt::runtime {

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

using namespace assay_simt::runtime;

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
