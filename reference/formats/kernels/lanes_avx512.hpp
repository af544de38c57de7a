// Sixteen lanes of 32 bits in AVX-512 (F, BW, DQ, VL). See lanes_scalar.hpp for what each name means.
#pragma once

#include <cstdint>

#include "reference/formats/kernels/immintrin.hpp"

namespace assay {
namespace {

struct U32x16 {
  static constexpr int width = 16;
  struct Mask {
    __mmask16 v;
  };
  __m512i v;

  static U32x16 all(std::uint32_t x) { return {_mm512_set1_epi32(static_cast<int>(x))}; }
  static U32x16 iota() { return {_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)}; }
  static U32x16 load(const unsigned char* p) { return {_mm512_loadu_si512(p)}; }
};

inline U32x16 opaque(U32x16 a) {
  asm("" : "+v"(a.v));
  return a;
}
inline U32x16 operator+(U32x16 a, U32x16 b) { return {_mm512_add_epi32(a.v, b.v)}; }
inline U32x16 operator-(U32x16 a, U32x16 b) { return {_mm512_sub_epi32(a.v, b.v)}; }
inline U32x16 operator*(U32x16 a, U32x16 b) { return {_mm512_mullo_epi32(a.v, b.v)}; }
inline U32x16 operator&(U32x16 a, U32x16 b) { return {_mm512_and_si512(a.v, b.v)}; }
inline U32x16 operator|(U32x16 a, U32x16 b) { return {_mm512_or_si512(a.v, b.v)}; }
inline U32x16 operator^(U32x16 a, U32x16 b) { return {_mm512_xor_si512(a.v, b.v)}; }
// VPTERNLOG's truth tables: bit (a << 2 | b << 1 | c) of the immediate.
inline U32x16 and_not(U32x16 a, U32x16 b) { return {_mm512_andnot_si512(b.v, a.v)}; }
inline U32x16 and_or(U32x16 a, U32x16 b, U32x16 c) {
  return {_mm512_ternarylogic_epi32(a.v, b.v, c.v, 0xEA)};
}
inline U32x16 xor3(U32x16 a, U32x16 b, U32x16 c) { return {_mm512_ternarylogic_epi32(a.v, b.v, c.v, 0x96)}; }
inline U32x16 min(U32x16 a, U32x16 b) { return {_mm512_min_epu32(a.v, b.v)}; }
inline U32x16 max(U32x16 a, U32x16 b) { return {_mm512_max_epu32(a.v, b.v)}; }

template <int n>
U32x16 left(U32x16 a) {
  return {_mm512_slli_epi32(a.v, n)};
}
template <int n>
U32x16 right(U32x16 a) {
  return {_mm512_srli_epi32(a.v, n)};
}
inline U32x16 left(U32x16 a, U32x16 n) { return {_mm512_sllv_epi32(a.v, n.v)}; }
inline U32x16 right(U32x16 a, U32x16 n) { return {_mm512_srlv_epi32(a.v, n.v)}; }

inline U32x16::Mask at_most(U32x16 a, U32x16 b) { return {_mm512_cmple_epu32_mask(a.v, b.v)}; }
inline U32x16::Mask lacks(U32x16 a, U32x16 bits) { return {_mm512_testn_epi32_mask(a.v, bits.v)}; }
inline U32x16::Mask negative(U32x16 a) { return {_mm512_movepi32_mask(a.v)}; }
// VFPCLASSPS raises no exception, and NaN is a class that MXCSR has no say in.
inline U32x16::Mask is_nan(U32x16 a) {
  constexpr int quiet = 0x01, signalling = 0x80;
  return {_mm512_fpclass_ps_mask(_mm512_castsi512_ps(a.v), quiet | signalling)};
}
inline U32x16 select(U32x16::Mask m, U32x16 a, U32x16 b) { return {_mm512_mask_mov_epi32(b.v, m.v, a.v)}; }
inline U32x16::Mask both(U32x16::Mask a, U32x16::Mask b) { return {_kand_mask16(a.v, b.v)}; }
inline bool every(U32x16::Mask m) { return _kortestc_mask16_u8(m.v, m.v) != 0; }

inline void store512(unsigned char* dst, __m512i codes, bool non_temporal) {
  if (non_temporal) {
    _mm512_stream_si512(static_cast<__m512i*>(static_cast<void*>(dst)), codes);
  } else {
    _mm512_storeu_si512(dst, codes);
  }
}
// The even (low) or odd (high) words of a, then of b.
template <int odd>
__m512i words(__m512i a, __m512i b) {
  // Word indices 0, 2, 4, ... 62 into the pair, built from 32-bit constants: 32 arguments of 16 bits read worse.
  const __m512i pairs = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60);
  const __m512i even =
      _mm512_or_si512(pairs, _mm512_slli_epi32(_mm512_add_epi32(pairs, _mm512_set1_epi32(2)), 16));
  return _mm512_permutex2var_epi16(a, _mm512_add_epi16(even, _mm512_set1_epi16(odd)), b);
}
inline void store_low16(unsigned char* dst, const U32x16 (&codes)[2], bool non_temporal) {
  store512(dst, words<0>(codes[0].v, codes[1].v), non_temporal);
}
inline void store_high16(unsigned char* dst, const U32x16 (&codes)[2], bool non_temporal) {
  store512(dst, words<1>(codes[0].v, codes[1].v), non_temporal);
}
inline void store_low8(unsigned char* dst, const U32x16 (&codes)[2], bool non_temporal) {
  const __m256i bytes = _mm512_cvtepi16_epi8(words<0>(codes[0].v, codes[1].v));
  auto* p = static_cast<__m256i*>(static_cast<void*>(dst));
  if (non_temporal) {
    _mm256_stream_si256(p, bytes);
  } else {
    _mm256_storeu_si256(p, bytes);
  }
}

}  // namespace
}  // namespace assay
