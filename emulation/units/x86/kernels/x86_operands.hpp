// The operands of live_x86.hpp by integers alone, in loops that compilers turn into vector code.
//
// In an unnamed namespace, as everything that more than one kernel file includes: a copy per ISA, none exported.
#pragma once

#include <cstddef>
#include <cstdint>

#include "emulation/units/x86/live_x86.hpp"

namespace assay {
namespace {

using Word = std::uint32_t;

constexpr std::size_t chunk = 64;  // lanes at a time
struct Words {
  alignas(64) Word w[8][chunk];
};

// Philox4x32-10 as in core/random.hpp, for `chunk` counters: words 0 to 3 of lane i are block (index, 2 kind), words 4
// to 7 block (index, 2 kind + 1).
inline void draw(Words& words, std::uint64_t seed, Word stream, std::uint64_t first) {
  for (Word half = 0; half < 2; ++half) {
    for (std::size_t i = 0; i < chunk; ++i) {
      const std::uint64_t index = first + i;
      Word x0 = static_cast<Word>(index), x1 = static_cast<Word>(index >> 32), x2 = 2 * stream + half, x3 = 0;
      Word k0 = static_cast<Word>(seed), k1 = static_cast<Word>(seed >> 32);
      for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t{0xD2511F53} * x0, p1 = std::uint64_t{0xCD9E8D57} * x2;
        const Word y0 = static_cast<Word>(p1 >> 32) ^ x1 ^ k0, y2 = static_cast<Word>(p0 >> 32) ^ x3 ^ k1;
        x1 = static_cast<Word>(p1);
        x3 = static_cast<Word>(p0);
        x0 = y0;
        x2 = y2;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
      }
      words.w[4 * half][i] = x0;
      words.w[4 * half + 1][i] = x1;
      words.w[4 * half + 2][i] = x2;
      words.w[4 * half + 3][i] = x3;
    }
  }
}

// `count` bits of a word from bit `at` on.
constexpr Word bits(Word w, int at, int count) { return w >> at & ((Word{1} << count) - 1); }
// x if `condition`, else y: by masks, for compilers make vectors of these and branches of `?:`.
constexpr Word pick(bool condition, Word x, Word y) {
  const Word mask = Word{0} - static_cast<Word>(condition);
  return (x & mask) | (y & ~mask);
}
constexpr Word clamp(int x, int low, int high) {
  return static_cast<Word>(x < low ? low : x > high ? high : x);
}
// A bfloat16 with a biased exponent that is cut to the normal range; a float32 alike.
constexpr Word narrow(Word sign, int exponent, Word fraction) {
  return sign << 15 | clamp(exponent, 1, 254) << 7 | (fraction & 0x7F);
}
constexpr Word wide(Word sign, int exponent, Word fraction) {
  return sign << 31 | clamp(exponent, 1, 254) << 23 | (fraction & 0x7FFFFF);
}
constexpr int exponent_of(Word code16) { return static_cast<int>(code16 >> 7 & 0xFF); }
// The float32 of a product of two normal bfloat16, which is exact if its exponent fits.
constexpr Word product(Word x, Word y) {
  const Word p = (0x80 | (x & 0x7F)) * (0x80 | (y & 0x7F));
  const Word top = p >> 15;  // [2^14, 2^16)
  const int e = exponent_of(x) + exponent_of(y) - 127 + static_cast<int>(top);
  return wide((x ^ y) >> 15 & 1, e, p << (9 - top));
}
constexpr Word pair(Word odd, Word even) { return odd << 16 | even; }
constexpr int below(Word w, int at, int count, Word n) { return static_cast<int>(bits(w, at, count) % n); }

struct Lane {
  Word c, a, b;
};

// Two factors of which the exponents add up to `e`; fractions from w, or none if `bare`. Takes bits 0 to 21 of w.
struct Factors {
  Word x, y;
};
constexpr Factors factors(int e, Word w, bool bare) {
  const int sum = e + 254, of_x = sum / 2 + static_cast<int>(bits(w, 0, 5)) - 16;
  const Word fx = pick(bare, 0, bits(w, 6, 7)), fy = pick(bare, 0, bits(w, 13, 7));
  return {narrow(bits(w, 20, 1), of_x, fx), narrow(bits(w, 21, 1), sum - of_x, fy)};
}
// What is left of the fractions: their first bits, or their last.
constexpr Word first_bits(Word w) { return w & ~Word{0x7EFC0}; }
constexpr Word last_bits(Word w) { return w & ~Word{0xFDF80}; }

template <X86Class kind>
constexpr Lane lane([[maybe_unused]] Word w0, [[maybe_unused]] Word w1, [[maybe_unused]] Word w2,
                    [[maybe_unused]] Word w3, [[maybe_unused]] Word w4, [[maybe_unused]] Word w5) {
  if constexpr (kind == X86Class::uniform_bits) {
    return {w0, w1, w2};
  } else if constexpr (kind == X86Class::cancel_addend) {
    // c undoes one of the two products, up to a few last places; the other is no larger.
    const Factors p = factors(below(w0, 22, 5, 32) - 16, w0, false);
    const Factors q = factors(below(w0, 22, 5, 32) - 16 - below(w1, 22, 6, 40), w1, bits(w1, 30, 1) != 0);
    const Word delta = pick(bits(w2, 0, 1) != 0, 0, bits(w2, 1, 2) - 2);
    const Word c = (product(p.x, p.y) ^ 0x80000000) + delta;
    const bool odd = bits(w2, 3, 1) != 0;
    return {c, pick(odd, pair(p.x, q.x), pair(q.x, p.x)), pick(odd, pair(p.y, q.y), pair(q.y, p.y))};
  } else if constexpr (kind == X86Class::cancel_products) {
    // The products differ by the last place of a factor, or not at all; c lies somewhere below.
    const int e = below(w0, 22, 5, 32) - 16;
    const Factors p = factors(e, w0, false);
    const Word x = p.y ^ 0x8000, y = p.x ^ bits(w1, 0, 1);
    return {wide(bits(w1, 1, 1), e + 127 - below(w1, 2, 6, 56), w2), pair(p.x, x), pair(p.y, y)};
  } else if constexpr (kind == X86Class::underflow) {
    const Factors p = factors(-152 + below(w0, 22, 6, 32), w0, bits(w0, 30, 1) != 0);
    const Factors q = factors(-152 + below(w1, 22, 6, 32), w1, bits(w1, 30, 1) != 0);
    const Word c = bits(w2, 31, 1) << 31 | bits(w2, 0, 3) << 23 | bits(w3, 0, 23);
    return {pick(bits(w3, 24, 2) == 0, c & 0x80000000, c), pair(p.x, q.x), pair(p.y, q.y)};
  } else if constexpr (kind == X86Class::overflow) {
    const Factors p = factors(124 + below(w0, 22, 3, 6), w0, false);
    const Factors q = factors(124 + below(w1, 22, 3, 6), w1, false);
    return {wide(bits(w2, 31, 1), 250 + below(w2, 0, 3, 5), w3), pair(p.x, q.x), pair(p.y, q.y)};
  } else if constexpr (kind == X86Class::specials) {
    const auto special = [](Word w, Word uniform, int fraction_bits) {
      const Word top = Word{0xFF} << fraction_bits, quiet = Word{1} << (fraction_bits - 1);
      const Word rest = uniform & (quiet - 1), sign = bits(w, 4, 1) << (fraction_bits + 8);
      const Word all = (Word{1} << (fraction_bits + 8)) - 1;
      const Word which = bits(w, 0, 4);
      Word code = uniform & all;
      code = pick(which == 0, 0, code);
      code = pick(which == 1, top, code);
      code = pick(which == 2, top | quiet | rest, code);
      code = pick(which == 3, top | rest | 1, code);  // signalling
      code = pick(which == 4, rest | 1, code);        // subnormal
      code = pick(which == 5, Word{1} << fraction_bits, code);
      code = pick(which == 6, top - 1, code);
      code = pick(which == 7, Word{127} << fraction_bits, code);
      return sign | code;
    };
    return {special(w0, w1, 23), pair(special(w2, w3, 7), special(w2 >> 8, w3 >> 16, 7)),
            pair(special(w4, w5, 7), special(w4 >> 8, w5 >> 16, 7))};
  } else if constexpr (kind == X86Class::wide_gaps) {
    // Few bits, far apart.
    const Factors p = factors(below(w0, 22, 7, 120) - 60, first_bits(w0), bits(w0, 30, 1) != 0);
    const Factors q = factors(below(w1, 22, 7, 120) - 60, first_bits(w1), bits(w1, 30, 1) != 0);
    const Word sparse = w3 & w4 & w5;
    return {wide(bits(w2, 31, 1), 127 + below(w2, 0, 7, 120) - 60, sparse), pair(p.x, q.x), pair(p.y, q.y)};
  } else if constexpr (kind == X86Class::tiny_boundary) {
    // 2^-126, or a few last places from it, plus and minus fractions of 2^-150.
    const Factors p = factors(-156 + below(w0, 22, 4, 11), w0, bits(w0, 30, 1) != 0);
    const Factors q = factors(-156 + below(w1, 22, 4, 11), w1, bits(w1, 30, 1) != 0);
    const Factors anchor = factors(-126, w2, bits(w2, 30, 1) != 0);
    const Word c = (bits(w3, 0, 1) << 31) | (0x00800000 + pick(bits(w3, 1, 1) != 0, 0, bits(w3, 2, 3) - 2));
    const Word zero = bits(w3, 8, 1) << 15;
    const Word how = bits(w3, 10, 2);
    const Word px = pick(how == 1, zero, pick(how == 2, anchor.x, p.x)), py = pick(how == 2, anchor.y, p.y);
    return {pick(how == 2, c & 0x80000000, c), pair(px, pick(how == 0, zero, q.x)), pair(py, q.y)};
  } else {
    // One product, or both, is half of c's last place, exactly or nearly; the other lies far below.
    static_assert(kind == X86Class::half_way);
    const int e = below(w2, 0, 6, 50) - 25;
    const Word c = wide(bits(w2, 31, 1), e + 127, w3);
    const bool near = bits(w2, 8, 2) == 0, both = bits(w2, 10, 2) == 0;
    const Factors p = factors(e - 24, last_bits(w0), !near);
    const Word gap = pick(both, 0, 1 + bits(w1, 22, 6) % 60);
    const Factors q = factors(e - 24 - static_cast<int>(gap), w1, bits(w1, 30, 1) != 0);
    const Word qx = pick(bits(w4, 0, 2) == 0, q.x & 0x8000, q.x);
    const bool odd = bits(w4, 3, 1) != 0;
    return {c, pick(odd, pair(p.x, qx), pair(qx, p.x)), pick(odd, pair(p.y, q.y), pair(q.y, p.y))};
  }
}

template <X86Class kind>
void fill(std::uint64_t seed, std::uint64_t first, std::size_t n, Word* c, Word* a, Word* b) {
  Words words;
  alignas(64) Word out[3][chunk];
  for (std::size_t at = 0; at < n; at += chunk) {
    draw(words, seed, static_cast<Word>(kind), first + at);
    for (std::size_t i = 0; i < chunk; ++i) {
      const Lane l = lane<kind>(words.w[0][i], words.w[1][i], words.w[2][i], words.w[3][i], words.w[4][i],
                                words.w[5][i]);
      out[0][i] = l.c;
      out[1][i] = l.a;
      out[2][i] = l.b;
    }
    const std::size_t count = n - at < chunk ? n - at : chunk;
    for (std::size_t i = 0; i < count; ++i) c[at + i] = out[0][i];
    for (std::size_t i = 0; i < count; ++i) a[at + i] = out[1][i];
    for (std::size_t i = 0; i < count; ++i) b[at + i] = out[2][i];
  }
}

inline void fill_class(X86Class kind, std::uint64_t seed, std::uint64_t first, std::size_t n, Word* c,
                       Word* a, Word* b) {
  switch (kind) {
    case X86Class::uniform_bits: return fill<X86Class::uniform_bits>(seed, first, n, c, a, b);
    case X86Class::cancel_addend: return fill<X86Class::cancel_addend>(seed, first, n, c, a, b);
    case X86Class::cancel_products: return fill<X86Class::cancel_products>(seed, first, n, c, a, b);
    case X86Class::underflow: return fill<X86Class::underflow>(seed, first, n, c, a, b);
    case X86Class::overflow: return fill<X86Class::overflow>(seed, first, n, c, a, b);
    case X86Class::specials: return fill<X86Class::specials>(seed, first, n, c, a, b);
    case X86Class::wide_gaps: return fill<X86Class::wide_gaps>(seed, first, n, c, a, b);
    case X86Class::tiny_boundary: return fill<X86Class::tiny_boundary>(seed, first, n, c, a, b);
    case X86Class::half_way: return fill<X86Class::half_way>(seed, first, n, c, a, b);
  }
}

}  // namespace
}  // namespace assay
