// CUDA's integer intrinsics: bits, products, averages, sums of differences, dot products of bytes.
#pragma once

#include <bit>
#include <cstdint>

#include "emulation/simt/include/vector_types.h"

inline int __popc(unsigned x) { return std::popcount(x); }
inline int __popcll(unsigned long long x) { return std::popcount(x); }
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline int __clzll(long long x) { return std::countl_zero(static_cast<unsigned long long>(x)); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline unsigned long long __brevll(unsigned long long x) {
  const auto swap = [](unsigned long long v, int by, unsigned long long low) {
    return (v >> by & low) | (v & low) << by;
  };
  x = swap(x, 1, 0x5555555555555555U);
  x = swap(x, 2, 0x3333333333333333U);
  x = swap(x, 4, 0x0F0F0F0F0F0F0F0FU);
  return __builtin_bswap64(x);
}
inline unsigned __brev(unsigned x) { return static_cast<unsigned>(__brevll(x) >> 32); }
// The offset-th set bit of mask from base on, down for a negative offset; with 0 base itself. All bits where none is.
inline unsigned __fns(unsigned mask, unsigned base, int offset) {
  if (offset == 0) return base < 32 && (mask >> base & 1U) != 0 ? base : 0xFFFFFFFFU;
  int left = offset < 0 ? -offset : offset;
  for (int at = static_cast<int>(base); at >= 0 && at < 32; at += offset < 0 ? -1 : 1) {
    if ((mask >> at & 1U) != 0 && --left == 0) return static_cast<unsigned>(at);
  }
  return 0xFFFFFFFFU;
}

inline int __mulhi(int a, int b) { return static_cast<int>(static_cast<std::int64_t>(a) * b >> 32); }
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(static_cast<std::uint64_t>(a) * b >> 32);
}
inline long long __mul64hi(long long a, long long b) {
  __extension__ using Wide = __int128;
  return static_cast<long long>(static_cast<Wide>(a) * b >> 64);
}
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<unsigned long long>(static_cast<Wide>(a) * b >> 64);
}
inline int mulhi(int a, int b) { return __mulhi(a, b); }
inline unsigned mulhi(unsigned a, unsigned b) { return __umulhi(a, b); }
inline long long mul64hi(long long a, long long b) { return __mul64hi(a, b); }
inline unsigned long long mul64hi(unsigned long long a, unsigned long long b) { return __umul64hi(a, b); }
inline unsigned __umul24(unsigned a, unsigned b) { return (a & 0xFFFFFFU) * (b & 0xFFFFFFU); }
inline int __mul24(int a, int b) {
  const auto low = [](int x) { return static_cast<int>(static_cast<unsigned>(x) << 8) >> 8; };
  return static_cast<int>(static_cast<unsigned>(low(a)) * static_cast<unsigned>(low(b)));
}
inline int mul24(int a, int b) { return __mul24(a, b); }
inline unsigned umul24(unsigned a, unsigned b) { return __umul24(a, b); }

// Averages without overflow: rounded down, and with r up.
inline int __hadd(int a, int b) { return static_cast<int>((std::int64_t{a} + b) >> 1); }
inline int __rhadd(int a, int b) { return static_cast<int>((std::int64_t{a} + b + 1) >> 1); }
inline unsigned __uhadd(unsigned a, unsigned b) { return static_cast<unsigned>((std::uint64_t{a} + b) >> 1); }
inline unsigned __urhadd(unsigned a, unsigned b) {
  return static_cast<unsigned>((std::uint64_t{a} + b + 1) >> 1);
}
// |a - b| + c.
inline unsigned __usad(unsigned a, unsigned b, unsigned c) { return (a > b ? a - b : b - a) + c; }
inline unsigned __sad(int a, int b, unsigned c) {
  const unsigned difference = static_cast<unsigned>(a) - static_cast<unsigned>(b);
  return (a > b ? difference : 0U - difference) + c;
}

