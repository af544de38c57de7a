// PTX that computes with registers: integers, floating point, comparisons, moves, conversions, control.
#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "emulation/simt/block.hpp"
#include "emulation/simt/ptx_machine.hpp"
#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"

namespace assay::simt {
namespace {

using I = PtxInstruction;
using C = PtxContext;
__extension__ using SignedWide = __int128;

// --- integers --------------------------------------------------------------------------------------------------------

std::uint64_t mask_of(int bits) { return bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1; }
std::uint64_t low(std::uint64_t value, int bits) { return value & mask_of(bits); }
std::int64_t extended(std::uint64_t value, int bits) {
  return static_cast<std::int64_t>(value << (64 - bits)) >> (64 - bits);
}
bool is_signed(PtxType t) { return ptx_kind(t) == PtxKind::is_signed; }
// As a number of the type.
SignedWide number(PtxType t, std::uint64_t value) {
  const int bits = ptx_bits(t);
  return is_signed(t) ? SignedWide{extended(value, bits)} : static_cast<SignedWide>(low(value, bits));
}
SignedWide in(const I& i, const C& c, std::size_t k) { return number(i.t, c.get(i.arguments[k])); }
void out(const I& i, C& c, SignedWide value) {
  c.set(i.arguments[0], low(static_cast<std::uint64_t>(value), ptx_bits(i.t)));
}
SignedWide lowest(PtxType t) { return is_signed(t) ? -(SignedWide{1} << (ptx_bits(t) - 1)) : 0; }
SignedWide highest(PtxType t) { return (SignedWide{1} << (ptx_bits(t) - (is_signed(t) ? 1 : 0))) - 1; }
SignedWide clamped(PtxType t, SignedWide value) { return std::clamp(value, lowest(t), highest(t)); }

bool is_pair(PtxType t) { return ptx_kind(t) == PtxKind::packed; }

// Both halves of a register apart.
template <class Binary>
void by_halves(const I& i, C& c, PtxType half, const Binary& binary) {
  const std::uint64_t a = c.get(i.arguments[1]), b = c.get(i.arguments[2]);
  std::uint64_t result = 0;
  for (const int at : {0, 16})
    result |= low(static_cast<std::uint64_t>(binary(number(half, a >> at), number(half, b >> at))), 16) << at;
  c.set(i.arguments[0], result);
}

// CC.CF of the thread that runs; it does not outlive a wait.
thread_local bool carry = false;

// a + b + carry in bits of the type.
void add_with_carry(const I& i, C& c, std::uint64_t a, std::uint64_t b, bool carry_in, bool writes) {
  const int bits = ptx_bits(i.t);
  const Wide sum = Wide{low(a, bits)} + low(b, bits) + (carry_in ? 1U : 0U);
  if (writes) carry = (sum >> bits) != 0;
  c.set(i.arguments[0], low(static_cast<std::uint64_t>(sum), bits));
}
// The borrow is the carry of a + ~b + 1 inverted: the manual's CC.CF holds the borrow-out.
void subtract_with_borrow(const I& i, C& c, std::uint64_t a, std::uint64_t b, bool borrow_in, bool writes) {
  const int bits = ptx_bits(i.t);
  const Wide left = low(a, bits), right = Wide{low(b, bits)} + (borrow_in ? 1U : 0U);
  if (writes) carry = left < right;
  c.set(i.arguments[0], low(static_cast<std::uint64_t>(left - right), bits));
}
// The half of a product that .lo or .hi takes.
std::uint64_t half_product(const I& i, const C& c, bool high) {
  const SignedWide product = in(i, c, 1) * in(i, c, 2);
  return low(static_cast<std::uint64_t>(high ? product >> ptx_bits(i.t) : product), ptx_bits(i.t));
}

std::uint64_t mul24_of(const I& i, const C& c) {
  const bool sign = is_signed(i.t);
  const auto read = [&](std::size_t k) {
    const std::uint64_t value = c.get(i.arguments[k]);
    return sign ? extended(value, 24) : static_cast<std::int64_t>(low(value, 24));
  };
  const std::int64_t product = read(1) * read(2);
  // The upper or lower 32 of 48 bits.
  return low(static_cast<std::uint64_t>(i.says("hi") ? product >> 16 : product), 32);
}

std::uint64_t lop3_of(const I& i, const C& c) {
  const auto a = static_cast<std::uint32_t>(c.get(i.arguments[1])),
             b = static_cast<std::uint32_t>(c.get(i.arguments[2])),
             d = static_cast<std::uint32_t>(c.get(i.arguments[3]));
  const std::uint64_t table = c.get(i.arguments[4]);
  std::uint32_t result = 0;
  for (std::uint32_t k = 0; k < 8; ++k) {
    if ((table >> k & 1) == 0) continue;
    result |= ((k & 4) != 0 ? a : ~a) & ((k & 2) != 0 ? b : ~b) & ((k & 1) != 0 ? d : ~d);
  }
  return result;
}

// --- floating point --------------------------------------------------------------------------------------------------

using Exact = ExactValue<std::uint64_t>;
using Sum = ExactValue<Wide>;

// NVIDIA's canonical ones.
std::uint64_t canonical_nan(const FormatSpec& f) {
  return f.bits == 64 ? 0x7FF8000000000000U : f.bits == 8 ? f.nan_code() : f.magnitude_mask();
}

// Whether a nonzero number is below 2^emin after rounding to p bits with any exponent.
template <class Word>
bool is_tiny(const ExactValue<Word>& x, const FormatSpec& f, Rounding rounding) {
  if (x.kind != Kind::finite || x.is_zero()) return false;
  const int e = x.exponent + bit_width(x.significand) - 1;
  if (e >= f.emin) return false;
  if (e < f.emin - 1 || f.bits > 32) return true;
  FormatSpec wide = f;
  wide.bits = 40;
  wide.emin = f.emin - 8;
  wide.specials = Specials::ieee;
  const std::uint64_t smallest_normal = (std::uint64_t{9} << (f.precision - 1));
  return (encode(x, wide, EncodeOptions{.rounding = rounding}).code & wide.magnitude_mask()) <
         smallest_normal;
}

template <class Word>
std::uint64_t rounded(const ExactValue<Word>& x, const FormatSpec& f, Rounding rounding, bool ftz,
                      Overflow overflow = Overflow::ieee) {
  if (x.kind == Kind::nan) return canonical_nan(f);
  const std::uint64_t code = encode(x, f, EncodeOptions{.rounding = rounding, .overflow = overflow}).code;
  return ftz && is_tiny(x, f, rounding) ? code & f.sign_code() : code;
}
Exact read_float(std::uint64_t code, const FormatSpec& f, bool ftz) {
  code = low(code, f.bits);
  if (ftz && f.is_subnormal(code)) code &= f.sign_code();
  return exact_from_code(code, f);
}
std::uint64_t one_code(const FormatSpec& f) {
  return static_cast<std::uint64_t>(-f.emin + 1) << (f.precision - 1);
}
// .sat: to [+0, 1], NaN to +0. .relu: to +0 and above, NaN the canonical one.
std::uint64_t limited(std::uint64_t code, const FormatSpec& f, bool sat, bool relu) {
  const bool nan = f.is_nan(code);
  if (sat) {
    if (nan || f.is_negative(code)) return 0;
    return std::min(code, one_code(f));
  }
  if (relu && !nan && f.is_negative(code)) return 0;
  return code;
}

// One operation on one number of a format; a, b, d are codes.
enum class Op : std::uint8_t { add, sub, mul, fma, div, rcp, sqrt };

Sum exact_sqrt(const Exact& a) {
  Sum x;
  if (a.kind == Kind::nan || (a.negative && !a.is_zero())) {
    x.kind = Kind::nan;
    return x;
  }
  if (a.kind == Kind::infinite || a.is_zero()) return widened(a);
  // The root of a significand of 124 bits or so has 62.
  Wide significand = a.significand;
  int shift = 124 - bit_width(significand);
  if (((a.exponent - shift) & 1) != 0) --shift;
  significand <<= shift;
  Wide root = 0;
  for (int bit = 62; bit >= 0; --bit) {
    const Wide more = root | Wide{1} << bit;
    if (more * more <= significand) root = more;
  }
  x.significand = root;
  x.sticky = root * root != significand;
  x.exponent = (a.exponent - shift) / 2;
  return x;
}
Sum quotient(const Exact& a, const Exact& b) {
  Sum x;
  x.negative = a.negative != b.negative;
  if (a.kind == Kind::nan || b.kind == Kind::nan || (a.is_zero() && b.is_zero()) ||
      (a.kind == Kind::infinite && b.kind == Kind::infinite)) {
    x.kind = Kind::nan;
  } else if (a.kind == Kind::infinite || b.is_zero()) {
    x.kind = Kind::infinite;
  } else if (!a.is_zero() && b.kind == Kind::finite) {
    const int shift = 124 - bit_width(a.significand);
    const Wide numerator = Wide{a.significand} << shift;
    x.significand = numerator / b.significand;
    x.sticky = numerator % b.significand != 0;
    x.exponent = a.exponent - shift - b.exponent;
  }
  return x;
}

std::uint64_t computed(Op op, const FormatSpec& f, Rounding rounding, bool ftz, std::uint64_t a,
                       std::uint64_t b, std::uint64_t d) {
  const Exact x = read_float(a, f, ftz);
  if (op == Op::sqrt) return rounded(exact_sqrt(x), f, rounding, ftz);
  if (op == Op::rcp) return rounded(quotient(exact(1.0), x), f, rounding, ftz);
  Exact y = read_float(b, f, ftz);
  switch (op) {
    case Op::sub: y.negative = !y.negative; [[fallthrough]];
    case Op::add: return rounded(wide_sum(widened(x), widened(y), rounding), f, rounding, ftz);
    case Op::mul: return rounded(wide_product(x, y), f, rounding, ftz);
    case Op::div: return rounded(quotient(x, y), f, rounding, ftz);
    default: break;
  }
  const Exact z = read_float(d, f, ftz);
  return rounded(wide_sum(wide_product(x, y), widened(z), rounding), f, rounding, ftz);
}

// The host's own operation, to nearest without flushing.
template <class T>
T host_operation(Op op, T a, T b, T d) {
  switch (op) {
    case Op::add: return a + b;
    case Op::sub: return a - b;
    case Op::mul: return a * b;
    case Op::fma: return std::fma(a, b, d);
    case Op::div: return a / b;
    case Op::rcp: return 1 / a;
    case Op::sqrt: return std::sqrt(a);
  }
  return a;
}

std::uint64_t operation(Op op, const I& i, std::uint64_t a, std::uint64_t b, std::uint64_t d) {
  const bool ftz = i.has(ptx_ftz);
  const FormatSpec& f = ptx_format(i.t);
  std::uint64_t code = 0;
  if (i.t == PtxType::f32 && i.rounding == Rounding::nearest_even && !ftz) {
    const auto x = [](std::uint64_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits)); };
    const float result = host_operation(op, x(a), x(b), x(d));
    code = std::isnan(result) ? canonical_nan(f) : std::bit_cast<std::uint32_t>(result);
  } else if (i.t == PtxType::f64 && i.rounding == Rounding::nearest_even) {
    const auto x = [](std::uint64_t bits) { return std::bit_cast<double>(bits); };
    code = std::bit_cast<std::uint64_t>(host_operation(op, x(a), x(b), x(d)));
  } else {
    code = computed(op, f, i.rounding, ftz, a, b, d);
  }
  return limited(code, f, i.has(ptx_sat), i.has(ptx_relu));
}

