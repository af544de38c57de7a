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

// A deterministic result is the same for every shift from 25 on: the significand lies below half of the last place.
inline constexpr std::uint32_t max_shift = 25;

// ConvertParams in every lane, and the constants of the arithmetic: as data whose value the compiler does not know they
// stay in registers, where GCC 12 would build each anew in every branch of every round.
template <class V>
struct Target {
  V lowest;           // biased float32 exponent of the smallest normal number
  V lowest_shift;     // the same plus the bits that a normal number loses
  V precision_shift;  // the bits that a normal number loses
  V sign_shift;       // from float32's sign to the code's
  V sign, max_finite, max_finite_bits32, overflow, overflow_sign, nan_keep, nan_set;
  V random_bits, random_shift;  // k and 32 - k
  bool saturate, one_zero;

  V one = opaque(V::all(1));
  V not_sign = opaque(V::all(0x7FFFFFFF));
  V hidden_bit = opaque(V::all(0x800000));
  V shift_limit = opaque(V::all(max_shift));
  V limit_half = opaque(V::all(0xFFFFFF));    // below half of the last place after max_shift, every bit set
  V limit_whole = opaque(V::all(0x1FFFFFF));  // below the last place
};

template <class V>
Target<V> target(const ConvertParams& p) {
  // 511 stands for every exponent that float32 does not reach.
  const std::uint32_t lowest = p.emin < 384 ? static_cast<std::uint32_t>(p.emin + 127) : 511;
  const std::uint32_t lost = 24 - static_cast<std::uint32_t>(p.precision);
  const auto k = static_cast<std::uint32_t>(p.random_bits);
  std::uint32_t sign_shift = 0;
  while (0x80000000 >> sign_shift != p.sign_code) ++sign_shift;
  return {.lowest = V::all(lowest),
          .lowest_shift = V::all(lowest + lost),
          .precision_shift = V::all(lost),
          .sign_shift = V::all(sign_shift),
          .sign = V::all(p.sign_code),
          .max_finite = V::all(p.max_finite_code),
          .max_finite_bits32 = V::all(p.max_finite_bits32),
          .overflow = V::all(p.overflow_code),
          .overflow_sign = V::all(p.overflow_code_signed ? p.sign_code : 0),
          .nan_keep = V::all(p.nan_keep),
          .nan_set = V::all(p.nan_set),
          .random_bits = V::all(k),
          .random_shift = V::all(32 - k),
          .saturate = p.saturate,
          .one_zero = p.one_zero};
}

// 2^(shift - 1) - 1 and 2^shift - 1, for shift in 1 to 25.
template <class V>
[[gnu::always_inline]] inline V below_half(V shift, const Target<V>& to) {
  return right(to.limit_half, to.shift_limit - shift);
}
template <class V>
[[gnu::always_inline]] inline V below_whole(V shift, const Target<V>& to) {
  return right(to.limit_whole, to.shift_limit - shift);
}

template <class V>
[[gnu::always_inline]] inline V shift_nearest_even(V x, V shift, const Target<V>& to) {
  return right(x + below_half(shift, to) + (right(x, shift) & to.one), shift);
}

// Does r + t * 2^k reach 2^k, for the cut part t of `rest` rounded to k bits? Gives `kept` with that carry. `random`
// holds r in its top k bits.
template <class V>
[[gnu::always_inline]] inline V stochastic_carry(V kept, V rest, V shift, V random, const Target<V>& to) {
  // Most often no more is cut than there are random bits, and t is exact.
  const auto exact = at_most(shift, to.random_bits);
  V t = left(rest, to.random_bits - shift);
  if (!every(exact)) {
    const V cut = min(shift - to.random_bits, to.shift_limit);
    t = select(exact, t, shift_nearest_even(rest, cut, to));
  }
  const V most = right(random ^ V::all(0xFFFFFFFF), to.random_shift);  // 2^k - 1 - r
  return select(at_most(t, most), kept, kept + to.one);
}