// Byte i of the result is byte (selector >> 4 i) & 7 of b and a, or its sign with bit 3.
inline unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
  const std::uint64_t all = std::uint64_t{b} << 32 | a;
  unsigned out = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned s = selector >> (4 * i);
    unsigned byte = static_cast<unsigned>(all >> (8 * (s & 7U))) & 0xFFU;
    if ((s & 8U) != 0) byte = (byte & 0x80U) != 0 ? 0xFFU : 0U;
    out |= byte << (8 * i);
  }
  return out;
}
// Of shifts, the lowest five bits; with c, 32 at most.
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
  return static_cast<unsigned>(((std::uint64_t{high} << 32 | low) << (shift & 31U)) >> 32);
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  return static_cast<unsigned>((std::uint64_t{high} << 32 | low) >> (shift & 31U));
}
inline unsigned __funnelshift_lc(unsigned low, unsigned high, unsigned shift) {
  return shift >= 32 ? low : __funnelshift_l(low, high, shift);
}
inline unsigned __funnelshift_rc(unsigned low, unsigned high, unsigned shift) {
  return shift >= 32 ? high : __funnelshift_r(low, high, shift);
}

// --- dot products ----------------------------------------------------------------------------------------------------

namespace assay_simt {
template <class T>
std::uint32_t lane_of(std::uint32_t x, int i) {
  return static_cast<std::uint32_t>(
      static_cast<std::int32_t>(static_cast<T>(x >> (8 * static_cast<int>(sizeof(T)) * i))));
}
inline std::uint32_t packed(char4 v) { return std::bit_cast<std::uint32_t>(v); }
inline std::uint32_t packed(uchar4 v) { return std::bit_cast<std::uint32_t>(v); }
inline std::uint32_t packed(short2 v) { return std::bit_cast<std::uint32_t>(v); }
inline std::uint32_t packed(ushort2 v) { return std::bit_cast<std::uint32_t>(v); }
// Modulo 2^32.
template <class T>
std::uint32_t dot4(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  for (int i = 0; i < 4; ++i) c += lane_of<T>(a, i) * lane_of<T>(b, i);
  return c;
}
template <class Two, class Four>
std::uint32_t dot2(std::uint32_t a, std::uint32_t b, std::uint32_t c, int first) {
  for (int i = 0; i < 2; ++i) c += lane_of<Two>(a, i) * lane_of<Four>(b, first + i);
  return c;
}
}  // namespace assay_simt

inline int __dp4a(int a, int b, int c) {
  return static_cast<int>(assay_simt::dot4<std::int8_t>(static_cast<unsigned>(a), static_cast<unsigned>(b),
                                                        static_cast<unsigned>(c)));
}
inline unsigned __dp4a(unsigned a, unsigned b, unsigned c) { return assay_simt::dot4<std::uint8_t>(a, b, c); }
inline int __dp4a(char4 a, char4 b, int c) {
  return static_cast<int>(
      assay_simt::dot4<std::int8_t>(assay_simt::packed(a), assay_simt::packed(b), static_cast<unsigned>(c)));
}
inline unsigned __dp4a(uchar4 a, uchar4 b, unsigned c) {
  return assay_simt::dot4<std::uint8_t>(assay_simt::packed(a), assay_simt::packed(b), c);
}
#define ASSAY_DP2A(name, first)                                                                           \
  inline int name(int a, int b, int c) {                                                                  \
    return static_cast<int>(assay_simt::dot2<std::int16_t, std::int8_t>(                                  \
        static_cast<unsigned>(a), static_cast<unsigned>(b), static_cast<unsigned>(c), first));            \
  }                                                                                                       \
  inline unsigned name(unsigned a, unsigned b, unsigned c) {                                              \
    return assay_simt::dot2<std::uint16_t, std::uint8_t>(a, b, c, first);                                 \
  }                                                                                                       \
  inline int name(short2 a, char4 b, int c) {                                                             \
    return static_cast<int>(assay_simt::dot2<std::int16_t, std::int8_t>(                                  \
        assay_simt::packed(a), assay_simt::packed(b), static_cast<unsigned>(c), first));                  \
  }                                                                                                       \
  inline unsigned name(ushort2 a, uchar4 b, unsigned c) {                                                 \
    return assay_simt::dot2<std::uint16_t, std::uint8_t>(assay_simt::packed(a), assay_simt::packed(b), c, \
                                                         first);                                          \
  }
ASSAY_DP2A(__dp2a_lo, 0)
ASSAY_DP2A(__dp2a_hi, 2)
#undef ASSAY_DP2A
