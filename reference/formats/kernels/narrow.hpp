// float32 to any format of at most 16 bits whose normal numbers are float32's too: significand, shift and rounding of
// encode(), lane by lane. `V` is a vector of lanes_<isa>.hpp, which is included first.
//
// Numerics
//   hence  the codes of convert_bits32() and encode_stochastic(), bit for bit. Integers only: MXCSR has no part in it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "reference/formats/kernels/blocks.hpp"
#include "reference/formats/kernels/random_lanes.hpp"

namespace assay {
namespace {

// ConvertParams in every lane.
template <class V>
struct Target {
  explicit Target(const ConvertParams& p) {
    // The biased float32 exponent of the smallest normal number; 511 stands for all that float32 does not reach.
    const std::uint32_t biased = p.emin < 384 ? static_cast<std::uint32_t>(p.emin + 127) : 511;
    const std::uint32_t dropped = 24 - static_cast<std::uint32_t>(p.precision);
    const auto k = static_cast<std::uint32_t>(p.random_bits);
    std::uint32_t above = 0;  // bits of float32 above the sign of the code
    while ((p.sign_code << above & 0x80000000) == 0) ++above;
    lowest = V::all(biased);
    lowest_shift = V::all(biased + dropped);
    precision_shift = V::all(dropped);
    sign_shift = V::all(above);
    sign = V::all(p.sign_code);
    max_finite = V::all(p.max_finite_code);
    max_finite_bits32 = V::all(p.max_finite_bits32);
    overflow = V::all(p.overflow_code);
    overflow_sign = V::all(p.overflow_code_signed ? p.sign_code : 0);
    nan_keep = V::all(p.nan_keep);
    nan_set = V::all(p.nan_set);
    random_bits = V::all(k);
    random_shift = V::all(32 - k);
    flush = p.flush_subnormal_inputs;
    saturate = p.saturate;
    one_zero = p.one_zero;
  }
  V lowest, lowest_shift, precision_shift, sign_shift, sign, max_finite, max_finite_bits32, overflow,
      overflow_sign;
  V nan_keep, nan_set, random_bits, random_shift;
  bool flush, saturate, one_zero;
};

// A deterministic result is the same for every shift past 25, where the significand lies below half of the last place.
inline constexpr std::uint32_t max_shift = 25;

// 2^(shift - 1) - 1 for shift in 1 to 25.
template <class V>
[[gnu::always_inline]] inline V below_half(V shift) {
  return right(V::all(0xFFFFFF), V::all(max_shift) - shift);
}

template <class V>
[[gnu::always_inline]] inline V shift_nearest_even(V x, V shift) {
  return right(x + below_half(shift) + (right(x, shift) & V::all(1)), shift);
}

// Does r + t * 2^k reach 2^k, for the cut part t of `rest` rounded to k bits? Gives `kept` with that carry. `random` holds
// r in its top k bits.
template <class V>
[[gnu::always_inline]] inline V stochastic_carry(V kept, V rest, V shift, V random, const Target<V>& to) {
  // Most often no more is cut than there are random bits, and t is exact.
  const auto exact = at_most(shift, to.random_bits);
  V t = left(rest, to.random_bits - shift);
  if (!every(exact)) {
    const V cut = min(shift - to.random_bits, V::all(max_shift));
    t = select(exact, t, shift_nearest_even(rest, cut));
  }
  const V most = right(random ^ V::all(0xFFFFFFFF), to.random_shift);  // 2^k - 1 - r
  return select(at_most(t, most), kept, kept + V::all(1));
}

// The magnitude of the code, unbounded: a finite x above the range gives codes past max_finite.
template <Rounding mode, class V>
[[gnu::always_inline]] inline V narrow_magnitude(V x, V random, const Target<V>& to) {
  const V magnitude = x & V::all(0x7FFFFFFF);
  // From the smallest normal number of the target on, the significand goes down by a constant number of places and the
  // difference of the exponents stays above it. Below, the exponent runs out and the significand goes further down. With
  // `e` bound on both sides one formula serves both, and float32's subnormals.
  const V e = min(max(right<23>(magnitude), V::all(1)), to.lowest);
  const V significand = magnitude - left<23>(e) + V::all(0x800000);
  V shift = to.lowest_shift - e;
  if constexpr (mode == Rounding::stochastic) {
    const V kept = right(significand, shift);
    const V rest = and_not(significand, left(V::all(0xFFFFFFFF), shift));
    return stochastic_carry(kept, rest, shift, random, to);
  }
  shift = min(shift, V::all(max_shift));
  if constexpr (mode == Rounding::nearest_even) return shift_nearest_even(significand, shift);
  if constexpr (mode == Rounding::nearest_away)
    return right(significand + below_half(shift) + V::all(1), shift);
  if constexpr (mode == Rounding::toward_zero) return right(significand, shift);

  const V ones = right(V::all(0x1FFFFFF), V::all(max_shift) - shift);  // what is cut
  const V zero = V::all(0);
  if constexpr (mode == Rounding::toward_positive)
    return right(significand + select(negative(x), zero, ones), shift);
  if constexpr (mode == Rounding::toward_negative)
    return right(significand + select(negative(x), ones, zero), shift);
  if constexpr (mode == Rounding::to_odd) {
    return right(significand, shift) | select(lacks(significand, ones), zero, V::all(1));
  }
}

// The code of any x, given the magnitude from above.
template <Rounding mode, class V>
[[gnu::always_inline]] inline V special_code(V x, V code, V magnitude, const Target<V>& to) {
  const V x_magnitude = x & V::all(0x7FFFFFFF), infinity = V::all(0x7F800000);
  const V sign = right(x, to.sign_shift) & to.sign;
  const V top = sign | to.max_finite;
  V infinite = and_or(sign, to.overflow_sign, to.overflow), above = infinite;
  if (to.saturate) {
    infinite = above = top;
  } else if constexpr (mode == Rounding::toward_zero || mode == Rounding::to_odd) {
    above = top;
  } else if constexpr (mode == Rounding::toward_positive) {
    above = select(negative(x), top, above);
  } else if constexpr (mode == Rounding::toward_negative) {
    above = select(negative(x), above, top);
  }
  const V nan = and_or(sign | (right(x_magnitude, to.precision_shift) & (to.sign - V::all(1))), to.nan_keep,
                       to.nan_set);
  code = select(at_most(magnitude, to.max_finite), code, above);
  code = select(at_most(infinity, x_magnitude), infinite, code);
  return select(is_nan(x), nan, code);
}

template <class V>
[[gnu::always_inline]] inline V load_input(const unsigned char* src, int i, const Target<V>& to) {
  const V x = V::load(src + 4 * V::width * i);
  return to.flush ? select(lacks(x, V::all(0x7F800000)), x & V::all(0x80000000), x) : x;
}

template <class V>
[[gnu::always_inline]] inline V with_sign(V magnitude, V x, const Target<V>& to) {
  const V code = magnitude | (right(x, to.sign_shift) & to.sign);
  return to.one_zero ? select(lacks(code, to.sign - V::all(1)), V::all(0), code) : code;
}

// A block that holds NaN, infinity or a number above the range.
template <Rounding mode, class V>
[[gnu::noinline]] Lanes<V> special_block(const unsigned char* src, Lanes<V> random, const Target<V>& to) {
  Lanes<V> codes;
  for (int i = 0; i < Lanes<V>::vectors; ++i) {
    const V x = load_input(src, i, to);
    const V magnitude = narrow_magnitude<mode>(x, random.v[i], to);
    codes.v[i] = special_code<mode>(x, with_sign(magnitude, x, to), magnitude, to);
  }
  return codes;
}

template <Rounding mode, class V>
[[gnu::always_inline]] inline Lanes<V> narrow_block(const unsigned char* src, const Lanes<V>& random,
                                                    const Target<V>& to) {
  Lanes<V> codes;
  auto ordinary = at_most(V::all(0), V::all(0));
  for (int i = 0; i < Lanes<V>::vectors; ++i) {
    const V x = load_input(src, i, to);
    ordinary = both(ordinary, at_most(x & V::all(0x7FFFFFFF), to.max_finite_bits32));
    codes.v[i] = with_sign(narrow_magnitude<mode>(x, random.v[i], to), x, to);
  }
  // Rare in real data: a branch that is not taken costs less than the selections.
  if (!every(ordinary)) [[unlikely]]
    return special_block<mode>(src, random, to);
  return codes;
}

template <class V, Rounding mode, std::size_t code_bytes>
void narrow_blocks(const void* src, void* dst, std::size_t n, const ConvertParams& p) {
  const Target<V> to(p);
  const auto block = [&](const unsigned char* in, unsigned char* out, std::uint64_t index,
                         bool non_temporal) {
    Lanes<V> random{};
    if constexpr (mode == Rounding::stochastic) random = random_lanes<V>(index, p);
    const Lanes<V> codes = narrow_block<mode>(in, random, to);
    if constexpr (code_bytes == 2) {
      store_low16(out, codes.v, non_temporal);
    } else {
      store_low8(out, codes.v, non_temporal);
    }
  };
  in_blocks<4, code_bytes>(src, dst, n, p, block);
}

template <class V, std::size_t code_bytes>
void narrow(const void* src, void* dst, std::size_t n, const ConvertParams& p) {
  switch (p.rounding) {
    case Rounding::nearest_even: return narrow_blocks<V, Rounding::nearest_even, code_bytes>(src, dst, n, p);
    case Rounding::nearest_away: return narrow_blocks<V, Rounding::nearest_away, code_bytes>(src, dst, n, p);
    case Rounding::toward_zero: return narrow_blocks<V, Rounding::toward_zero, code_bytes>(src, dst, n, p);
    case Rounding::toward_positive:
      return narrow_blocks<V, Rounding::toward_positive, code_bytes>(src, dst, n, p);
    case Rounding::toward_negative:
      return narrow_blocks<V, Rounding::toward_negative, code_bytes>(src, dst, n, p);
    case Rounding::to_odd: return narrow_blocks<V, Rounding::to_odd, code_bytes>(src, dst, n, p);
    case Rounding::stochastic: return narrow_blocks<V, Rounding::stochastic, code_bytes>(src, dst, n, p);
  }
}

}  // namespace
}  // namespace assay
