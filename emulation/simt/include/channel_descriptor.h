// cudaCreateChannelDesc<T>(): how the elements of an array of T are laid out.
#pragma once

#include <type_traits>

#include "emulation/simt/include/driver_types.h"

namespace assay_simt {

// Of the types that textures and surfaces have: of integers of 8, 16 and 32 bits and of float, one, two or four, and
// vectors of three, which no texture has.
template <class T>
struct TexelType {
  static constexpr int channels = 0;
};
#define ASSAY_SIMT_TEXEL(type, channel, count) \
  template <>                                  \
  struct TexelType<type> {                     \
    using Channel = channel;                   \
    static constexpr int channels = count;     \
  };
#define ASSAY_SIMT_TEXELS(scalar, vector) \
  ASSAY_SIMT_TEXEL(scalar, scalar, 1)     \
  ASSAY_SIMT_TEXEL(vector##1, scalar, 1)  \
  ASSAY_SIMT_TEXEL(vector##2, scalar, 2)  \
  ASSAY_SIMT_TEXEL(vector##3, scalar, 3)  \
  ASSAY_SIMT_TEXEL(vector##4, scalar, 4)
ASSAY_SIMT_TEXEL(char, signed char, 1)
ASSAY_SIMT_TEXELS(signed char, char)
ASSAY_SIMT_TEXELS(unsigned char, uchar)
ASSAY_SIMT_TEXELS(short, short)
ASSAY_SIMT_TEXELS(unsigned short, ushort)
ASSAY_SIMT_TEXELS(int, int)
ASSAY_SIMT_TEXELS(unsigned int, uint)
ASSAY_SIMT_TEXELS(float, float)
#undef ASSAY_SIMT_TEXELS
#undef ASSAY_SIMT_TEXEL

}  // namespace assay_simt

template <class T>
constexpr cudaChannelFormatDesc cudaCreateChannelDesc() {
  using Type = assay_simt::TexelType<T>;
  static_assert(Type::channels != 0, "no type of a texture's elements");
  using Channel = typename Type::Channel;
  constexpr int bits = static_cast<int>(8 * sizeof(Channel));
  constexpr auto kind = std::is_same_v<Channel, float> ? cudaChannelFormatKindFloat
                        : std::is_signed_v<Channel>    ? cudaChannelFormatKindSigned
                                                       : cudaChannelFormatKindUnsigned;
  constexpr int n = Type::channels;
  return {bits, n > 1 ? bits : 0, n > 2 ? bits : 0, n > 3 ? bits : 0, kind};
}