void float_operation(Op op, const I& i, C& c) {
  const auto argument = [&](std::size_t k) { return k < i.arguments.size() ? c.get(i.arguments[k]) : 0; };
  const std::uint64_t a = argument(1), b = argument(2), d = argument(3);
  if (!is_pair(i.t)) {
    c.set(i.arguments[0], operation(op, i, a, b, d));
    return;
  }
  c.set(i.arguments[0], operation(op, i, a & 0xFFFF, b & 0xFFFF, d & 0xFFFF) |
                            operation(op, i, a >> 16 & 0xFFFF, b >> 16 & 0xFFFF, d >> 16 & 0xFFFF) << 16);
}

// unary(code) of every number in a register.
template <class Unary>
void each_number(const I& i, C& c, const Unary& unary) {
  const std::uint64_t a = c.get(i.arguments[1]);
  if (is_pair(i.t)) {
    c.set(i.arguments[0], unary(a & 0xFFFF) | unary(a >> 16 & 0xFFFF) << 16);
  } else {
    c.set(i.arguments[0], unary(low(a, ptx_bits(i.t))));
  }
}

// The function in double, rounded to the format; special values as the function has them.
template <class Function>
void approximate(const I& i, C& c, const char* note, const Function& function) {
  ptx_note(note);
  const FormatSpec& f = ptx_format(i.t);
  const bool ftz = i.has(ptx_ftz);
  each_number(i, c, [&](std::uint64_t code) {
    if (ftz && f.is_subnormal(code)) code &= f.sign_code();
    return rounded(exact(function(decode(code, f))), f, Rounding::nearest_even, ftz);
  });
}

