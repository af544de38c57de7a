// One lane of 32 bits: the interface that narrow.hpp is written against, on the baseline ISA.
//
// In an unnamed namespace: a file that includes this has code of its own, compiled for its own ISA, and exports none.
#pragma once

#include <cstdint>
#include <cstring>

namespace assay {
namespace {

struct U32x1 {
  static constexpr int width = 1;
  using Mask = bool;
  std::uint32_t v;

  static U32x1 all(std::uint32_t x) { return {x}; }
  static U32x1 iota() { return {0}; }
  static U32x1 load(const unsigned char* p) {
    U32x1 x;
    std::memcpy(&x, p, sizeof x);
    return x;
  }
};

// The same value, unknown to the compiler.
inline U32x1 opaque(U32x1 a) {
  asm("" : "+r"(a.v));
  return a;
}
inline U32x1 operator+(U32x1 a, U32x1 b) { return {a.v + b.v}; }
inline U32x1 operator-(U32x1 a, U32x1 b) { return {a.v - b.v}; }
inline U32x1 operator*(U32x1 a, U32x1 b) { return {a.v * b.v}; }
inline U32x1 operator&(U32x1 a, U32x1 b) { return {a.v & b.v}; }
inline U32x1 operator|(U32x1 a, U32x1 b) { return {a.v | b.v}; }
inline U32x1 operator^(U32x1 a, U32x1 b) { return {a.v ^ b.v}; }
inline U32x1 and_not(U32x1 a, U32x1 b) { return {a.v & ~b.v}; }
inline U32x1 and_or(U32x1 a, U32x1 b, U32x1 c) { return {(a.v & b.v) | c.v}; }
inline U32x1 xor3(U32x1 a, U32x1 b, U32x1 c) { return {a.v ^ b.v ^ c.v}; }
inline U32x1 min(U32x1 a, U32x1 b) { return a.v < b.v ? a : b; }
inline U32x1 max(U32x1 a, U32x1 b) { return a.v < b.v ? b : a; }

template <int n>
U32x1 left(U32x1 a) {
  return {a.v << n};
}
template <int n>
U32x1 right(U32x1 a) {
  return {a.v >> n};
}
inline U32x1 left(U32x1 a, U32x1 n) { return {n.v < 32 ? a.v << n.v : 0}; }
inline U32x1 right(U32x1 a, U32x1 n) { return {n.v < 32 ? a.v >> n.v : 0}; }

inline bool at_most(U32x1 a, U32x1 b) { return a.v <= b.v; }
inline bool lacks(U32x1 a, U32x1 bits) { return (a.v & bits.v) == 0; }
inline bool negative(U32x1 a) { return a.v >> 31 != 0; }
inline bool is_nan(U32x1 a) { return (a.v & 0x7FFFFFFF) > 0x7F800000; }
// No branch: data decides it.
inline U32x1 select(bool m, U32x1 a, U32x1 b) { return {b.v ^ ((a.v ^ b.v) & (0U - std::uint32_t{m}))}; }
inline bool both(bool a, bool b) { return a && b; }
inline bool every(bool m) { return m; }

// 32 codes, one from each lane of 32 vectors in order.
inline void store_low16(unsigned char* dst, const U32x1 (&codes)[32], bool) {
  std::uint16_t out[32];
  for (int i = 0; i < 32; ++i) out[i] = static_cast<std::uint16_t>(codes[i].v);
  std::memcpy(dst, out, sizeof out);
}
inline void store_high16(unsigned char* dst, const U32x1 (&codes)[32], bool) {
  std::uint16_t out[32];
  for (int i = 0; i < 32; ++i) out[i] = static_cast<std::uint16_t>(codes[i].v >> 16);
  std::memcpy(dst, out, sizeof out);
}
inline void store_low8(unsigned char* dst, const U32x1 (&codes)[32], bool) {
  unsigned char out[32];
  for (int i = 0; i < 32; ++i) out[i] = static_cast<unsigned char>(codes[i].v);
  std::memcpy(dst, out, sizeof out);
}

}  // namespace
}  // namespace assay