// The magnitude of the code, unbounded: a finite x above the range gives codes past max_finite. `normal` promises that
// x is no smaller than the target's normal numbers, so that its shift is a constant.
template <Rounding mode, bool normal, class V>
[[gnu::always_inline]] inline V narrow_magnitude(V x, V random, const Target<V>& to) {
  const V magnitude = x & to.not_sign;
  // `significand` is x in units of float32's last place at exponent e, the hidden bit at 2^23. Bound from below, e
  // serves float32's subnormals. Bound from above by the target's lowest, it leaves the difference of the exponents
  // above the hidden bit, which a constant shift puts into the code's exponent field; below the lowest, where that
  // field is zero, the shift grows instead.
  const V e = normal ? to.lowest : min(max(right<23>(magnitude), to.one), to.lowest);
  const V significand = magnitude - (left<23>(e) - to.hidden_bit);
  V shift = to.lowest_shift - e;
  if constexpr (mode == Rounding::stochastic) {
    const V kept = right(significand, shift);
    const V rest = and_not(significand, left(V::all(0xFFFFFFFF), shift));
    return stochastic_carry(kept, rest, shift, random, to);
  }
  shift = min(shift, to.shift_limit);
  if constexpr (mode == Rounding::nearest_even) return shift_nearest_even(significand, shift, to);
  if constexpr (mode == Rounding::nearest_away)
    return right(significand + below_half(shift, to) + to.one, shift);
  if constexpr (mode == Rounding::toward_zero) return right(significand, shift);

  const V cut = below_whole(shift, to);
  const V zero = V::all(0);
  if constexpr (mode == Rounding::toward_positive)
    return right(significand + select(negative(x), zero, cut), shift);
  if constexpr (mode == Rounding::toward_negative)
    return right(significand + select(negative(x), cut, zero), shift);
  if constexpr (mode == Rounding::to_odd) {
    return right(significand, shift) | select(lacks(significand, cut), zero, to.one);
  }
}

// The code of any x, NaN and infinity too, from its magnitude by narrow_magnitude() and that with its sign.
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
[[gnu::always_inline]] inline V with_sign(V magnitude, V x, const Target<V>& to) {
  const V code = magnitude | (right(x, to.sign_shift) & to.sign);
  return to.one_zero ? select(lacks(code, to.sign - V::all(1)), V::all(0), code) : code;
}

// Finite values that no rounding takes above the range.
template <Rounding mode, bool normal, class V>
[[gnu::always_inline]] inline Lanes<V> ordinary_codes(const Lanes<V>& x, const Lanes<V>& random,
                                                      const Target<V>& to) {
  Lanes<V> codes;
  for (int i = 0; i < Lanes<V>::vectors; ++i) {
    codes.v[i] = with_sign(narrow_magnitude<mode, normal>(x.v[i], random.v[i], to), x.v[i], to);
  }
  return codes;
}

// Any values; all by copy, so that the rest of the loop can keep its own in registers.
template <Rounding mode, class V>
[[gnu::noinline]] Lanes<V> special_codes(Lanes<V> x, Lanes<V> random, Target<V> to) {
  Lanes<V> codes;
  for (int i = 0; i < Lanes<V>::vectors; ++i) {
    const V magnitude = narrow_magnitude<mode, false>(x.v[i], random.v[i], to);
    codes.v[i] = special_code<mode>(x.v[i], with_sign(magnitude, x.v[i], to), magnitude, to);
  }
  return codes;
}

// Real data is seldom above the range, and seldom below the normal numbers of a format that suits it: a branch that
// most blocks do not take costs less than what it saves.
template <Rounding mode, class V>
[[gnu::always_inline]] inline Lanes<V> narrow_block(const unsigned char* src, const Lanes<V>& random,
                                                    const Target<V>& to) {
  Lanes<V> x;
  V smallest = to.not_sign, largest = V::all(0);
  for (int i = 0; i < Lanes<V>::vectors; ++i) {
    x.v[i] = V::load(src + 4 * V::width * i);
    smallest = min(smallest, x.v[i] & to.not_sign);
    largest = max(largest, x.v[i] & to.not_sign);
  }
  const auto ordinary = at_most(largest, to.max_finite_bits32);
  if (every(both(ordinary, at_most(left<23>(to.lowest), smallest))))
    return ordinary_codes<mode, true>(x, random, to);
  if (every(ordinary)) return ordinary_codes<mode, false>(x, random, to);
  return special_codes<mode>(x, random, to);
}

template <class V, Rounding mode, std::size_t code_bytes>
void narrow_blocks(const void* src, void* dst, std::size_t n, const ConvertParams& p) {
  const auto to = target<V>(p);
  const auto block = [=](const unsigned char* in, unsigned char* out, std::uint64_t index, bool non_temporal)
      __attribute__((always_inline)) {
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
