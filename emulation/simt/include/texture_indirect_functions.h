// Fetches through texture objects, for kernels: tex1Dfetch, tex1D, tex2D, tex3D, layers, cubemaps, gather, levels.
//
// Numerics (CUDA C++ Programming Guide, appendix "Texture Fetching")
//   point     the element at floor(x), x scaled by the extent if coordinates are normalized.
//   linear    with i = floor(x - 0.5) and a = x - 0.5 - i: (1 - a) T[i] + a T[i + 1], and the like in two and three
//             dimensions. a is rounded to nearest to 8 bits of fraction, ties up, and may be 1. The weighted sum is
//             formed in double and rounded once to float; an element of weight 0 takes no part.
//   normalized  8 and 16 bits: v / (2^bits - 1), signed v / (2^(bits-1) - 1) and at least -1; rounded to float before
//             the filter.
//   outside   clamp, wrap and mirror (both with normalized coordinates, else clamp), border (the description's colour).
//   levels    of mipmapped arrays: the level is clamped; mip filter point takes the nearest level, linear blends two
//             by 8 bits of fraction. tex2D and kin read level 0.
//   cubemap   the face of the largest component; coordinates clamp within the face.
// How a GPU rounds within its filter is not documented: linear filtering is an envelope here, not a GPU's bits. Point
// fetches are exact.
//
// A fetch of other types than the texture has, of more channels, or through a destroyed object ends the block with a
// message. Not here: gradients (tex2DGrad), sparse residency, sRGB, anisotropy, compressed formats, vectors of three.
#pragma once

#include "emulation/simt/include/channel_descriptor.h"

namespace assay_simt {

// Four channels: floats, or integers with their sign.
struct Texel {
  union {
    float f[4];
    int i[4];
  };
};
enum class TexelKind : unsigned char { signed_integer, unsigned_integer, floating };
enum class Fetch : unsigned char {
  linear_memory,
  d1,
  d2,
  d3,
  layered_1,
  layered_2,
  cubemap,
  layered_cubemap
};
// What a program asks for: how many channels, of which kind and how many bytes each.
struct TexelWanted {
  TexelKind kind;
  unsigned char bytes, channels;
};
struct FetchAt {
  float x, y, z;
  int layer;  // or the element of linear memory
  float level;
};

Texel fetch(cudaTextureObject_t texture, Fetch how, const FetchAt& at, TexelWanted wanted);
// Channel `channel` of the four elements around (x, y).
Texel gather(cudaTextureObject_t texture, float x, float y, int channel, TexelWanted wanted);

template <class T>
constexpr TexelWanted wanted_texel() {
  using Type = TexelType<T>;
  static_assert(Type::channels != 0 && Type::channels != 3, "no type that a texture's elements have");
  using Channel = typename Type::Channel;
  constexpr TexelKind kind = std::is_same_v<Channel, float> ? TexelKind::floating
                             : std::is_signed_v<Channel>    ? TexelKind::signed_integer
                                                            : TexelKind::unsigned_integer;
  return {kind, static_cast<unsigned char>(sizeof(Channel)), static_cast<unsigned char>(Type::channels)};
}
template <class T>
T texel_as(const Texel& texel) {
  using Type = TexelType<T>;
  using Channel = typename Type::Channel;
  const auto channel = [&](int c) {
    if constexpr (std::is_same_v<Channel, float>)
      return texel.f[c];
    else
      return static_cast<Channel>(texel.i[c]);
  };
  if constexpr (std::is_arithmetic_v<T>)
    return static_cast<T>(channel(0));
  else if constexpr (Type::channels == 1)
    return T{channel(0)};
  else if constexpr (Type::channels == 2)
    return T{channel(0), channel(1)};
  else
    return T{channel(0), channel(1), channel(2), channel(3)};
}
template <class T>
T fetch_as(cudaTextureObject_t texture, Fetch how, const FetchAt& at) {
  return texel_as<T>(fetch(texture, how, at, wanted_texel<T>()));
}

}  // namespace assay_simt

// Each in two forms: T f(texture, ...) and f(T*, texture, ...).
#define ASSAY_SIMT_FETCH(name, how, parameters, ...)                                                   \
  template <class T>                                                                                   \
  T name parameters {                                                                                  \
    return assay_simt::fetch_as<T>(texture, assay_simt::Fetch::how, assay_simt::FetchAt{__VA_ARGS__}); \
  }
