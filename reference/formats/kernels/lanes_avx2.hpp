// Eight lanes of 32 bits in AVX2. See lanes_scalar.hpp for what each name means.
#pragma once

#include <cstdint>

#include "reference/formats/kernels/immintrin.hpp"

namespace assay {
namespace {

struct U32x8 {
  static constexpr int width = 8;
  struct Mask {
    __m256i v;  // the top bit of a lane counts
  };
  __m256i v;

  static U32x8 all(std::uint32_t x) { return {_mm256_set1_epi32(static_cast<int>(x))}; }
  static U32x8 iota() { return {_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)}; }
  static U32x8 load(const unsigned char* p) {
    return {_mm256_loadu_si256(static_cast<const __m256i_u*>(static_cast<const void*>(p)))};
  }
};

inline U32x8 opaque(U32x8 a) {
  asm("" : "+x"(a.v));
  return a;
}
inline U32x8 operator+(U32x8 a, U32x8 b) { return {_mm256_add_epi32(a.v, b.v)}; }
inline U32x8 operator-(U32x8 a, U32x8 b) { return {_mm256_sub_epi32(a.v, b.v)}; }
inline U32x8 operator*(U32x8 a, U32x8 b) { return {_mm256_mullo_epi32(a.v, b.v)}; }
inline U32x8 operator&(U32x8 a, U32x8 b) { return {_mm256_and_si256(a.v, b.v)}; }
inline U32x8 operator|(U32x8 a, U32x8 b) { return {_mm256_or_si256(a.v, b.v)}; }
inline U32x8 operator^(U32x8 a, U32x8 b) { return {_mm256_xor_si256(a.v, b.v)}; }
inline U32x8 and_not(U32x8 a, U32x8 b) { return {_mm256_andnot_si256(b.v, a.v)}; }
inline U32x8 and_or(U32x8 a, U32x8 b, U32x8 c) { return (a & b) | c; }
inline U32x8 xor3(U32x8 a, U32x8 b, U32x8 c) { return a ^ b ^ c; }
inline U32x8 min(U32x8 a, U32x8 b) { return {_mm256_min_epu32(a.v, b.v)}; }
inline U32x8 max(U32x8 a, U32x8 b) { return {_mm256_max_epu32(a.v, b.v)}; }

template <int n>
U32x8 left(U32x8 a) {
  return {_mm256_slli_epi32(a.v, n)};
}
template <int n>
U32x8 right(U32x8 a) {
  return {_mm256_srli_epi32(a.v, n)};
}
inline U32x8 left(U32x8 a, U32x8 n) { return {_mm256_sllv_epi32(a.v, n.v)}; }
inline U32x8 right(U32x8 a, U32x8 n) { return {_mm256_srlv_epi32(a.v, n.v)}; }

inline U32x8::Mask at_most(U32x8 a, U32x8 b) { return {_mm256_cmpeq_epi32(min(a, b).v, a.v)}; }
inline U32x8::Mask lacks(U32x8 a, U32x8 bits) {
  return {_mm256_cmpeq_epi32((a & bits).v, _mm256_setzero_si256())};
}
inline U32x8::Mask negative(U32x8 a) { return {a.v}; }
inline U32x8::Mask is_nan(U32x8 a) {
  return {_mm256_cmpgt_epi32((a & U32x8::all(0x7FFFFFFF)).v, _mm256_set1_epi32(0x7F800000))};
}
inline U32x8 select(U32x8::Mask m, U32x8 a, U32x8 b) {
  return {_mm256_castps_si256(
      _mm256_blendv_ps(_mm256_castsi256_ps(b.v), _mm256_castsi256_ps(a.v), _mm256_castsi256_ps(m.v)))};
}
inline U32x8::Mask both(U32x8::Mask a, U32x8::Mask b) { return {_mm256_and_si256(a.v, b.v)}; }
inline bool every(U32x8::Mask m) { return _mm256_movemask_ps(_mm256_castsi256_ps(m.v)) == 0xFF; }

inline void store256(unsigned char* dst, __m256i codes, bool non_temporal) {
  auto* p = static_cast<__m256i*>(static_cast<void*>(dst));
  if (non_temporal) {
    _mm256_stream_si256(p, codes);
  } else {
    _mm256_storeu_si256(p, codes);
  }
}
// The packing instructions work within 128 bits: the permutation puts the quarters in order.
inline __m256i pack16(__m256i a, __m256i b) {
  return _mm256_permute4x64_epi64(_mm256_packus_epi32(a, b), 0b11011000);
}
inline void store_low16(unsigned char* dst, const U32x8 (&codes)[4], bool non_temporal) {
  store256(dst, pack16(codes[0].v, codes[1].v), non_temporal);
  store256(dst + 32, pack16(codes[2].v, codes[3].v), non_temporal);
}
inline void store_high16(unsigned char* dst, const U32x8 (&codes)[4], bool non_temporal) {
  store256(dst, pack16(right<16>(codes[0]).v, right<16>(codes[1]).v), non_temporal);
  store256(dst + 32, pack16(right<16>(codes[2]).v, right<16>(codes[3]).v), non_temporal);
}
inline void store_low8(unsigned char* dst, const U32x8 (&codes)[4], bool non_temporal) {
  const __m256i ab = _mm256_packus_epi32(codes[0].v, codes[1].v),
                cd = _mm256_packus_epi32(codes[2].v, codes[3].v);
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  store256(dst, _mm256_permutevar8x32_epi32(_mm256_packus_epi16(ab, cd), order), non_temporal);
}

}  // namespace
}  // namespace assay
