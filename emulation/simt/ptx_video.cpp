// PTX's video instructions: numbers picked out of registers, added, compared and merged; alone, in pairs and in fours.
//
// Numerics: the pseudocode of the manual, exact. What the manual leaves open: an intermediate result that is neither
// saturated nor merged goes to the second operation with 33 bits, as the type there says.
#include <algorithm>

#include "emulation/simt/ptx_machine.hpp"

namespace assay::simt {
namespace {

using I = PtxInstruction;
using C = PtxContext;
using Number = std::int64_t;
__extension__ using Product = __int128;

bool has_sign(PtxType t) { return ptx_kind(t) == PtxKind::is_signed; }
Number number(std::uint64_t value, int bits, bool sign) {
  const int unused = 64 - bits;
  return sign ? static_cast<Number>(value << unused) >> unused
              : static_cast<Number>(value << unused >> unused);
}
Number clamped(Number value, int bits, bool sign) {
  const Number one = 1;
  return sign ? std::clamp(value, -(one << (bits - 1)), (one << (bits - 1)) - 1)
              : std::clamp(value, Number{0}, (one << bits) - 1);
}
std::uint64_t ones(int bits) { return (std::uint64_t{1} << bits) - 1; }
int part_bits(const PtxArgument& a) { return a.part == 'b' ? 8 : a.part == 'h' ? 16 : 32; }
std::uint32_t pick(const PtxArgument& a, int element) { return a.picks >> (4 * element) & 15; }

// The operand of a scalar instruction.
Number in(const C& c, const PtxArgument& a, PtxType type) {
  const int bits = part_bits(a);
  return number(c.get(a) >> (a.part == 0 ? 0 : pick(a, 0) * static_cast<unsigned>(bits)), bits,
                has_sign(type));
}

Number operation(const std::string& name, Number a, Number b) {
  switch (name[2]) {
    case 'd': return a + b;                                         // vadd
    case 'u': return a - b;                                         // vsub
    case 'v': return a + b >= 0 ? (a + b + 1) >> 1 : (a + b) >> 1;  // vavrg
    case 'b': return a < b ? b - a : a - b;                         // vabsdiff
    case 'i': return std::min(a, b);                                // vmin
    default: return std::max(a, b);                                 // vmax
  }
}
bool holds(PtxCompare how, Number a, Number b) {
  switch (how) {
    case PtxCompare::eq: return a == b;
    case PtxCompare::ne: return a != b;
    case PtxCompare::lt: return a < b;
    case PtxCompare::le: return a <= b;
    case PtxCompare::gt: return a > b;
    default: return a >= b;
  }
}

// Merges a scalar result into the third operand, or works on both.
void finish(const I& i, C& c, Number value, bool sign) {
  const PtxArgument& d = i.arguments[0];
  if (i.arguments.size() == 3) return c.set(d, static_cast<std::uint64_t>(value) & ones(32));
  const std::uint64_t third = c.get(i.arguments[3]);
  if (d.part != 0) {
    const int bits = part_bits(d);
    const auto at = pick(d, 0) * static_cast<unsigned>(bits);
    const std::uint64_t place = ones(bits) << at;
    return c.set(d, (static_cast<std::uint64_t>(value) << at & place) | (third & ones(32) & ~place));
  }
  const Number narrowed = number(static_cast<std::uint64_t>(value), 33, true),
               other = number(third, 32, sign);
  const Number result = i.words.back() == "add"   ? narrowed + other
                        : i.words.back() == "min" ? std::min(narrowed, other)
                                                  : std::max(narrowed, other);
  c.set(d, static_cast<std::uint64_t>(result) & ones(32));
}

// Elements 0 to n - 1, of the halves or bytes of a and b together.
template <class Element>
void by_elements(const I& i, C& c, PtxType a_type, PtxType b_type, const Element& element) {
  const int n = i.words[0].back() - '0', bits = 32 / n;
  const PtxArgument &d = i.arguments[0], &a = i.arguments[1], &b = i.arguments[2];
  const std::uint64_t both = (c.get(a) & ones(32)) | c.get(b) << 32, third = c.get(i.arguments[3]);
  const auto chosen = [&](const PtxArgument& from, int k, unsigned first, bool sign) {
    const unsigned which = from.part == 0 ? first + static_cast<unsigned>(k) : pick(from, k);
    return number(both >> (which * static_cast<unsigned>(bits)), bits, sign);
  };
  unsigned written = d.part == 0 ? ~0U : 0;
  for (int k = 0; k < d.picked; ++k) written |= 1U << pick(d, k);
  const bool adds = i.words.back() == "add";
  std::uint64_t result = third;
  for (int k = 0; k < n; ++k) {
    if ((written >> k & 1) == 0) continue;
    const auto value = static_cast<std::uint64_t>(element(
        chosen(a, k, 0, has_sign(a_type)), chosen(b, k, static_cast<unsigned>(n), has_sign(b_type)), bits));
    const std::uint64_t place = ones(bits) << (k * bits);
    result = adds ? result + value : (result & ~place) | (value << (k * bits) & place);
  }
  c.set(d, result & ones(32));
}

}  // namespace

namespace ptx_rows {

void video(const I& i, C& c) {
  const Number value = operation(i.words[0], in(c, i.arguments[1], i.u), in(c, i.arguments[2], i.v));
  finish(i, c, i.has(ptx_sat) ? clamped(value, part_bits(i.arguments[0]), has_sign(i.t)) : value,
         has_sign(i.t));
}
void video_shift(const I& i, C& c) {
  const Number a = in(c, i.arguments[1], i.u), b = in(c, i.arguments[2], PtxType::u32);
  const Number by = i.says("wrap") ? b & 31 : std::min<Number>(b, 32);
  // 65 bits of a shift to the left.
  const Product wide = i.words[0] == "vshl" ? Product{a} * (Product{1} << by) : Product{a >> by};
  constexpr Product limit = Product{1} << 62;
  const int bits = part_bits(i.arguments[0]);
  const Number value =
      i.has(ptx_sat) ? clamped(static_cast<Number>(std::clamp(wide, -limit, limit)), bits, has_sign(i.t))
                     : static_cast<Number>(wide);
  finish(i, c, value, has_sign(i.t));
}
void video_set(const I& i, C& c) {
  // Unsigned, whatever is compared.
  finish(i, c, holds(i.compare, in(c, i.arguments[1], i.t), in(c, i.arguments[2], i.u)) ? 1 : 0, false);
}
void video_mad(const I& i, C& c) {
  const PtxArgument &a = i.arguments[1], &b = i.arguments[2], &third = i.arguments[3];
  const bool product_negated = a.minus != b.minus;
  const bool sign = has_sign(i.u) || has_sign(i.v) || product_negated || third.minus;
  Product product = Product{in(c, a, i.u)} * in(c, b, i.v);
  auto addend = static_cast<std::uint32_t>(c.get(third));
  int one = i.says("po") ? 1 : 0;
  if (product_negated) {
    product = ~product;
    one = 1;
  } else if (third.minus) {
    addend = ~addend;
    one = 1;
  }
  // At most 68 bits, and 64 of them after the scaling.
  const Product sum = product + number(addend, 32, sign) + one;
  const int scale = i.says("shr7") ? 7 : i.says("shr15") ? 15 : 0;
  const Product result = sum >> scale;
  constexpr Product limit = Product{1} << 62;
  const auto near = static_cast<Number>(std::clamp(result, -limit, limit));
  c.set(i.arguments[0],
        static_cast<std::uint64_t>(i.has(ptx_sat) ? clamped(near, 32, sign) : static_cast<Number>(result)) &
            ones(32));
}
void video_elements(const I& i, C& c) {
  by_elements(i, c, i.u, i.v, [&](Number a, Number b, int bits) {
    const Number value = operation(i.words[0], a, b);
    return i.has(ptx_sat) ? clamped(value, bits, has_sign(i.t)) : value;
  });
}
void video_set_elements(const I& i, C& c) {
  by_elements(i, c, i.t, i.u,
              [&](Number a, Number b, int) { return Number{holds(i.compare, a, b) ? 1 : 0}; });
}

}  // namespace ptx_rows
}  // namespace assay::simt