#define ASSAY_SIMT_FETCH_TO(name, parameters, arguments) \
  template <class T>                                     \
  void name parameters {                                 \
    *out = name<T> arguments;                            \
  }
ASSAY_SIMT_FETCH(tex1Dfetch, linear_memory, (cudaTextureObject_t texture, int x), 0, 0, 0, x, 0)
ASSAY_SIMT_FETCH(tex1D, d1, (cudaTextureObject_t texture, float x), x, 0, 0, 0, 0)
ASSAY_SIMT_FETCH(tex2D, d2, (cudaTextureObject_t texture, float x, float y), x, y, 0, 0, 0)
ASSAY_SIMT_FETCH(tex3D, d3, (cudaTextureObject_t texture, float x, float y, float z), x, y, z, 0, 0)
ASSAY_SIMT_FETCH(tex1DLayered, layered_1, (cudaTextureObject_t texture, float x, int layer), x, 0, 0, layer,
                 0)
ASSAY_SIMT_FETCH(tex2DLayered, layered_2, (cudaTextureObject_t texture, float x, float y, int layer), x, y, 0,
                 layer, 0)
ASSAY_SIMT_FETCH(texCubemap, cubemap, (cudaTextureObject_t texture, float x, float y, float z), x, y, z, 0, 0)
ASSAY_SIMT_FETCH(texCubemapLayered, layered_cubemap,
                 (cudaTextureObject_t texture, float x, float y, float z, int layer), x, y, z, layer, 0)
ASSAY_SIMT_FETCH(tex1DLod, d1, (cudaTextureObject_t texture, float x, float level), x, 0, 0, 0, level)
ASSAY_SIMT_FETCH(tex2DLod, d2, (cudaTextureObject_t texture, float x, float y, float level), x, y, 0, 0,
                 level)
ASSAY_SIMT_FETCH(tex3DLod, d3, (cudaTextureObject_t texture, float x, float y, float z, float level), x, y, z,
                 0, level)
ASSAY_SIMT_FETCH(tex1DLayeredLod, layered_1, (cudaTextureObject_t texture, float x, int layer, float level),
                 x, 0, 0, layer, level)
ASSAY_SIMT_FETCH(tex2DLayeredLod, layered_2,
                 (cudaTextureObject_t texture, float x, float y, int layer, float level), x, y, 0, layer,
                 level)
ASSAY_SIMT_FETCH(texCubemapLod, cubemap,
                 (cudaTextureObject_t texture, float x, float y, float z, float level), x, y, z, 0, level)
ASSAY_SIMT_FETCH_TO(tex1Dfetch, (T * out, cudaTextureObject_t texture, int x), (texture, x))
ASSAY_SIMT_FETCH_TO(tex1D, (T * out, cudaTextureObject_t texture, float x), (texture, x))
ASSAY_SIMT_FETCH_TO(tex2D, (T * out, cudaTextureObject_t texture, float x, float y), (texture, x, y))
ASSAY_SIMT_FETCH_TO(tex3D, (T * out, cudaTextureObject_t texture, float x, float y, float z),
                    (texture, x, y, z))
ASSAY_SIMT_FETCH_TO(tex1DLayered, (T * out, cudaTextureObject_t texture, float x, int layer),
                    (texture, x, layer))
ASSAY_SIMT_FETCH_TO(tex2DLayered, (T * out, cudaTextureObject_t texture, float x, float y, int layer),
                    (texture, x, y, layer))
ASSAY_SIMT_FETCH_TO(texCubemap, (T * out, cudaTextureObject_t texture, float x, float y, float z),
                    (texture, x, y, z))
ASSAY_SIMT_FETCH_TO(tex2DLod, (T * out, cudaTextureObject_t texture, float x, float y, float level),
                    (texture, x, y, level))
#undef ASSAY_SIMT_FETCH
#undef ASSAY_SIMT_FETCH_TO

// The elements at (i, j + 1), (i + 1, j + 1), (i + 1, j), (i, j): T is the type of four channels.
template <class T>
T tex2Dgather(cudaTextureObject_t texture, float x, float y, int channel = 0) {
  static_assert(assay_simt::TexelType<T>::channels == 4, "tex2Dgather gives four channels");
  return assay_simt::texel_as<T>(assay_simt::gather(texture, x, y, channel, assay_simt::wanted_texel<T>()));
}
template <class T>
void tex2Dgather(T* out, cudaTextureObject_t texture, float x, float y, int channel = 0) {
  *out = tex2Dgather<T>(texture, x, y, channel);
}
