#include "emulation/units/discriminating.hpp"

#include <algorithm>
#include <bit>

#include "reference/core/random.hpp"
#include "reference/exact/exact_dot.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/neighbours.hpp"

namespace assay {
namespace {

class Maker {
 public:
  Maker(InputClass kind, std::size_t n, const FormatSpec& a, const FormatSpec& b, const FormatSpec& c,
        std::uint64_t seed)
      : random_(seed, static_cast<std::uint64_t>(kind)),
        x_{.a = std::vector<std::uint64_t>(n),
           .b = std::vector<std::uint64_t>(n),
           .c = 0,
           .a_format = a,
           .b_format = b,
           .c_format = c} {}

  DotInput make(InputClass kind);

 private:
  static constexpr int full = 23;  // fraction bits, cut where a format has fewer

  int pick(int low, int high) {  // both included
    return low + static_cast<int>(random_.below(static_cast<std::uint64_t>(high - low + 1), at_++));
  }
  bool chance(int of) { return pick(1, of) == 1; }

  // +- 2^exponent * 1.(bits random places)
  std::uint64_t number(const FormatSpec& f, int exponent, int bits) {
    ExactValue<std::uint64_t> x;
    x.negative = chance(2);
    x.significand = std::uint64_t{1} << bits | (random_.u64(at_++) & ((std::uint64_t{1} << bits) - 1));
    x.exponent = exponent - bits;
    return encode(x, f, {.rounding = Rounding::toward_zero, .overflow = Overflow::saturate}).code;
  }

  static int lowest(const FormatSpec& f) { return f.emin - f.precision + 1; }

  // A product of about 2^e, the exponent shared out at random.
  void put(std::size_t i, int e, int bits) {
    const FormatSpec &a = x_.a_format, &b = x_.b_format;
    const int least = std::max(lowest(a), e - b.emax()), most = std::min(a.emax(), e - lowest(b));
    const int e_a = least <= most ? pick(least, most) : std::clamp(e / 2, lowest(a), a.emax());
    x_.a[i] = number(a, e_a, bits);
    x_.b[i] = number(b, std::clamp(e - e_a, lowest(b), b.emax()), bits);
  }

  // The same with both exponents within 3 of a half.
  void put_even(std::size_t i, int e, int bits) {
    const FormatSpec &a = x_.a_format, &b = x_.b_format;
    const int e_a = std::clamp(e / 2 + pick(-3, 3), a.emin, a.emax());
    x_.a[i] = number(a, e_a, bits);
    x_.b[i] = number(b, std::clamp(e - e_a, b.emin, b.emax()), bits);
  }

  int within(int e) const {
    return std::clamp(e, x_.a_format.emin + x_.b_format.emin, x_.a_format.emax() + x_.b_format.emax());
  }

  void set_c(int exponent, int bits) { x_.c = number(x_.c_format, exponent, bits); }

  // c undoes the sum so far but for a few last places.
  void undo() {
    ExactSum sum = exact_dot(x_.a_view(), x_.b_view());
    sum.negate();
    const FormatSpec& f = x_.c_format;
    const std::uint64_t undone = sum.rounded(f).code;
    const std::uint64_t magnitude = undone & f.magnitude_mask();
    const std::uint64_t moved = magnitude + 3 - static_cast<std::uint64_t>(pick(0, 6));
    x_.c = magnitude > 8 && moved <= f.max_finite_code() ? (undone ^ magnitude) | moved : undone;
  }

  // Products 2 i + 1 undo products 2 i, some but for a last place.
  void cancel_pairs() {
    for (std::size_t i = 0; i + 1 < x_.terms(); i += 2) {
      x_.a[i + 1] = negated(x_.a[i], x_.a_format);
      const std::uint64_t b = x_.b[i];
      x_.b[i + 1] = chance(2) ? next_up(b, x_.b_format).value_or(b) : b;
    }
  }

  std::uint64_t any_code(const FormatSpec& f, bool specials) {
    const std::uint64_t mask = f.sign_code() | f.magnitude_mask();
    std::uint64_t code = random_.u64(at_++) & mask;
    if (!specials) return f.is_finite(code) ? code : 1;
    switch (pick(0, 11)) {
      case 0: return f.has_infinity() ? f.infinity_code() | (code & f.sign_code()) : code;
      case 1: {  // of any sign and payload
        const std::uint64_t payload = code & (f.sign_code() | (f.min_normal_code() - 1));
        if (f.specials == Specials::ieee && f.is_nan(f.infinity_code() | payload))
          return f.infinity_code() | payload;
        return f.has_nan() ? f.nan_code() : code;
      }
      case 2: return f.specials == Specials::fnuz ? 0 : code & f.sign_code();
      default: return f.is_finite(code) ? code : 1;
    }
  }

