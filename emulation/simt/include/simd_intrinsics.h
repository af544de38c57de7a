// CUDA's SIMD intrinsics: two numbers of 16 bits or four of 8 in an unsigned, and the DPX functions of three operands.
#pragma once

#include <cstdint>

namespace assay_simt {

// f of the elements of a and b, as signed (T std::int16_t, std::int8_t) or unsigned numbers, each cut to its bits.
template <class T, class F>
std::uint32_t by_lanes(std::uint32_t a, std::uint32_t b, const F& f) {
  constexpr int bits = 8 * static_cast<int>(sizeof(T));
  constexpr std::uint32_t mask = (1U << bits) - 1;
  std::uint32_t out = 0;
  for (int at = 0; at < 32; at += bits)
    out |= (static_cast<std::uint32_t>(f(int{static_cast<T>(a >> at)}, int{static_cast<T>(b >> at)})) & mask)
           << at;
  return out;
}
template <class T, class F>
std::uint32_t sum_of_lanes(std::uint32_t a, std::uint32_t b, const F& f) {
  constexpr int bits = 8 * static_cast<int>(sizeof(T));
  std::uint32_t sum = 0;
  for (int at = 0; at < 32; at += bits)
    sum += static_cast<std::uint32_t>(f(int{static_cast<T>(a >> at)}, int{static_cast<T>(b >> at)}));
  return sum;
}
// Within what T holds.
template <class T>
constexpr int clamped(int x) {
  constexpr bool is_signed = static_cast<T>(-1) < T{};
  constexpr int bits = 8 * static_cast<int>(sizeof(T));
  constexpr int most = is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1, least = is_signed ? -most - 1 : 0;
  return x > most ? most : x < least ? least : x;
}
constexpr int distance(int x, int y) { return x > y ? x - y : y - x; }

}  // namespace assay_simt

#define ASSAY_SIMD(name, T, expression)                                                   \
  inline unsigned name(unsigned a, unsigned b) {                                          \
    return assay_simt::by_lanes<T>(                                                       \
        a, b, []([[maybe_unused]] int x, [[maybe_unused]] int y) { return expression; }); \
  }
#define ASSAY_SIMD1(name, T, expression)                                         \
  inline unsigned name(unsigned a) {                                             \
    return assay_simt::by_lanes<T>(a, 0, [](int x, int) { return expression; }); \
  }
#define ASSAY_SIMD_SUM(name, T, expression)                                            \
  inline unsigned name(unsigned a, unsigned b) {                                       \
    return assay_simt::sum_of_lanes<T>(a, b, [](int x, int y) { return expression; }); \
  }