// --- comparisons -----------------------------------------------------------------------------------------------------

template <class T>
bool ordered(PtxCompare how, T x, T y) {
  switch (how) {
    case PtxCompare::eq:
    case PtxCompare::equ: return x == y;
    case PtxCompare::ne:
    case PtxCompare::neu: return x != y;
    case PtxCompare::lt:
    case PtxCompare::lo:
    case PtxCompare::ltu: return x < y;
    case PtxCompare::le:
    case PtxCompare::ls:
    case PtxCompare::leu: return x <= y;
    case PtxCompare::gt:
    case PtxCompare::hi:
    case PtxCompare::gtu: return x > y;
    case PtxCompare::ge:
    case PtxCompare::hs:
    case PtxCompare::geu: return x >= y;
    case PtxCompare::num: return true;
    case PtxCompare::nan: break;
  }
  return false;
}

bool compare(PtxCompare how, PtxType t, std::uint64_t a, std::uint64_t b, bool ftz) {
  if (ptx_kind(t) != PtxKind::floating && !is_pair(t)) {
    const bool low_unsigned = how >= PtxCompare::lo && how <= PtxCompare::hs;
    const int bits = ptx_bits(t);
    if (is_signed(t) && !low_unsigned) return ordered(how, extended(a, bits), extended(b, bits));
    return ordered(how, low(a, bits), low(b, bits));
  }
  const FormatSpec& f = ptx_format(t);
  const auto value = [&](std::uint64_t code) {
    code = low(code, f.bits);
    if (ftz && f.is_subnormal(code)) code &= f.sign_code();
    return f.bits == 32   ? double{std::bit_cast<float>(static_cast<std::uint32_t>(code))}
           : f.bits == 64 ? std::bit_cast<double>(code)
                          : decode(code, f);
  };
  const double x = value(a), y = value(b);
  if (std::isnan(x) || std::isnan(y))
    return (how >= PtxCompare::equ && how <= PtxCompare::geu) || how == PtxCompare::nan;
  return ordered(how, x, y);
}

bool combined(const I& i, const C& c, bool result, std::size_t predicate) {
  if (i.arguments.size() <= predicate) return result;
  const bool other = c.predicate(i.arguments[predicate]);
  const std::string& how = i.words[2];
  return how == "and" ? (result && other) : how == "or" ? (result || other) : result != other;
}

// --- conversions -----------------------------------------------------------------------------------------------------

// |x| to an integer by the rounding; exact values of at most 2^64.
SignedWide to_integer(const Exact& x, Rounding rounding) {
  if (x.is_zero()) return 0;
  Wide magnitude = 0;
  if (x.exponent >= 0) {
    if (x.exponent + bit_width(x.significand) > 120)
      magnitude = Wide{1} << 120;  // beyond every type
    else
      magnitude = Wide{x.significand} << x.exponent;
  } else {
    const int drop = std::min(-x.exponent, 70);
    const Wide wide = Wide{x.significand};
    magnitude = wide >> drop;
    const Wide rest = wide - (magnitude << drop), half = Wide{1} << (drop - 1);
    const bool up = rounding == Rounding::nearest_even ? rest > half || (rest == half && (magnitude & 1) != 0)
                    : rounding == Rounding::toward_positive ? rest != 0 && !x.negative
                    : rounding == Rounding::toward_negative ? rest != 0 && x.negative
                                                            : false;
    if (up) ++magnitude;
  }
  return x.negative ? -static_cast<SignedWide>(magnitude) : static_cast<SignedWide>(magnitude);
}

Sum exact_integer(SignedWide value) {
  Sum x;
  x.negative = value < 0;
  x.significand = static_cast<Wide>(value < 0 ? -value : value);
  return x;
}

// A number of format f in format g.
std::uint64_t converted(std::uint64_t code, const FormatSpec& f, const FormatSpec& g, Rounding rounding,
                        bool ftz_in, bool ftz_out, bool satfinite = false) {
  const Exact x = read_float(code, f, ftz_in);
  return rounded(x, g, rounding, ftz_out, satfinite ? Overflow::saturate : Overflow::ieee);
}