  CounterRandom random_;
  std::uint64_t at_ = 0;
  DotInput x_;
};

DotInput Maker::make(InputClass kind) {
  const std::size_t n = x_.terms();
  const FormatSpec& fc = x_.c_format;
  const int last = fc.precision;  // places of a result
  switch (kind) {
    case InputClass::simple:
      // One draw a statement, here and below: the order in which a call's arguments are evaluated is the compiler's.
      for (std::size_t i = 0; i < n; ++i) {
        const int few = pick(0, 2);
        put_even(i, pick(-2, 4), few);
      }
      {
        const int few = pick(0, 2);
        set_c(pick(-2, 4), few);
      }
      break;
    case InputClass::normal:
      for (std::size_t i = 0; i < n; ++i) put_even(i, pick(-4, 2), full);
      set_c(pick(-4, 4), full);
      break;
    case InputClass::gap:
    case InputClass::cancel_c: {
      const int top = within(pick(-20, 20));
      const int bits = chance(3) ? 2 : full;
      for (std::size_t i = 0; i < n; ++i) put(i, top - (chance(4) ? 0 : pick(0, 40)), bits);
      set_c(top + pick(-40, 40), bits);
      if (kind == InputClass::cancel_c) undo();
      break;
    }
    case InputClass::cancel_pair: {
      const int top = within(pick(-20, 20));
      for (std::size_t i = 0; i < n; ++i) put(i, top - pick(0, 6), full);
      cancel_pairs();
      set_c(top - pick(0, 35), full);
      break;
    }
    case InputClass::underflow: {
      const int top = within(chance(2) ? fc.emin + 8 - pick(0, 8) : fc.emin - pick(0, 32));
      for (std::size_t i = 0; i < n; ++i) put(i, top - pick(0, 8), full);
      set_c(fc.emin + 8 - pick(0, 31), full);
      const int how = pick(0, 3);
      if (how < 2) cancel_pairs();
      if (how == 2) undo();
      break;
    }
    case InputClass::overflow:
      for (std::size_t i = 0; i < n; ++i) put(i, within(fc.emax() + 1 - pick(0, 6)), full);
      set_c(fc.emax() - pick(0, 6), full);
      break;
    case InputClass::zeros: {
      const bool all = chance(4);
      const std::uint64_t sign_a = x_.a_format.specials == Specials::fnuz ? 0 : x_.a_format.sign_code();
      const std::uint64_t common = chance(2) ? sign_a : 0;
      for (std::size_t i = 0; i < n; ++i) {
        put(i, within(chance(2) ? pick(-300, 0) : fc.emin + pick(-24, 16)), full);
        const std::uint64_t zero = all ? common : chance(2) ? sign_a : 0;
        if (all) x_.b[i] &= x_.b_format.magnitude_mask();
        if (all || !chance(4)) x_.a[i] = zero;
      }
      if (chance(3)) {
        x_.c = chance(2) && fc.specials != Specials::fnuz ? fc.sign_code() : 0;
      } else {
        set_c(chance(2) ? fc.emin - pick(-6, last) : pick(-40, 0), full);
      }
      break;
    }
    case InputClass::halfway: {
      const int top = within(pick(-4, 4));
      for (std::size_t i = 0; i < n; ++i)
        put(i, top - (i % 2 == 0 ? pick(0, 2) : pick(last - 4, last + 10)), 2);
      {
        const int bits = chance(2) ? 2 : full;
        set_c(top + pick(-last - 10, last + 2), bits);
      }
      break;
    }
    case InputClass::tail: {
      const int top = within(-last + pick(0, 4));
      for (std::size_t i = 0; i < n; ++i) {
        const bool first = i % 8 == 0;
        put(i, first ? top : within(top - pick(6, 9)), first ? 1 : 0);
        if (!first && !chance(4)) x_.a[i] = 0;
      }
      // Beside a power of two the sum's exponent is one less than c's or one more.
      {
        const int bits = chance(3) ? full : 0;
        set_c(top + last + pick(-1, 1), bits);
      }
      if (chance(3) && (*x_.c & fc.magnitude_mask()) != 0) --*x_.c;
      break;
    }
    case InputClass::any_code:
    case InputClass::specials: {
      const bool specials = kind == InputClass::specials;
      for (std::size_t i = 0; i < n; ++i) {
        x_.a[i] = any_code(x_.a_format, specials && chance(static_cast<int>(n)));
        x_.b[i] = any_code(x_.b_format, specials && chance(static_cast<int>(n)));
      }
      x_.c = any_code(fc, specials && chance(2));
      break;
    }
  }
  return x_;
}

}  // namespace

std::string_view input_class_name(InputClass kind) {
  constexpr std::array<std::string_view, all_input_classes.size()> names{
      "simple",   "normal", "gap",     "cancel_c", "cancel_pair", "underflow",
      "overflow", "zeros",  "halfway", "tail",     "any_code",    "specials"};
  return names[static_cast<std::size_t>(kind)];
}

DotInput discriminating_input(InputClass kind, std::size_t n, const FormatSpec& a, const FormatSpec& b,
                              const FormatSpec& c, std::uint64_t seed) {
  return Maker(kind, n, a, b, c, seed).make(kind);
}

}  // namespace assay
