// Operands that tell dot-product units apart: gaps around the width of an aligner, cancellation against c, both ends of
// the range, zeros beside tiny addends, specials.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "reference/exact/exact_dot.hpp"
#include "reference/formats/encode.hpp"
#include "tests/reference/exact/operands.hpp"

namespace assay::test {

enum class StepKind : std::uint8_t {
  normal,       // standard normal
  gap,          // product exponents up to 40 below the largest
  cancel_c,     // the same, c undoes the sum but for a few last places
  cancel_pair,  // products undo each other in pairs
  underflow,    // products and c around 2^-126 and 2^-149, or the format's smallest
  overflow,     // products and c around 2^128, or the format's largest
  zeros,        // most products are zeros of either sign, c tiny or a zero
  halfway,      // few bits: sums that lie half way between two results
  tail,         // half a last place of c, and a little more or less than that
  any_code,     // every finite code
  specials      // every code, NaN and infinities rare
};
inline constexpr auto all_step_kinds =
    std::to_array<StepKind>({StepKind::normal, StepKind::gap, StepKind::cancel_c, StepKind::cancel_pair,
                             StepKind::underflow, StepKind::overflow, StepKind::zeros, StepKind::halfway,
                             StepKind::tail, StepKind::any_code, StepKind::specials});
inline std::string_view name(StepKind kind) {
  constexpr std::array<std::string_view, 11> names{"normal",    "gap",      "cancel_c", "cancel_pair",
                                                   "underflow", "overflow", "zeros",    "halfway",
                                                   "tail",      "any_code", "specials"};
  return names[static_cast<std::size_t>(kind)];
}

struct StepOperands {
  CodeArray a, b;
  std::uint64_t c = 0;  // a float32 code
};

inline StepOperands make_step_operands(StepKind kind, std::size_t n, const FormatSpec& fa,
                                       const FormatSpec& fb, std::uint64_t seed) {
  StepOperands x{CodeArray(n, fa), CodeArray(n, fb)};
  const CounterRandom random(seed, 100 + static_cast<std::uint64_t>(kind));
  std::uint64_t at = 0;
  const auto pick = [&](int low, int high) {  // both included
    return low + static_cast<int>(random.below(static_cast<std::uint64_t>(high - low + 1), at++));
  };
  const FormatSpec& f32 = formats::float32;
  const auto number = [&](const FormatSpec& f, int exponent, int bits) {
    const double sign = pick(0, 1) == 0 ? 1 : -1;
    const double fraction =
        1 + std::floor(random.uniform(at++) * std::ldexp(1.0, bits)) * std::ldexp(1.0, -bits);
    return encode(sign * std::ldexp(fraction, exponent), f,
                  {.rounding = Rounding::toward_zero, .overflow = Overflow::saturate})
        .code;
  };
  // A product of about 2^e, the exponent shared out at random.
  const auto put = [&](std::size_t i, int e, int bits) {
    const int low_a = fa.emin - fa.precision + 1, low_b = fb.emin - fb.precision + 1;
    const int least = std::max(low_a, e - fb.emax()), most = std::min(fa.emax(), e - low_b);
    const int e_a = least <= most ? pick(least, most) : std::clamp(e / 2, low_a, fa.emax());
    x.a.set(i, number(fa, e_a, bits));
    x.b.set(i, number(fb, std::clamp(e - e_a, low_b, fb.emax()), bits));
  };
  const auto narrow_middle = [&](int e) {  // for formats whose products do not reach e
    return std::clamp(e, fa.emin + fb.emin, fa.emax() + fb.emax());
  };
  const int full = 23;
  // c undoes the sum so far but for a few last places.
  const auto undo = [&] {
    ExactSum sum = exact_dot(x.a.view(), x.b.view());
    sum.negate();
    const std::uint64_t undone = sum.rounded(f32).code;
    const int away = pick(-3, 3);
    x.c = (undone & f32.magnitude_mask()) > 8 ? undone + static_cast<std::uint64_t>(away) : undone;
  };
  switch (kind) {
    case StepKind::normal:
    case StepKind::any_code:
    case StepKind::specials: {
      const Operands how = kind == StepKind::normal     ? Operands::normal
                           : kind == StepKind::any_code ? Operands::any_code
                                                        : Operands::with_specials;
      const OperandPair pair = make_operands(how, n, fa, fb, seed);
      x.a = pair.a;
      x.b = pair.b;
      x.c = make_operands(how, 1, f32, f32, seed + 1).a.code(0);
      // NaNs of any sign and payload, quiet or not; a format without NaN or infinity takes what its codes stand for.
      const auto any_nan = [&](std::uint64_t code, const FormatSpec& f) {
        code &= f.sign_code() | f.magnitude_mask();
        if (!f.is_nan(code)) return code;
        const std::uint64_t other = code ^ (random.u64(at++) & (f.sign_code() | (f.min_normal_code() - 1)));
        return f.is_nan(other) ? other : code;
      };
      for (CodeArray* v : {&x.a, &x.b}) {
        for (std::size_t i = 0; i < n; ++i) v->set(i, any_nan(v->code(i), v->format()));
      }
      x.c = any_nan(x.c, f32);
      return x;
    }
    case StepKind::gap:
    case StepKind::cancel_c: {
      const int top = narrow_middle(pick(-20, 20));
      for (std::size_t i = 0; i < n; ++i) put(i, top - (pick(0, 3) == 0 ? 0 : pick(0, 40)), full);
      x.c = number(f32, top + pick(-40, 40), full);
      if (kind == StepKind::cancel_c) undo();
      return x;
    }
    case StepKind::cancel_pair: {
      const int top = narrow_middle(pick(-20, 20));
      for (std::size_t i = 0; i < n; ++i) put(i, top - pick(0, 6), full);
      for (std::size_t i = 0; i + 1 < n; i += 2) {
        x.a.set(i + 1, negated(x.a.code(i), fa));
        x.b.set(i + 1, pick(0, 2) == 0 ? next_up(x.b.code(i), fb).value_or(x.b.code(i)) : x.b.code(i));
      }
      x.c = number(f32, top - pick(0, 35), full);
      return x;
    }
    case StepKind::underflow: {
      const int top = narrow_middle(pick(0, 1) == 0 ? -118 - pick(0, 8) : -126 - pick(0, 32));
      const bool cancels = pick(0, 1) == 0;
      for (std::size_t i = 0; i < n; ++i) put(i, top - pick(0, 8), full);
      for (std::size_t i = 0; cancels && i + 1 < n; i += 2) {
        x.a.set(i + 1, negated(x.a.code(i), fa));
        x.b.set(i + 1, pick(0, 2) == 0 ? x.b.code(i) : next_up(x.b.code(i), fb).value_or(x.b.code(i)));
      }
      x.c = number(f32, -118 - pick(0, 31), full);
      if (!cancels && pick(0, 1) == 0) undo();
      return x;
    }
    case StepKind::overflow:
      for (std::size_t i = 0; i < n; ++i) put(i, narrow_middle(128 - pick(0, 6)), full);
      x.c = number(f32, 127 - pick(0, 6), full);
      return x;
    case StepKind::zeros: {
      const bool all = pick(0, 3) == 0, minus = pick(0, 1) == 0;
      for (std::size_t i = 0; i < n; ++i) {
        put(i, narrow_middle(pick(0, 1) == 0 ? pick(-300, 0) : pick(-150, -110)), full);
        const std::uint64_t zero = (all ? minus : pick(0, 1) == 0) ? fa.sign_code() : 0;
        if (all) x.b.set(i, x.b.code(i) & fb.magnitude_mask());
        if (all || pick(0, 3) != 0) x.a.set(i, zero);
      }
      x.c = pick(0, 2) == 0   ? (pick(0, 1) == 0 ? 0 : f32.sign_code())
            : pick(0, 1) == 0 ? number(f32, pick(-149, -120), full)
                              : number(f32, pick(-40, 0), full);
      return x;
    }
    case StepKind::halfway: {
      const int top = narrow_middle(pick(-4, 4));
      for (std::size_t i = 0; i < n; ++i) put(i, top - (i % 2 == 0 ? pick(0, 2) : pick(20, 34)), 2);
      x.c = number(f32, top + pick(-34, 26), pick(0, 1) == 0 ? 2 : full);
      return x;
    }
    case StepKind::tail: {
      const int top = narrow_middle(pick(-24, -20));
      for (std::size_t i = 0; i < n; ++i) {
        const bool first = i % 8 == 0;
        put(i, first ? top : top - pick(6, 9), first ? 1 : 0);
        if (!first && pick(0, 4) != 0) x.a.set(i, 0);
      }
      // Beside a power of two the sum's exponent is one less than c's or one more.
      x.c = number(f32, top + pick(23, 25), pick(0, 2) == 0 ? full : 0);
      if (pick(0, 2) == 0) x.c -= 1;
      return x;
    }
  }
  return x;
}

}  // namespace assay::test
