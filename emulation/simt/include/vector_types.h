// CUDA's built-in vector types, with CUDA's alignments, and the functions that make them.
#pragma once

// With these CUDA's own headers declare what the compiler knows.
#define __device_builtin__
#define __device_builtin_texture_type__
#define __device_builtin_surface_type__
#define __cudart_builtin__
#define __builtin_align__(n) __attribute__((aligned(n)))

// Of one to four elements; those of two and of four are aligned to their size, to 16 bytes at most.
#define ASSAY_SIMT_VECTORS(name, type, two, four)                                \
  struct name##1 {                                                               \
    type x;                                                                      \
  };                                                                             \
  struct alignas(two) name##2 {                                                  \
    type x, y;                                                                   \
  };                                                                             \
  struct name##3 {                                                               \
    type x, y, z;                                                                \
  };                                                                             \
  struct alignas(four) name##4 {                                                 \
    type x, y, z, w;                                                             \
  };                                                                             \
  constexpr name##1 make_##name##1(type x) { return {x}; }                       \
  constexpr name##2 make_##name##2(type x, type y) { return {x, y}; }            \
  constexpr name##3 make_##name##3(type x, type y, type z) { return {x, y, z}; } \
  constexpr name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }
ASSAY_SIMT_VECTORS(char, signed char, 2, 4)
ASSAY_SIMT_VECTORS(uchar, unsigned char, 2, 4)
ASSAY_SIMT_VECTORS(short, short, 4, 8)
ASSAY_SIMT_VECTORS(ushort, unsigned short, 4, 8)
ASSAY_SIMT_VECTORS(int, int, 8, 16)
ASSAY_SIMT_VECTORS(uint, unsigned int, 8, 16)
ASSAY_SIMT_VECTORS(long, long, 16, 16)
ASSAY_SIMT_VECTORS(ulong, unsigned long, 16, 16)
ASSAY_SIMT_VECTORS(longlong, long long, 16, 16)
ASSAY_SIMT_VECTORS(ulonglong, unsigned long long, 16, 16)
ASSAY_SIMT_VECTORS(float, float, 8, 16)
ASSAY_SIMT_VECTORS(double, double, 16, 16)
#undef ASSAY_SIMT_VECTORS

// Four of 64 bits, whose names say their alignment.
#define ASSAY_SIMT_VECTORS_OF_64(name, type)       \
  ASSAY_SIMT_VECTOR_ALIGNED(name##4_16a, type, 16) \
  ASSAY_SIMT_VECTOR_ALIGNED(name##4_32a, type, 32)
#define ASSAY_SIMT_VECTOR_ALIGNED(name, type, n) \
  struct alignas(n) name {                       \
    type x, y, z, w;                             \
  };                                             \
  constexpr name make_##name(type x, type y, type z, type w) { return {x, y, z, w}; }
ASSAY_SIMT_VECTORS_OF_64(long, long)
ASSAY_SIMT_VECTORS_OF_64(ulong, unsigned long)
ASSAY_SIMT_VECTORS_OF_64(longlong, long long)
ASSAY_SIMT_VECTORS_OF_64(ulonglong, unsigned long long)
ASSAY_SIMT_VECTORS_OF_64(double, double)
#undef ASSAY_SIMT_VECTOR_ALIGNED
#undef ASSAY_SIMT_VECTORS_OF_64

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
  constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
  constexpr operator uint3() const { return {x, y, z}; }
};
