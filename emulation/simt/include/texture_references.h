// References to textures, which CUDA 12 removed and older programs have: texture<float, 2> t; cudaBindTexture(); and
// tex2D(t, x, y) in kernels. A binding makes a texture object of the reference's attributes as they are then; fetches
// are those of texture_indirect_functions.h.
//
// The rewriter makes ::assay_simt::texture<...> of texture<...> outside of functions: no program's own name is taken.
//
// Not here: references to surfaces, levels and gathers.
#pragma once

#include <climits>

#include "emulation/simt/include/channel_descriptor.h"
#include "emulation/simt/include/texture_indirect_functions.h"

#define cudaTextureType1D 0x01
#define cudaTextureType2D 0x02
#define cudaTextureType3D 0x03
#define cudaTextureTypeCubemap 0x0C
#define cudaTextureType1DLayered 0xF1
#define cudaTextureType2DLayered 0xF2
#define cudaTextureTypeCubemapLayered 0xFC

struct textureReference {
  int normalized = 0;
  cudaTextureFilterMode filterMode = cudaFilterModePoint;
  cudaTextureAddressMode addressMode[3] = {cudaAddressModeClamp, cudaAddressModeClamp, cudaAddressModeClamp};
  cudaChannelFormatDesc channelDesc{};
  int sRGB = 0;
  unsigned int maxAnisotropy = 0;
  cudaTextureFilterMode mipmapFilterMode = cudaFilterModePoint;
  float mipmapLevelBias = 0, minMipmapLevelClamp = 0, maxMipmapLevelClamp = 0;

  // Of the dialect: how elements are given, and what is bound.
  cudaTextureReadMode assay_simt_read = cudaReadModeElementType;
  mutable cudaTextureObject_t assay_simt_bound = 0;
  mutable std::size_t assay_simt_offset = 0;
};

namespace assay_simt {

template <class T, int type = cudaTextureType1D, cudaTextureReadMode mode = cudaReadModeElementType>
struct texture : textureReference {
  explicit texture(int is_normalized = 0, cudaTextureFilterMode filter = cudaFilterModePoint,
                   cudaTextureAddressMode address = cudaAddressModeClamp,
                   const cudaChannelFormatDesc& format = cudaCreateChannelDesc<T>()) {
    normalized = is_normalized;
    filterMode = filter;
    for (cudaTextureAddressMode& one : addressMode) one = address;
    channelDesc = format;
    assay_simt_read = mode;
  }
};

// What a fetch gives: elements, or floats instead of their integers.
template <int channels>
using Floats = std::conditional_t<channels == 1, float, std::conditional_t<channels == 2, float2, float4>>;
template <class T, cudaTextureReadMode mode>
using Fetched = std::conditional_t<mode == cudaReadModeElementType, T, Floats<TexelType<T>::channels>>;

}  // namespace assay_simt

// Of linear memory from `memory` on, as far as it reaches. Memory that is not aligned as a texture's gives the bytes
// between, by which fetches are to be moved; without a place for them it is an error.
cudaError_t cudaBindTexture(std::size_t* offset, const textureReference* reference, const void* memory,
                            const cudaChannelFormatDesc* format, std::size_t bytes = UINT_MAX);
cudaError_t cudaBindTexture2D(std::size_t* offset, const textureReference* reference, const void* memory,
                              const cudaChannelFormatDesc* format, std::size_t width, std::size_t height,
                              std::size_t pitch);
cudaError_t cudaBindTextureToArray(const textureReference* reference, cudaArray_const_t array,
                                   const cudaChannelFormatDesc* format);
cudaError_t cudaBindTextureToMipmappedArray(const textureReference* reference,
                                            cudaMipmappedArray_const_t array,
                                            const cudaChannelFormatDesc* format);
cudaError_t cudaUnbindTexture(const textureReference* reference);
cudaError_t cudaGetTextureAlignmentOffset(std::size_t* offset, const textureReference* reference);
// By the address of the variable.
cudaError_t cudaGetTextureReference(const textureReference** reference, const void* symbol);