// An integer of the type as a register of the destination holds it: sign-extended where the type is signed.
std::uint64_t as_register(PtxType t, SignedWide value) {
  const int bits = ptx_bits(t);
  const auto code = low(static_cast<std::uint64_t>(value), bits);
  return is_signed(t) ? static_cast<std::uint64_t>(extended(code, bits)) : code;
}

}  // namespace

namespace ptx_rows {

void add(const I& i, C& c) {
  if (is_pair(i.t) || i.says("u16x2") || i.says("s16x2"))
    return by_halves(i, c, PtxType::u16, [](auto a, auto b) { return a + b; });
  c.set(i.arguments[0], low(c.get(i.arguments[1]) + c.get(i.arguments[2]), ptx_bits(i.t)));
}
void add_sat(const I& i, C& c) { out(i, c, clamped(i.t, in(i, c, 1) + in(i, c, 2))); }
void add_carry(const I& i, C& c) {
  add_with_carry(i, c, c.get(i.arguments[1]), c.get(i.arguments[2]), false, true);
}
void addc(const I& i, C& c) {
  add_with_carry(i, c, c.get(i.arguments[1]), c.get(i.arguments[2]), carry, i.has(ptx_cc));
}
void sub(const I& i, C& c) {
  c.set(i.arguments[0], low(c.get(i.arguments[1]) - c.get(i.arguments[2]), ptx_bits(i.t)));
}
void sub_sat(const I& i, C& c) { out(i, c, clamped(i.t, in(i, c, 1) - in(i, c, 2))); }
void sub_carry(const I& i, C& c) {
  subtract_with_borrow(i, c, c.get(i.arguments[1]), c.get(i.arguments[2]), false, true);
}
void subc(const I& i, C& c) {
  subtract_with_borrow(i, c, c.get(i.arguments[1]), c.get(i.arguments[2]), carry, i.has(ptx_cc));
}
void mul_lo(const I& i, C& c) {
  c.set(i.arguments[0], low(c.get(i.arguments[1]) * c.get(i.arguments[2]), ptx_bits(i.t)));
}
void mul_hi(const I& i, C& c) { c.set(i.arguments[0], half_product(i, c, true)); }
void mul_wide(const I& i, C& c) {
  c.set(i.arguments[0], low(static_cast<std::uint64_t>(in(i, c, 1) * in(i, c, 2)), 2 * ptx_bits(i.t)));
}
void mad_lo(const I& i, C& c) {
  c.set(i.arguments[0],
        low(c.get(i.arguments[1]) * c.get(i.arguments[2]) + c.get(i.arguments[3]), ptx_bits(i.t)));
}
void mad_hi(const I& i, C& c) {
  c.set(i.arguments[0], low(half_product(i, c, true) + c.get(i.arguments[3]), ptx_bits(i.t)));
}
void mad_hi_sat(const I& i, C& c) {
  out(i, c, clamped(i.t, number(i.t, half_product(i, c, true)) + in(i, c, 3)));
}
void mad_wide(const I& i, C& c) {
  const auto product = static_cast<std::uint64_t>(in(i, c, 1) * in(i, c, 2));
  c.set(i.arguments[0], low(product + c.get(i.arguments[3]), 2 * ptx_bits(i.t)));
}
void mad_carry(const I& i, C& c) {
  add_with_carry(i, c, half_product(i, c, i.words[1] == "hi"), c.get(i.arguments[3]), false, true);
}
void madc(const I& i, C& c) {
  add_with_carry(i, c, half_product(i, c, i.words[1] == "hi"), c.get(i.arguments[3]), carry, i.has(ptx_cc));
}
void mul24(const I& i, C& c) { c.set(i.arguments[0], mul24_of(i, c)); }
void mad24(const I& i, C& c) { c.set(i.arguments[0], low(mul24_of(i, c) + c.get(i.arguments[3]), 32)); }
// Division by zero is not defined; a GPU gives all ones.
void divide(const I& i, C& c) {
  const SignedWide b = in(i, c, 2);
  out(i, c, b == 0 ? -1 : in(i, c, 1) / b);
}
void remainder(const I& i, C& c) {
  const SignedWide b = in(i, c, 2);
  out(i, c, b == 0 ? in(i, c, 1) : in(i, c, 1) % b);
}
void absolute(const I& i, C& c) {
  const SignedWide a = in(i, c, 1);
  out(i, c, a < 0 ? -a : a);
}
void negate(const I& i, C& c) { out(i, c, -in(i, c, 1)); }
void minimum(const I& i, C& c) {
  if (is_pair(i.t))
    return by_halves(i, c, i.t == PtxType::s16x2 ? PtxType::s16 : PtxType::u16,
                     [](auto a, auto b) { return std::min(a, b); });
  out(i, c, std::min(in(i, c, 1), in(i, c, 2)));
}
void maximum(const I& i, C& c) {
  if (is_pair(i.t))
    return by_halves(i, c, i.t == PtxType::s16x2 ? PtxType::s16 : PtxType::u16,
                     [](auto a, auto b) { return std::max(a, b); });
  out(i, c, std::max(in(i, c, 1), in(i, c, 2)));
}
void minmax_relu(const I& i, C& c) {
  const bool least = i.words[0] == "min";
  const auto binary = [&](SignedWide a, SignedWide b) {
    return std::max(least ? std::min(a, b) : std::max(a, b), SignedWide{0});
  };
  if (is_pair(i.t)) return by_halves(i, c, PtxType::s16, binary);
  out(i, c, binary(in(i, c, 1), in(i, c, 2)));
}
void sad(const I& i, C& c) {
  const SignedWide a = in(i, c, 1), b = in(i, c, 2);
  out(i, c, in(i, c, 3) + (a < b ? b - a : a - b));
}
void popc(const I& i, C& c) {
  c.set(i.arguments[0], static_cast<std::uint64_t>(std::popcount(low(c.get(i.arguments[1]), ptx_bits(i.t)))));
}
void clz(const I& i, C& c) {
  const int bits = ptx_bits(i.t), width = static_cast<int>(std::bit_width(low(c.get(i.arguments[1]), bits)));
  c.set(i.arguments[0], static_cast<std::uint64_t>(bits - width));
}
// The highest bit that differs from the sign.
void bfind(const I& i, C& c) {
  const int bits = ptx_bits(i.t);
  std::uint64_t a = low(c.get(i.arguments[1]), bits);
  if (is_signed(i.t) && (a >> (bits - 1)) != 0) a = low(~a, bits);
  if (a == 0) return c.set(i.arguments[0], 0xFFFFFFFFU);
  const int at = static_cast<int>(std::bit_width(a)) - 1;
  c.set(i.arguments[0], static_cast<std::uint64_t>(i.says("shiftamt") ? bits - 1 - at : at));
}
void brev(const I& i, C& c) {
  const int bits = ptx_bits(i.t);
  const std::uint64_t a = c.get(i.arguments[1]);
  std::uint64_t result = 0;
  for (int k = 0; k < bits; ++k) result |= (a >> k & 1) << (bits - 1 - k);
  c.set(i.arguments[0], result);
}
// PTX ISA's pseudo code: bits beyond the register are those of the sign, or 0.
void bfe(const I& i, C& c) {
  const int bits = ptx_bits(i.t), top = bits - 1;
  const std::uint64_t a = low(c.get(i.arguments[1]), bits);
  const auto at = static_cast<int>(c.get(i.arguments[2]) & 0xFF),
             length = static_cast<int>(c.get(i.arguments[3]) & 0xFF);
  const bool sign = is_signed(i.t) && length != 0 && (a >> std::min(at + length - 1, top) & 1) != 0;
  std::uint64_t result = 0;
  for (int k = 0; k <= top; ++k) {
    const bool bit = k < length && at + k <= top ? (a >> (at + k) & 1) != 0 : sign;
    result |= std::uint64_t{bit} << k;
  }
  c.set(i.arguments[0], result);
}
void bfi(const I& i, C& c) {
  const int top = ptx_bits(i.t) - 1;
  const std::uint64_t a = c.get(i.arguments[1]);
  std::uint64_t result = low(c.get(i.arguments[2]), top + 1);
  const auto at = static_cast<int>(c.get(i.arguments[3]) & 0xFF),
             length = static_cast<int>(c.get(i.arguments[4]) & 0xFF);
  for (int k = 0; k < length && at + k <= top; ++k) {
    const std::uint64_t bit = std::uint64_t{1} << (at + k);
    result = (a >> k & 1) != 0 ? result | bit : result & ~bit;
  }
  c.set(i.arguments[0], result);
}
void bmsk(const I& i, C& c) {
  std::uint64_t at = low(c.get(i.arguments[1]), 32), width = low(c.get(i.arguments[2]), 32);
  if (i.words[1] == "wrap") {
    at &= 31;
    width &= 31;
  }
  const std::uint64_t ones = width >= 32 ? 0xFFFFFFFFU : mask_of(static_cast<int>(width));
  c.set(i.arguments[0], at >= 32 ? 0 : low(ones << at, 32));
}
void szext(const I& i, C& c) {
  std::uint64_t width = low(c.get(i.arguments[2]), 32);
  if (i.words[1] == "wrap") width &= 31;
  const std::uint64_t a = low(c.get(i.arguments[1]), 32);
  if (width >= 32) return c.set(i.arguments[0], a);
  if (width == 0) return c.set(i.arguments[0], 0);
  const auto bits = static_cast<int>(width);
  c.set(i.arguments[0],
        is_signed(i.t) ? low(static_cast<std::uint64_t>(extended(a, bits)), 32) : low(a, bits));
}
void dp4a(const I& i, C& c) {
  const std::uint64_t a = c.get(i.arguments[1]), b = c.get(i.arguments[2]);
  std::uint64_t sum = c.get(i.arguments[3]);
  const PtxType x = is_signed(i.t) ? PtxType::s8 : PtxType::u8,
                y = is_signed(i.u) ? PtxType::s8 : PtxType::u8;
  for (int k = 0; k < 32; k += 8) sum += static_cast<std::uint64_t>(number(x, a >> k) * number(y, b >> k));
  c.set(i.arguments[0], low(sum, 32));
}
void dp2a(const I& i, C& c) {
  const std::uint64_t a = c.get(i.arguments[1]), b = c.get(i.arguments[2]) >> (i.words[1] == "hi" ? 16 : 0);
  std::uint64_t sum = c.get(i.arguments[3]);
  const PtxType x = is_signed(i.t) ? PtxType::s16 : PtxType::u16,
                y = is_signed(i.u) ? PtxType::s8 : PtxType::u8;
  for (int k = 0; k < 2; ++k)
    sum += static_cast<std::uint64_t>(number(x, a >> (16 * k)) * number(y, b >> (8 * k)));
  c.set(i.arguments[0], low(sum, 32));
}
void logic_and(const I& i, C& c) {
  if (i.t == PtxType::pred)
    return c.set(i.arguments[0], c.predicate(i.arguments[1]) && c.predicate(i.arguments[2]) ? 1 : 0);
  c.set(i.arguments[0], low(c.get(i.arguments[1]) & c.get(i.arguments[2]), ptx_bits(i.t)));
}
void logic_or(const I& i, C& c) {
  c.set(i.arguments[0], low(c.get(i.arguments[1]) | c.get(i.arguments[2]), ptx_bits(i.t)));
}
void logic_xor(const I& i, C& c) {
  c.set(i.arguments[0], low(c.get(i.arguments[1]) ^ c.get(i.arguments[2]), ptx_bits(i.t)));
}
void logic_not(const I& i, C& c) { c.set(i.arguments[0], low(~c.get(i.arguments[1]), ptx_bits(i.t))); }
void cnot(const I& i, C& c) { c.set(i.arguments[0], low(c.get(i.arguments[1]), ptx_bits(i.t)) == 0 ? 1 : 0); }
void lop3(const I& i, C& c) { c.set(i.arguments[0], lop3_of(i, c)); }
void lop3_predicate(const I& i, C& c) {
  const std::uint64_t result = lop3_of(i, c);
  const bool other = c.predicate(i.arguments[5]);
  c.set_second(i.arguments[0], i.words[1] == "or" ? result != 0 || other : result != 0 && other);
  c.set(i.arguments[0], result);
}
// Shifts beyond the register are of all its bits.
void shl(const I& i, C& c) {
  const auto by = low(c.get(i.arguments[2]), 32);
  c.set(i.arguments[0], by >= 64 ? 0 : low(c.get(i.arguments[1]) << by, ptx_bits(i.t)));
}
void shr(const I& i, C& c) {
  const int bits = ptx_bits(i.t);
  const auto by = static_cast<int>(std::min<std::uint64_t>(low(c.get(i.arguments[2]), 32), 63));
  const bool all = low(c.get(i.arguments[2]), 32) >= static_cast<std::uint64_t>(bits);
  const std::uint64_t a = c.get(i.arguments[1]);
  if (is_signed(i.t)) return out(i, c, extended(a, bits) >> by);
  c.set(i.arguments[0], all ? 0 : low(a, bits) >> by);
}
void shf(const I& i, C& c) {
  const std::uint64_t both = low(c.get(i.arguments[1]), 32) | c.get(i.arguments[2]) << 32;
  const std::uint64_t amount = low(c.get(i.arguments[3]), 32);
  const std::uint64_t by = i.words[2] == "wrap" ? amount & 31 : std::min<std::uint64_t>(amount, 32);
  c.set(i.arguments[0],
        i.words[1] == "l" ? (by == 32 ? low(both, 32) : low(both << by >> 32, 32)) : low(both >> by, 32));
}
void prmt(const I& i, C& c) {
  const std::uint64_t bytes = low(c.get(i.arguments[1]), 32) | c.get(i.arguments[2]) << 32;
  const std::uint64_t selector = c.get(i.arguments[3]);
  std::uint64_t result = 0;
  for (unsigned k = 0; k < 4; ++k) {
    const auto s = static_cast<unsigned>(selector & 3);
    unsigned from = 0;
    bool sign = false;
    if (i.words.size() == 2) {
      from = static_cast<unsigned>(selector >> (4 * k) & 7);
      sign = (selector >> (4 * k) & 8) != 0;
    } else if (i.words[2] == "f4e") {
      from = s + k;
    } else if (i.words[2] == "b4e") {
      from = (s + 8 - k) & 7;
    } else if (i.words[2] == "rc8") {
      from = s;
    } else if (i.words[2] == "ecl") {
      from = std::max(s, k);
    } else if (i.words[2] == "ecr") {
      from = std::min(s, k);
    } else {
      from = 2 * (s & 1) + (k & 1);
    }
    std::uint64_t byte = bytes >> (8 * from) & 0xFF;
    if (sign) byte = (byte & 0x80) != 0 ? 0xFF : 0;
    result |= byte << (8 * k);
  }
  c.set(i.arguments[0], result);
}

// --- floating point --------------------------------------------------------------------------------------------------

void float_add(const I& i, C& c) { float_operation(Op::add, i, c); }
void float_sub(const I& i, C& c) { float_operation(Op::sub, i, c); }
void float_mul(const I& i, C& c) { float_operation(Op::mul, i, c); }
void float_fma(const I& i, C& c) { float_operation(Op::fma, i, c); }
void float_div(const I& i, C& c) { float_operation(Op::div, i, c); }
void float_rcp(const I& i, C& c) { float_operation(Op::rcp, i, c); }
void float_sqrt(const I& i, C& c) { float_operation(Op::sqrt, i, c); }
void float_div_approx(const I& i, C& c) {
  ptx_note("div.approx and div.full: correctly rounded, not a GPU's bits");
  float_operation(Op::div, i, c);
}
void rcp_approx(const I& i, C& c) {
  approximate(i, c, "rcp.approx: correctly rounded, not a GPU's bits", [](double x) { return 1 / x; });
}
void sqrt_approx(const I& i, C& c) {
  approximate(i, c, "sqrt.approx: correctly rounded, not a GPU's bits",
              [](double x) { return std::sqrt(x); });
}
void rsqrt_approx(const I& i, C& c) {
  approximate(i, c, "rsqrt.approx: by the host's double precision, not a GPU's bits",
              [](double x) { return 1 / std::sqrt(x); });
}
void sin_approx(const I& i, C& c) {
  approximate(i, c, "sin.approx: by the host's double precision, not a GPU's bits",
              [](double x) { return std::sin(x); });
}
void cos_approx(const I& i, C& c) {
  approximate(i, c, "cos.approx: by the host's double precision, not a GPU's bits",
              [](double x) { return std::cos(x); });
}
void lg2_approx(const I& i, C& c) {
  approximate(i, c, "lg2.approx: by the host's double precision, not a GPU's bits",
              [](double x) { return std::log2(x); });
}
void ex2_approx(const I& i, C& c) {
  approximate(i, c, "ex2.approx: by the host's double precision, not a GPU's bits",
              [](double x) { return std::exp2(x); });
}
void tanh_approx(const I& i, C& c) {
  approximate(i, c, "tanh.approx: by the host's double precision, not a GPU's bits",
              [](double x) { return std::tanh(x); });
}
void float_abs(const I& i, C& c) {
  const FormatSpec& f = ptx_format(i.t);
  each_number(i, c, [&](std::uint64_t code) {
    if (i.has(ptx_ftz) && f.is_subnormal(code)) return std::uint64_t{0};
    return f.bits != 64 && f.is_nan(code) ? canonical_nan(f) : code & f.magnitude_mask();
  });
}
void float_neg(const I& i, C& c) {
  const FormatSpec& f = ptx_format(i.t);
  each_number(i, c, [&](std::uint64_t code) {
    if (i.has(ptx_ftz) && f.is_subnormal(code)) code &= f.sign_code();
    return f.bits != 64 && f.is_nan(code) ? canonical_nan(f) : code ^ f.sign_code();
  });
}
void float_minmax(const I& i, C& c) {
  const FormatSpec& f = ptx_format(i.t);
  const bool least = i.words[0] == "min";
  const auto one = [&](std::uint64_t a, std::uint64_t b) -> std::uint64_t {
    if (i.has(ptx_ftz)) {
      if (f.is_subnormal(a)) a &= f.sign_code();
      if (f.is_subnormal(b)) b &= f.sign_code();
    }
    const std::uint64_t sign = (a ^ b) & f.sign_code();
    const bool na = f.is_nan(a), nb = f.is_nan(b);
    if ((na && nb) || (i.has(ptx_nan) && (na || nb))) return canonical_nan(f);
    if (i.has(ptx_xorsign)) {
      a &= f.magnitude_mask();
      b &= f.magnitude_mask();
    }
    // By sign and magnitude, -0 below +0.
    const auto key = [&](std::uint64_t code) {
      const auto magnitude = static_cast<std::int64_t>(code & f.magnitude_mask());
      return f.is_negative(code) ? -magnitude - 1 : magnitude;
    };
    std::uint64_t result = na ? b : nb ? a : (key(a) < key(b)) == least ? a : b;
    if (i.has(ptx_xorsign)) result = (result & f.magnitude_mask()) | sign;
    return result;
  };
  const std::uint64_t a = c.get(i.arguments[1]), b = c.get(i.arguments[2]);
  if (is_pair(i.t)) {
    c.set(i.arguments[0], one(a & 0xFFFF, b & 0xFFFF) | one(a >> 16 & 0xFFFF, b >> 16 & 0xFFFF) << 16);
  } else {
    c.set(i.arguments[0], one(low(a, f.bits), low(b, f.bits)));
  }
}
void copysign(const I& i, C& c) {
  const FormatSpec& f = ptx_format(i.t);
  c.set(i.arguments[0],
        (c.get(i.arguments[1]) & f.sign_code()) | (c.get(i.arguments[2]) & f.magnitude_mask()));
}
void testp(const I& i, C& c) {
  const FormatSpec& f = ptx_format(i.t);
  const std::uint64_t a = low(c.get(i.arguments[1]), f.bits);
  const std::string& what = i.words[1];
  const bool zero = (a & f.magnitude_mask()) == 0;
  const bool result = what == "finite"       ? f.is_finite(a)
                      : what == "infinite"   ? f.is_infinite(a)
                      : what == "number"     ? !f.is_nan(a)
                      : what == "notanumber" ? f.is_nan(a)
                      : what == "normal"     ? f.is_finite(a) && !f.is_subnormal(a) && !zero
                                             : f.is_subnormal(a);
  c.set(i.arguments[0], result ? 1 : 0);
}

// --- comparisons, moves, conversions ---------------------------------------------------------------------------------

void setp(const I& i, C& c) {
  const std::uint64_t a = c.get(i.arguments[1]), b = c.get(i.arguments[2]);
  const bool ftz = i.has(ptx_ftz);
  if (is_pair(i.t)) {
    // p of the low halves, q of the high ones.
    const bool q = combined(i, c, compare(i.compare, i.t, a >> 16, b >> 16, ftz), 3);
    c.set(i.arguments[0], combined(i, c, compare(i.compare, i.t, a & 0xFFFF, b & 0xFFFF, ftz), 3) ? 1 : 0);
    c.set_second(i.arguments[0], q);
    return;
  }
  const bool result = compare(i.compare, i.t, a, b, ftz);
  const bool p = combined(i, c, result, 3), q = combined(i, c, !result, 3);
  c.set(i.arguments[0], p ? 1 : 0);
  c.set_second(i.arguments[0], q);
}
void set(const I& i, C& c) {
  const bool result = combined(
      i, c, compare(i.compare, i.u, c.get(i.arguments[1]), c.get(i.arguments[2]), i.has(ptx_ftz)), 3);
  c.set(i.arguments[0], !result ? 0 : i.t == PtxType::f32 ? 0x3F800000U : 0xFFFFFFFFU);
}
void selp(const I& i, C& c) {
  c.set(i.arguments[0], low(c.get(i.arguments[c.predicate(i.arguments[3]) ? 1 : 2]), ptx_bits(i.t)));
}
void slct(const I& i, C& c) {
  const std::uint64_t d = c.get(i.arguments[3]);
  const bool first = i.u == PtxType::s32 ? extended(d, 32) >= 0
                                         : compare(PtxCompare::ge, PtxType::f32, d, 0, i.has(ptx_ftz));
  c.set(i.arguments[0], low(c.get(i.arguments[first ? 1 : 2]), ptx_bits(i.t)));
}
void move(const I& i, C& c) {
  const PtxArgument &to = i.arguments[0], &from = i.arguments[1];
  const int bits = ptx_bits(i.t);
  std::uint64_t value = 0;
  if (from.kind == PtxOperandKind::vector) {
    const int each = bits / from.count;
    for (std::size_t k = 0; k < from.count; ++k)
      value |= low(c.get(i.parts[from.first + k]), each) << (each * static_cast<int>(k));
  } else {
    value = i.t == PtxType::pred ? std::uint64_t{c.predicate(from)} : low(c.get(from), bits);
  }
  if (to.kind == PtxOperandKind::vector) {
    const int each = bits / to.count;
    for (std::size_t k = 0; k < to.count; ++k)
      c.set(i.parts[to.first + k], low(value >> (each * static_cast<int>(k)), each));
  } else {
    c.set(to, value);
  }
}
void convert_integer(const I& i, C& c) {
  const SignedWide value = number(i.u, c.get(i.arguments[1]));
  c.set(i.arguments[0], as_register(i.t, i.has(ptx_sat) ? clamped(i.t, value) : value));
}
void convert_to_float(const I& i, C& c) {
  const FormatSpec& f = ptx_format(i.t);
  const std::uint64_t code = rounded(exact_integer(number(i.u, c.get(i.arguments[1]))), f, i.rounding, false);
  c.set(i.arguments[0], limited(code, f, i.has(ptx_sat), false));
}
// Numbers beyond the type are its nearest, with .sat or without. NaN is 0, or the highest bit alone for sources of f64
// and destinations of 64 bits.
void convert_to_integer(const I& i, C& c) {
  const FormatSpec& f = ptx_format(i.u);
  const Exact x = read_float(c.get(i.arguments[1]), f, i.has(ptx_ftz));
  SignedWide value = 0;
  if (x.kind == Kind::infinite) {
    value = x.negative ? lowest(i.t) : highest(i.t);
  } else if (x.kind == Kind::finite) {
    value = clamped(i.t, to_integer(x, i.rounding));
  } else if (i.u == PtxType::f64 || ptx_bits(i.t) == 64) {
    value = SignedWide{1} << (ptx_bits(i.t) - 1);
  }
  c.set(i.arguments[0], as_register(i.t, value));
}
void convert_float(const I& i, C& c) {
  const FormatSpec &f = ptx_format(i.u), &g = ptx_format(i.t);
  std::uint64_t code = low(c.get(i.arguments[1]), f.bits);
  const bool ftz = i.has(ptx_ftz);
  if (i.has(ptx_integer)) {
    // To an integer that is a number of the format.
    const Exact x = read_float(code, f, ftz);
    if (x.kind == Kind::nan) {
      code = canonical_nan(f);
    } else if (x.kind == Kind::finite && x.exponent < 0) {
      Sum whole = exact_integer(to_integer(x, i.rounding));
      whole.negative = x.negative;
      code = rounded(whole, g, Rounding::nearest_even, false);
    } else {
      code = converted(code, f, g, Rounding::nearest_even, ftz, false);
    }
  } else if (f == g && f.bits == 64) {
    // a move
  } else {
    // .ftz flushes float32, whether it comes or goes.
    code = converted(code, f, g, i.rounding, ftz && f.bits == 32, ftz && g.bits == 32, i.has(ptx_satfinite));
  }
  c.set(i.arguments[0], limited(code, g, i.has(ptx_sat), i.has(ptx_relu)));
}
// d = {a, b}: a in the upper half.
void convert_pair(const I& i, C& c) {
  const FormatSpec& g = ptx_format(i.t);
  const auto one = [&](std::size_t k) {
    const std::uint64_t code =
        converted(c.get(i.arguments[k]), formats::float32, g, i.rounding, false, false, i.has(ptx_satfinite));
    return limited(code, g, false, i.has(ptx_relu));
  };
  c.set(i.arguments[0], one(1) << g.bits | one(2));
}
void convert_packed(const I& i, C& c) {
  const FormatSpec &f = ptx_format(i.u), &g = ptx_format(i.t);
  const std::uint64_t a = c.get(i.arguments[1]);
  const auto one = [&](std::uint64_t code) {
    code = converted(low(code, f.bits), f, g, i.rounding, false, false, i.has(ptx_satfinite));
    return limited(code, g, false, i.has(ptx_relu));
  };
  c.set(i.arguments[0], one(a >> f.bits) << g.bits | one(a));
}
// d = {c, a, b}: each of the type, what is left of the register from c.
void convert_pack(const I& i, C& c) {
  const int bits = ptx_bits(i.t);
  std::uint64_t result = i.arguments.size() > 3 ? c.get(i.arguments[3]) : 0;
  for (const std::size_t k : {std::size_t{1}, std::size_t{2}}) {
    const SignedWide value = clamped(i.t, number(i.u, c.get(i.arguments[k])));
    result = result << bits | low(static_cast<std::uint64_t>(value), bits);
  }
  c.set(i.arguments[0], low(result, 32));
}
// A tf32 lies in the upper 19 bits of a register.
void convert_tf32(const I& i, C& c) {
  std::uint64_t code = converted(c.get(i.arguments[1]), formats::float32, formats::tf32, i.rounding, false,
                                 false, i.has(ptx_satfinite));
  code = limited(code, formats::tf32, false, i.has(ptx_relu));
  c.set(i.arguments[0], formats::tf32.is_nan(code) ? 0x7FFFFFFFU : code << 13);
}

// --- control ---------------------------------------------------------------------------------------------------------

void branch(const I& i, C& c) { c.next = static_cast<std::size_t>(i.arguments[0].value); }
void exit_thread(const I&, C&) { Block::current()->exit_thread(); }
void trap(const I& i, C&) { ptx_fail("the kernel comes to " + i.words[0]); }
void sleep(const I&, C&) { Block::current()->yield(); }
void nothing(const I&, C&) {}

}  // namespace ptx_rows
}  // namespace assay::simt
