// float32 and bfloat16 in vectors of 16 bytes, and the one NaN that results have.
//
// Numerics
//   widen  exact
//   round  to nearest, ties to even, by integers; a NaN becomes 0x7FC0 (bfloat16), 0x7FC00000 (float32).
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

namespace assay::gpu {

__host__ __device__ inline bool is_aligned(const void* p, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(p) % alignment == 0;
}

__device__ inline float one_nan(float x) { return isnan(x) ? __int_as_float(0x7FC00000) : x; }

__device__ inline float widen(float x) { return x; }
__device__ inline float widen(__nv_bfloat16 x) {
  return __uint_as_float(static_cast<std::uint32_t>(__bfloat16_as_ushort(x)) << 16);
}

// The code of a float that is no NaN but the one of one_nan(), which rounding leaves as it is.
__device__ inline std::uint32_t bf16_code(float x) {
  const std::uint32_t bits = __float_as_uint(x);
  return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
}

// Of a result: one_nan() is behind it.
__device__ inline void write(float* to, float x) { *to = x; }
__device__ inline void write(__nv_bfloat16* to, float x) {
  *to = __ushort_as_bfloat16(static_cast<unsigned short>(bf16_code(x)));
}

// 16 bytes of T.
template <class T>
struct Vector;
template <>
struct Vector<float> {
  static constexpr int count = 4;
  uint4 words;
  __device__ float operator[](int i) const {
    return __uint_as_float(i == 0 ? words.x : i == 1 ? words.y : i == 2 ? words.z : words.w);
  }
};
template <>
struct Vector<__nv_bfloat16> {
  static constexpr int count = 8;
  uint4 words;
  __device__ float operator[](int i) const {
    const std::uint32_t word = i < 2 ? words.x : i < 4 ? words.y : i < 6 ? words.z : words.w;
    return __uint_as_float(i % 2 == 0 ? word << 16 : word & 0xFFFF0000);
  }
};

template <class T>
__device__ inline Vector<T> read_vector(const T* from) {
  return {*reinterpret_cast<const uint4*>(from)};
}

// `count` numbers, 4 or 8, from an address aligned to all of them or to 16 bytes.
template <int count>
__device__ inline void read_floats(const float* from, float (&to)[count]) {
#pragma unroll
  for (int i = 0; i < count; i += 4) {
    const Vector<float> v = read_vector(from + i);
#pragma unroll
    for (int j = 0; j < 4; ++j) to[i + j] = v[j];
  }
}
template <int count>
__device__ inline void read_floats(const __nv_bfloat16* from, float (&to)[count]) {
  if constexpr (count == 8) {
    const Vector<__nv_bfloat16> v = read_vector(from);
#pragma unroll
    for (int j = 0; j < 8; ++j) to[j] = v[j];
  } else {
    const uint2 words = *reinterpret_cast<const uint2*>(from);
    const Vector<__nv_bfloat16> v{make_uint4(words.x, words.y, 0, 0)};
#pragma unroll
    for (int j = 0; j < 4; ++j) to[j] = v[j];
  }
}

template <int count>
__device__ inline void write_floats(float* to, const float (&x)[count]) {
#pragma unroll
  for (int i = 0; i < count; i += 4)
    *reinterpret_cast<float4*>(to + i) = make_float4(x[i], x[i + 1], x[i + 2], x[i + 3]);
}
template <int count>
__device__ inline void write_floats(__nv_bfloat16* to, const float (&x)[count]) {
  const auto two = [&](int i) { return bf16_code(x[i]) | bf16_code(x[i + 1]) << 16; };
  if constexpr (count == 8) {
    *reinterpret_cast<uint4*>(to) = make_uint4(two(0), two(2), two(4), two(6));
  } else {
    *reinterpret_cast<uint2*>(to) = make_uint2(two(0), two(2));
  }
}

}  // namespace assay::gpu