inline cudaError_t cudaBindTexture(std::size_t* offset, const textureReference& reference, const void* memory,
                                   const cudaChannelFormatDesc& format, std::size_t bytes = UINT_MAX) {
  return cudaBindTexture(offset, &reference, memory, &format, bytes);
}
inline cudaError_t cudaBindTexture(std::size_t* offset, const textureReference& reference, const void* memory,
                                   std::size_t bytes = UINT_MAX) {
  return cudaBindTexture(offset, &reference, memory, &reference.channelDesc, bytes);
}
inline cudaError_t cudaBindTexture2D(std::size_t* offset, const textureReference& reference,
                                     const void* memory, const cudaChannelFormatDesc& format,
                                     std::size_t width, std::size_t height, std::size_t pitch) {
  return cudaBindTexture2D(offset, &reference, memory, &format, width, height, pitch);
}
inline cudaError_t cudaBindTexture2D(std::size_t* offset, const textureReference& reference,
                                     const void* memory, std::size_t width, std::size_t height,
                                     std::size_t pitch) {
  return cudaBindTexture2D(offset, &reference, memory, &reference.channelDesc, width, height, pitch);
}
inline cudaError_t cudaBindTextureToArray(const textureReference& reference, cudaArray_const_t array,
                                          const cudaChannelFormatDesc& format) {
  return cudaBindTextureToArray(&reference, array, &format);
}
inline cudaError_t cudaBindTextureToArray(const textureReference& reference, cudaArray_const_t array) {
  return cudaBindTextureToArray(&reference, array, nullptr);
}
inline cudaError_t cudaBindTextureToMipmappedArray(const textureReference& reference,
                                                   cudaMipmappedArray_const_t array,
                                                   const cudaChannelFormatDesc& format) {
  return cudaBindTextureToMipmappedArray(&reference, array, &format);
}
inline cudaError_t cudaUnbindTexture(const textureReference& reference) {
  return cudaUnbindTexture(&reference);
}
inline cudaError_t cudaGetTextureAlignmentOffset(std::size_t* offset, const textureReference& reference) {
  return cudaGetTextureAlignmentOffset(offset, &reference);
}

#define ASSAY_SIMT_REFERENCE(name, type, how, parameters, ...)                                 \
  template <class T, cudaTextureReadMode mode>                                                 \
  assay_simt::Fetched<T, mode> name(const assay_simt::texture<T, type, mode>& reference,       \
                                    ASSAY_SIMT_LIST parameters) {                              \
    return assay_simt::fetch_as<assay_simt::Fetched<T, mode>>(                                 \
        reference.assay_simt_bound, assay_simt::Fetch::how, assay_simt::FetchAt{__VA_ARGS__}); \
  }
#define ASSAY_SIMT_LIST(...) __VA_ARGS__
ASSAY_SIMT_REFERENCE(tex1Dfetch, cudaTextureType1D, linear_memory, (int x), 0, 0, 0, x, 0)
ASSAY_SIMT_REFERENCE(tex1D, cudaTextureType1D, d1, (float x), x, 0, 0, 0, 0)
ASSAY_SIMT_REFERENCE(tex2D, cudaTextureType2D, d2, (float x, float y), x, y, 0, 0, 0)
ASSAY_SIMT_REFERENCE(tex3D, cudaTextureType3D, d3, (float x, float y, float z), x, y, z, 0, 0)
ASSAY_SIMT_REFERENCE(tex1DLayered, cudaTextureType1DLayered, layered_1, (float x, int layer), x, 0, 0, layer,
                     0)
ASSAY_SIMT_REFERENCE(tex2DLayered, cudaTextureType2DLayered, layered_2, (float x, float y, int layer), x, y,
                     0, layer, 0)
ASSAY_SIMT_REFERENCE(texCubemap, cudaTextureTypeCubemap, cubemap, (float x, float y, float z), x, y, z, 0, 0)
ASSAY_SIMT_REFERENCE(texCubemapLayered, cudaTextureTypeCubemapLayered, layered_cubemap,
                     (float x, float y, float z, int layer), x, y, z, layer, 0)
#undef ASSAY_SIMT_LIST
#undef ASSAY_SIMT_REFERENCE
