// References to textures: a binding is a texture object (include/texture_references.h).
#include <algorithm>
#include <cstdint>

#include "emulation/simt/runtime.hpp"

namespace {

using assay_simt::runtime::Found;
using assay_simt::runtime::memory;
using assay_simt::runtime::Place;
using assay_simt::runtime::remember;

constexpr std::size_t texture_alignment = 512;

cudaError_t bind(const textureReference* reference, const cudaResourceDesc& resource, std::size_t offset) {
  cudaTextureDesc description{};
  std::copy(std::begin(reference->addressMode), std::end(reference->addressMode),
            std::begin(description.addressMode));
  description.filterMode = reference->filterMode;
  description.readMode = reference->assay_simt_read;
  description.sRGB = reference->sRGB;
  description.normalizedCoords = reference->normalized;
  description.maxAnisotropy = reference->maxAnisotropy;
  description.mipmapFilterMode = reference->mipmapFilterMode;
  description.mipmapLevelBias = reference->mipmapLevelBias;
  description.minMipmapLevelClamp = reference->minMipmapLevelClamp;
  description.maxMipmapLevelClamp = reference->maxMipmapLevelClamp;
  cudaTextureObject_t object = 0;
  const cudaError_t error = cudaCreateTextureObject(&object, &resource, &description, nullptr);
  if (error != cudaSuccess) return error;
  cudaDestroyTextureObject(reference->assay_simt_bound);
  reference->assay_simt_bound = object;
  reference->assay_simt_offset = offset;
  return cudaSuccess;
}

// Moves `address` back to where a texture may begin. The bytes between.
std::size_t align(const void*& address) {
  const std::size_t bytes = reinterpret_cast<std::uintptr_t>(address) % texture_alignment;
  address = static_cast<const char*>(address) - bytes;
  return bytes;
}

}  // namespace

cudaError_t cudaBindTexture(std::size_t* offset, const textureReference* reference, const void* address,
                            const cudaChannelFormatDesc* format, std::size_t bytes) {
  if (reference == nullptr || address == nullptr || format == nullptr) return remember(cudaErrorInvalidValue);
  const std::size_t before = align(address);
  if (before != 0 && offset == nullptr) return remember(cudaErrorInvalidValue);
  const Found found = memory().find(address);
  bytes += before;
  if (found.place != Place::host)
    bytes = std::min(bytes,
                     static_cast<std::size_t>(found.begin + found.bytes - static_cast<const char*>(address)));
  cudaResourceDesc resource{};
  resource.resType = cudaResourceTypeLinear;
  resource.res.linear.devPtr = const_cast<void*>(address);
  resource.res.linear.desc = *format;
  resource.res.linear.sizeInBytes = bytes;
  const cudaError_t error = bind(reference, resource, before);
  if (error == cudaSuccess && offset != nullptr) *offset = before;
  return error;
}
cudaError_t cudaBindTexture2D(std::size_t* offset, const textureReference* reference, const void* address,
                              const cudaChannelFormatDesc* format, std::size_t width, std::size_t height,
                              std::size_t pitch) {
  if (reference == nullptr || address == nullptr || format == nullptr) return remember(cudaErrorInvalidValue);
  const std::size_t before = align(address), element = assay_simt::runtime::element_bytes(*format);
  if ((before != 0 && offset == nullptr) || element == 0 || before % element != 0)
    return remember(cudaErrorInvalidValue);
  cudaResourceDesc resource{};
  resource.resType = cudaResourceTypePitch2D;
  resource.res.pitch2D.devPtr = const_cast<void*>(address);
  resource.res.pitch2D.desc = *format;
  resource.res.pitch2D.width = width + before / element;
  resource.res.pitch2D.height = height;
  resource.res.pitch2D.pitchInBytes = pitch;
  const cudaError_t error = bind(reference, resource, before);
  if (error == cudaSuccess && offset != nullptr) *offset = before;
  return error;
}
// The elements are the array's, whatever the format says.
cudaError_t cudaBindTextureToArray(const textureReference* reference, cudaArray_const_t array,
                                   const cudaChannelFormatDesc*) {
  if (reference == nullptr) return remember(cudaErrorInvalidValue);
  cudaResourceDesc resource{};
  resource.resType = cudaResourceTypeArray;
  resource.res.array.array = const_cast<cudaArray_t>(array);
  return bind(reference, resource, 0);
}
cudaError_t cudaBindTextureToMipmappedArray(const textureReference* reference,
                                            cudaMipmappedArray_const_t array, const cudaChannelFormatDesc*) {
  if (reference == nullptr) return remember(cudaErrorInvalidValue);
  cudaResourceDesc resource{};
  resource.resType = cudaResourceTypeMipmappedArray;
  resource.res.mipmap.mipmap = const_cast<cudaMipmappedArray_t>(array);
  return bind(reference, resource, 0);
}
cudaError_t cudaUnbindTexture(const textureReference* reference) {
  if (reference == nullptr) return remember(cudaErrorInvalidValue);
  const cudaTextureObject_t bound = reference->assay_simt_bound;
  reference->assay_simt_bound = 0;
  return cudaDestroyTextureObject(bound);
}
cudaError_t cudaGetTextureAlignmentOffset(std::size_t* offset, const textureReference* reference) {
  if (offset == nullptr || reference == nullptr) return remember(cudaErrorInvalidValue);
  if (reference->assay_simt_bound == 0) return remember(cudaErrorInvalidTextureBinding);
  *offset = reference->assay_simt_offset;
  return cudaSuccess;
}
cudaError_t cudaGetTextureReference(const textureReference** reference, const void* symbol) {
  if (reference == nullptr || symbol == nullptr) return remember(cudaErrorInvalidValue);
  *reference = static_cast<const textureReference*>(symbol);
  return cudaSuccess;
}
