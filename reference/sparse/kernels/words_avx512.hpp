// 32 words of 16 bits in a register, for kernels of bfloat16.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace assay::sparse {
namespace {

struct Words512 {
  static constexpr std::uint32_t width = 32;
  __m512i v;

  static Words512 all(std::uint16_t x) { return {_mm512_set1_epi16(static_cast<short>(x))}; }
  static Words512 load(const std::uint16_t* p) { return {_mm512_load_si512(p)}; }
  // Words from n on are zeros, and are not read.
  static Words512 load_first(const std::uint16_t* p, std::uint32_t n) {
    return {_mm512_maskz_loadu_epi16(n >= width ? ~__mmask32{0} : (__mmask32{1} << n) - 1, p)};
  }
  void store(std::uint16_t* p) const { _mm512_store_si512(p, v); }
  friend Words512 operator&(Words512 a, Words512 b) { return {_mm512_and_si512(a.v, b.v)}; }
  friend Words512 operator-(Words512 a, Words512 b) { return {_mm512_sub_epi16(a.v, b.v)}; }
  static Words512 smaller(Words512 a, Words512 b) { return {_mm512_min_epu16(a.v, b.v)}; }
  static Words512 larger(Words512 a, Words512 b) { return {_mm512_max_epu16(a.v, b.v)}; }

  // The words of two registers in turn: those of the lower halves, and of the upper ones.
  class Interleave {
   public:
    Interleave() : low_(from(0)), high_(from(16)) {}
    Words512 low(Words512 a, Words512 b) const { return {_mm512_permutex2var_epi16(a.v, low_, b.v)}; }
    Words512 high(Words512 a, Words512 b) const { return {_mm512_permutex2var_epi16(a.v, high_, b.v)}; }

   private:
    // Word j of the first register is j, of the second one 32 + j.
    static __m512i from(int first) {
      alignas(64) std::uint16_t place[32];
      for (int i = 0; i < 32; ++i)
        place[i] = static_cast<std::uint16_t>(first + i / 2 + (i % 2 == 0 ? 0 : 32));
      return _mm512_load_si512(place);
    }
    __m512i low_, high_;
  };
};

}  // namespace
}  // namespace assay::sparse
