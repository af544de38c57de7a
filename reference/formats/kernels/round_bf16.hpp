// float32 to bfloat16, the upper half of a float32: rounding is one addition, and the carry runs into the exponent by
// itself. `V` is a vector of lanes_<isa>.hpp, which is included first.
//
// Numerics
//   hence  the codes of convert_bits32() and encode_stochastic(), bit for bit. Integers only: MXCSR has no part in it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "reference/formats/kernels/narrow.hpp"
#include "reference/formats/kernels/random_lanes.hpp"

namespace assay {
namespace {

// The code is left in the upper half; what is below it means nothing. Stochastic rounding takes 16 bits, in the top
// of `random`.
template <Rounding mode, bool flush, bool saturate, class V>
[[gnu::always_inline]] inline V round_bf16(V x, V random, V nan_keep, V nan_set) {
  const auto nan = is_nan(x);
  const V sign_bit = V::all(0x80000000);
  if constexpr (flush) x = select(lacks(x, V::all(0x7F800000)), x & sign_bit, x);
  // A NaN becomes its code with zeros below it, which no rounding moves.
  x = select(nan, and_or(x, nan_keep, nan_set), x);

  V rounded = x;
  if constexpr (mode == Rounding::nearest_even) {
    rounded = x + V::all(0x7FFF) + (right<16>(x) & V::all(1));
  } else if constexpr (mode == Rounding::nearest_away) {
    rounded = x + V::all(0x8000);
  } else if constexpr (mode == Rounding::toward_positive) {
    rounded = select(negative(x), x, x + V::all(0xFFFF));
  } else if constexpr (mode == Rounding::toward_negative) {
    rounded = select(negative(x), x + V::all(0xFFFF), x);
  } else if constexpr (mode == Rounding::to_odd) {
    rounded = x | ((x & V::all(0xFFFF)) + V::all(0xFFFF));  // bit 16 is set if and only if a bit below is
  } else if constexpr (mode == Rounding::stochastic) {
    rounded = x + right<16>(random);
  }
  if constexpr (saturate) {
    const V clamped = and_or(x, sign_bit, min(and_not(rounded, sign_bit), V::all(0x7F7FFFFF)));
    rounded = select(nan, rounded, clamped);
  }
  return rounded;
}

template <class V, Rounding mode, bool flush, bool saturate>
void bf16_blocks(const void* src, void* dst, std::size_t n, const ConvertParams& p) {
  const V keep = V::all(p.nan_keep << 16), set = V::all(p.nan_set << 16);
  const auto block = [=](const unsigned char* in, unsigned char* out, std::uint64_t index, bool non_temporal)
      __attribute__((always_inline)) {
    Lanes<V> random{}, codes;
    if constexpr (mode == Rounding::stochastic) random = random_lanes<V>(index, p);
    for (int i = 0; i < Lanes<V>::vectors; ++i) {
      codes.v[i] = round_bf16<mode, flush, saturate>(V::load(in + 4 * V::width * i), random.v[i], keep, set);
    }
    store_high16(out, codes.v, non_temporal);
  };
  in_blocks<4, 2>(src, dst, n, p, block);
}

template <class V, Rounding mode>
void bf16_mode(const void* src, void* dst, std::size_t n, const ConvertParams& p) {
  if (p.flush_subnormal_inputs) {
    (p.saturate ? bf16_blocks<V, mode, true, true> : bf16_blocks<V, mode, true, false>)(src, dst, n, p);
  } else {
    (p.saturate ? bf16_blocks<V, mode, false, true> : bf16_blocks<V, mode, false, false>)(src, dst, n, p);
  }
}

template <class V>
void to_bf16(const void* src, void* dst, std::size_t n, const ConvertParams& p) {
  switch (p.rounding) {
    case Rounding::nearest_even: return bf16_mode<V, Rounding::nearest_even>(src, dst, n, p);
    case Rounding::nearest_away: return bf16_mode<V, Rounding::nearest_away>(src, dst, n, p);
    case Rounding::toward_zero: return bf16_mode<V, Rounding::toward_zero>(src, dst, n, p);
    case Rounding::toward_positive: return bf16_mode<V, Rounding::toward_positive>(src, dst, n, p);
    case Rounding::toward_negative: return bf16_mode<V, Rounding::toward_negative>(src, dst, n, p);
    case Rounding::to_odd: return bf16_mode<V, Rounding::to_odd>(src, dst, n, p);
    case Rounding::stochastic: break;
  }
  if (p.random_bits == 16) return bf16_mode<V, Rounding::stochastic>(src, dst, n, p);
  // More bits than are cut, or fewer: the form that aligns them.
  narrow_blocks<V, Rounding::stochastic, 2>(src, dst, n, p);
}

}  // namespace
}  // namespace assay
