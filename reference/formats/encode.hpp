// Round an exact number into any format, and back.
//
// This is the definition. Bit tricks, vector code and hardware conversions are tested against it, so it is one plain
// path for all formats and modes, in integer arithmetic only: no floating-point operation, compiler flag or MXCSR
// setting can change its result.
//
// Numerics
//   exact      one rounding from the exact number; an intermediate float would round twice.
//   subnormal  kept unless the options say otherwise. Hardware that flushes does so in its conversion policy or unit.
//   NaN        becomes the format's one quiet NaN, sign and payload dropped.
//   range      codes of one sign are ordered as their values, so the carry of a rounding runs into the exponent by
//              itself and overflow is one comparison.
#pragma once

#include <algorithm>
#include <cstdint>

#include "reference/formats/exact_value.hpp"
#include "reference/formats/format_spec.hpp"
#include "reference/formats/rounding.hpp"

namespace assay {

// Random bits of one stochastic rounding: r uniform in [0, 2^bits). The cut part, as a fraction t of the quantum, is
// rounded nearest-even to `bits` bits; the magnitude goes up if and only if r + t * 2^bits >= 2^bits.
struct RandomBits {
  int bits = 32;  // 1 to 32
  std::uint32_t r = 0;
};

struct EncodeOptions {
  Rounding rounding = Rounding::nearest_even;
  Overflow overflow = Overflow::ieee;
  Subnormals subnormals = Subnormals::keep;
  RandomBits random{};  // Rounding::stochastic only
};

struct Encoded {
  std::uint64_t code = 0;
  bool inexact = false;   // the code's value is not x
  bool overflow = false;  // a finite |x| rounds above the largest finite value
  bool invalid = false;   // x is NaN and the format has none; the code is zero
};

namespace detail {

// Is the magnitude above the kept bits taken? `rest` of `dropped` bits (at least 1) was cut off, plus a tail if sticky.
template <class Word>
constexpr bool rounds_up(const EncodeOptions& options, bool negative, bool odd, Word rest, bool sticky,
                         int dropped) {
  const Word half = Word{1} << (dropped - 1);
  const bool inexact = rest != 0 || sticky;
  switch (options.rounding) {
    case Rounding::nearest_even: return rest > half || (rest == half && (sticky || odd));
    case Rounding::nearest_away: return rest >= half;
    case Rounding::toward_zero: return false;
    case Rounding::toward_positive: return inexact && !negative;
    case Rounding::toward_negative: return inexact && negative;
    case Rounding::to_odd: return inexact && !odd;
    case Rounding::stochastic: break;  // decided by stochastic_up
  }
  return false;
}

// The same for stochastic rounding, where `dropped` may exceed the width of `rest` by any amount.
template <class Word>
constexpr bool stochastic_up(const RandomBits& random, Word rest, bool sticky, int dropped) {
  const int cut = dropped - random.bits;
  Word t;
  if (cut <= 0) {
    t = rest << -cut;  // every cut bit counts: dropped <= 32, so this fits
  } else if (cut > bit_width(rest) + 1) {
    t = 0;  // below half of 2^-bits
  } else {
    const Word tail = rest & ((Word{1} << cut) - 1), half = Word{1} << (cut - 1);
    t = rest >> cut;
    if (tail > half || (tail == half && (sticky || (t & 1) != 0))) ++t;
  }
  return random.r + t >= Word{1} << random.bits;
}

constexpr bool overflow_stays_finite(Rounding mode, bool negative) {
  return mode == Rounding::toward_zero || mode == Rounding::to_odd ||
         mode == (negative ? Rounding::toward_positive : Rounding::toward_negative);
}

}  // namespace detail

template <class Word>
constexpr Encoded encode(const ExactValue<Word>& x, const FormatSpec& f, const EncodeOptions& options = {}) {
  const std::uint64_t sign = x.negative ? f.sign_code() : 0;
  if (x.kind == Kind::nan) {
    return f.has_nan() ? Encoded{.code = f.nan_code()} : Encoded{.invalid = true};
  }
  const std::uint64_t zero = f.specials == Specials::fnuz ? 0 : sign;
  if (x.is_zero()) return {.code = zero};
  if constexpr (sizeof(Word) > sizeof(std::uint64_t)) {
    // Most wide sums are narrow; 62 bits, since one more than the width may be cut below.
    if ((x.significand >> 62) == 0) {
      const ExactValue<std::uint64_t> narrow{x.kind, x.negative, static_cast<std::uint64_t>(x.significand),
                                             x.exponent, x.sticky};
      return encode(narrow, f, options);
    }
  }

  const std::uint64_t largest = f.max_finite_code();
  std::uint64_t magnitude = largest + 1;  // what an infinity compares as
  bool inexact = false;
  if (x.kind == Kind::finite) {
    const int width = bit_width(x.significand);
    const int e = x.exponent + width - 1;  // 2^e <= |x| < 2^(e+1)
    if (options.subnormals == Subnormals::flush_input && e < f.emin) return {.code = zero, .inexact = true};

    // Keep p bits, or fewer below emin.
    const int dropped = width - f.precision + std::max(f.emin - e, 0);
    std::uint64_t kept = 0;
    if (dropped <= 0) {
      kept = static_cast<std::uint64_t>(x.significand) << -dropped;
    } else {
      // Past width + 1 dropped bits every deterministic result is the same.
      const int shift = std::min(dropped, width + 1);
      const Word rest = x.significand & ((Word{1} << shift) - 1);
      kept = static_cast<std::uint64_t>(x.significand >> shift);
      inexact = rest != 0 || x.sticky;
      const bool up = options.rounding == Rounding::stochastic
                          ? detail::stochastic_up(options.random, rest, x.sticky, dropped)
                          : detail::rounds_up(options, x.negative, (kept & 1) != 0, rest, x.sticky, shift);
      if (up) ++kept;
    }
    // One formula for subnormals, normals and the carry between them: the hidden bit of `kept` adds the last one to the
    // exponent field. Far above the range the binade is cut so that it cannot wrap.
    const std::uint64_t top_binade = (largest >> (f.precision - 1)) + 2;
    const auto binade = std::min(static_cast<std::uint64_t>(std::max(e - f.emin, 0)), top_binade);
    const Wide wide = (Wide{binade} << (f.precision - 1)) + kept;
    magnitude = wide > largest ? largest + 1 : static_cast<std::uint64_t>(wide);
  }

  if (magnitude > largest) {
    const bool infinite_input = x.kind == Kind::infinite;
    const bool finite = options.overflow == Overflow::saturate || f.specials == Specials::finite ||
                        (!infinite_input && detail::overflow_stays_finite(options.rounding, x.negative));
    const std::uint64_t top = finite             ? sign | largest
                              : f.has_infinity() ? sign | f.infinity_code()
                                                 : f.nan_code();
    return {.code = top,
            .inexact = !(infinite_input && f.has_infinity() && !finite),
            .overflow = !infinite_input};
  }
  if (options.subnormals == Subnormals::flush_result && magnitude < f.min_normal_code()) {
    inexact = inexact || magnitude != 0;
    magnitude = 0;
  }
  return {.code = magnitude == 0 ? zero : sign | magnitude, .inexact = inexact};
}

constexpr Encoded encode(double x, const FormatSpec& f, const EncodeOptions& options = {}) {
  return encode(exact(x), f, options);
}
constexpr Encoded encode(double x, const FormatSpec& f, Rounding mode, Overflow overflow = Overflow::ieee) {
  return encode(exact(x), f, EncodeOptions{.rounding = mode, .overflow = overflow});
}
constexpr Encoded encode_bits32(std::uint32_t bits, const FormatSpec& f, const EncodeOptions& options = {}) {
  return encode(exact_from_bits32(bits), f, options);
}

// A code of one format in another, by one rounding.
constexpr Encoded convert(std::uint64_t code, const FormatSpec& from, const FormatSpec& to,
                          const EncodeOptions& options = {}) {
  return encode(exact_from_code(code, from), to, options);
}

// The value of a code, as the bits of a float64; exact for every sound format. NaN gives the quiet NaN 0x7FF8...
constexpr std::uint64_t decode_bits(std::uint64_t code, const FormatSpec& f) {
  return convert(code, f, formats::float64).code;
}
constexpr double decode(std::uint64_t code, const FormatSpec& f) {
  return std::bit_cast<double>(decode_bits(code, f));
}

// x rounded to a value of the format, as float32; exact where the format's values are floats, else rounded once more.
constexpr float quantize(float x, const FormatSpec& f, const EncodeOptions& options = {}) {
  const std::uint64_t code = encode(exact(x), f, options).code;
  return std::bit_cast<float>(static_cast<std::uint32_t>(convert(code, f, formats::float32).code));
}

}  // namespace assay