// As signed and as unsigned numbers.
#define ASSAY_SIMD_SU(before, after, S, U, expression) \
  ASSAY_SIMD(before##s##after, S, expression)          \
  ASSAY_SIMD(before##u##after, U, expression)
#define ASSAY_SIMD_COMPARISON(name, n, T, op)     \
  ASSAY_SIMD(__vcmp##name##n, T, x op y ? -1 : 0) \
  ASSAY_SIMD(__vset##name##n, T, x op y ? 1 : 0)
#define ASSAY_SIMD_ALL(n, S, U)                                       \
  ASSAY_SIMD1(__vabs##n, S, x < 0 ? -x : x)                           \
  ASSAY_SIMD1(__vabsss##n, S, assay_simt::clamped<S>(x < 0 ? -x : x)) \
  ASSAY_SIMD1(__vneg##n, S, -x)                                       \
  ASSAY_SIMD1(__vnegss##n, S, assay_simt::clamped<S>(-x))             \
  ASSAY_SIMD(__vadd##n, U, x + y)                                     \
  ASSAY_SIMD(__vaddss##n, S, assay_simt::clamped<S>(x + y))           \
  ASSAY_SIMD(__vaddus##n, U, assay_simt::clamped<U>(x + y))           \
  ASSAY_SIMD(__vsub##n, U, x - y)                                     \
  ASSAY_SIMD(__vsubss##n, S, assay_simt::clamped<S>(x - y))           \
  ASSAY_SIMD(__vsubus##n, U, assay_simt::clamped<U>(x - y))           \
  ASSAY_SIMD_SU(__vabsdiff, n, S, U, assay_simt::distance(x, y))      \
  ASSAY_SIMD(__vavgs##n, S, (x + y + (x + y >= 0 ? 1 : 0)) >> 1)      \
  ASSAY_SIMD(__vavgu##n, U, (x + y + 1) >> 1)                         \
  ASSAY_SIMD(__vhaddu##n, U, (x + y) >> 1)                            \
  ASSAY_SIMD_SU(__vmax, n, S, U, x > y ? x : y)                       \
  ASSAY_SIMD_SU(__vmin, n, S, U, x < y ? x : y)                       \
  ASSAY_SIMD_SUM(__vsads##n, S, assay_simt::distance(x, y))           \
  ASSAY_SIMD_SUM(__vsadu##n, U, assay_simt::distance(x, y))           \
  ASSAY_SIMD_COMPARISON(eq, n, U, ==)                                 \
  ASSAY_SIMD_COMPARISON(ne, n, U, !=)                                 \
  ASSAY_SIMD_COMPARISON(ges, n, S, >=)                                \
  ASSAY_SIMD_COMPARISON(geu, n, U, >=)                                \
  ASSAY_SIMD_COMPARISON(gts, n, S, >)                                 \
  ASSAY_SIMD_COMPARISON(gtu, n, U, >)                                 \
  ASSAY_SIMD_COMPARISON(les, n, S, <=)                                \
  ASSAY_SIMD_COMPARISON(leu, n, U, <=)                                \
  ASSAY_SIMD_COMPARISON(lts, n, S, <)                                 \
  ASSAY_SIMD_COMPARISON(ltu, n, U, <)
ASSAY_SIMD_ALL(2, std::int16_t, std::uint16_t)
ASSAY_SIMD_ALL(4, std::int8_t, std::uint8_t)
#undef ASSAY_SIMD_ALL
#undef ASSAY_SIMD_COMPARISON
#undef ASSAY_SIMD_SU
#undef ASSAY_SIMD_SUM
#undef ASSAY_SIMD1

// --- DPX -------------------------------------------------------------------------------------------------------------

namespace assay_simt {
constexpr int wrapping_add(int a, int b) {
  return static_cast<int>(static_cast<unsigned>(a) + static_cast<unsigned>(b));
}
constexpr unsigned wrapping_add(unsigned a, unsigned b) { return a + b; }
template <class T>
constexpr T greater(T a, T b) {
  return a > b ? a : b;
}
template <class T>
constexpr T lesser(T a, T b) {
  return a < b ? a : b;
}
constexpr int not_negative(int x) { return x < 0 ? 0 : x; }
}  // namespace assay_simt

// The greatest, the least, of three; of a sum and one; relu: at least 0. Sums wrap.
#define ASSAY_DPX(pick, word, suffix, T)                                                                    \
  constexpr T __vi##word##3_##suffix(T a, T b, T c) { return assay_simt::pick(assay_simt::pick(a, b), c); } \
  constexpr T __viadd##word##_##suffix(T a, T b, T c) {                                                     \
    return assay_simt::pick(assay_simt::wrapping_add(a, b), c);                                             \
  }                                                                                                         \
  /* Also whether the first was taken. */                                                                   \
  inline T __vib##word##_##suffix(T a, T b, bool* first) {                                                  \
    *first = assay_simt::pick(a, b) == a;                                                                   \
    return *first ? a : b;                                                                                  \
  }
#define ASSAY_DPX_RELU(pick, word)                                 \
  constexpr int __vi##word##_s32_relu(int a, int b) {              \
    return assay_simt::not_negative(assay_simt::pick(a, b));       \
  }                                                                \
  constexpr int __vi##word##3_s32_relu(int a, int b, int c) {      \
    return assay_simt::not_negative(__vi##word##3_s32(a, b, c));   \
  }                                                                \
  constexpr int __viadd##word##_s32_relu(int a, int b, int c) {    \
    return assay_simt::not_negative(__viadd##word##_s32(a, b, c)); \
  }
ASSAY_DPX(greater, max, s32, int)
ASSAY_DPX(lesser, min, s32, int)
ASSAY_DPX(greater, max, u32, unsigned)
ASSAY_DPX(lesser, min, u32, unsigned)
ASSAY_DPX_RELU(greater, max)
ASSAY_DPX_RELU(lesser, min)
#undef ASSAY_DPX_RELU
#undef ASSAY_DPX

// Of two numbers of 16 bits in one word.
#define ASSAY_DPX16(word, suffix, T, letter)                                              \
  inline unsigned __vi##word##3_##suffix(unsigned a, unsigned b, unsigned c) {            \
    return __v##word##letter##2(__v##word##letter##2(a, b), c);                           \
  }                                                                                       \
  inline unsigned __viadd##word##_##suffix(unsigned a, unsigned b, unsigned c) {          \
    return __v##word##letter##2(__vadd2(a, b), c);                                        \
  }                                                                                       \
  inline unsigned __vib##word##_##suffix(unsigned a, unsigned b, bool* high, bool* low) { \
    const unsigned out = __v##word##letter##2(a, b);                                      \
    *high = out >> 16 == a >> 16;                                                         \
    *low = (out & 0xFFFFU) == (a & 0xFFFFU);                                              \
    return out;                                                                           \
  }
#define ASSAY_DPX16_RELU(word)                                                     \
  inline unsigned __vi##word##_s16x2_relu(unsigned a, unsigned b) {                \
    return __vmaxs2(__v##word##s2(a, b), 0);                                       \
  }                                                                                \
  inline unsigned __vi##word##3_s16x2_relu(unsigned a, unsigned b, unsigned c) {   \
    return __vmaxs2(__vi##word##3_s16x2(a, b, c), 0);                              \
  }                                                                                \
  inline unsigned __viadd##word##_s16x2_relu(unsigned a, unsigned b, unsigned c) { \
    return __vmaxs2(__viadd##word##_s16x2(a, b, c), 0);                            \
  }
ASSAY_DPX16(max, s16x2, std::int16_t, s)
ASSAY_DPX16(min, s16x2, std::int16_t, s)
ASSAY_DPX16(max, u16x2, std::uint16_t, u)
ASSAY_DPX16(min, u16x2, std::uint16_t, u)
ASSAY_DPX16_RELU(max)
ASSAY_DPX16_RELU(min)
#undef ASSAY_DPX16_RELU
#undef ASSAY_DPX16
#undef ASSAY_SIMD
