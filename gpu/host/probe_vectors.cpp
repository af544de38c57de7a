#include "gpu/host/probe_vectors.hpp"

#include <algorithm>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/exact/exact_sum.hpp"
#include "reference/formats/encode.hpp"

namespace assay::gpu {
namespace {

using Code = std::uint64_t;

// The random numbers of one row.
class Draw {
 public:
  Draw(std::uint64_t seed, std::uint64_t stream, std::uint64_t row)
      : random_(seed, stream), next_(row << 24) {}

  std::uint64_t bits() { return random_.u64(next_++); }
  int below(int n) { return static_cast<int>(random_.below(static_cast<std::uint64_t>(n), next_++)); }
  int between(int low, int high) { return low + below(high - low + 1); }
  bool one_in(int n) { return below(n) == 0; }

 private:
  CounterRandom random_;
  std::uint64_t next_;
};

int lowest(const FormatSpec& f) { return f.emin - (f.precision - 1); }  // exponent of the smallest subnormal

Code finite_code(bool negative, std::uint64_t significand, int exponent, const FormatSpec& f) {
  const ExactValue<std::uint64_t> x{.negative = negative, .significand = significand, .exponent = exponent};
  return encode(x, f, EncodeOptions{.overflow = Overflow::saturate}).code;
}

Code zero(bool negative, const FormatSpec& f) { return negative ? f.sign_code() : 0; }

// Uniform in [0, 1) or (-1, 1).
Code unit_scale(Draw& draw, const FormatSpec& f, bool positive = false) {
  const std::uint64_t bits = draw.bits();
  return finite_code(!positive && (bits & 1) != 0, bits >> 11, -53, f);
}

// A random significand at an exponent, cut to the format's range: subnormal below emin.
Code at_exponent(Draw& draw, int exponent, const FormatSpec& f) {
  const std::uint64_t bits = draw.bits();
  const std::uint64_t hidden = f.min_normal_code();
  const int e = std::clamp(exponent, lowest(f), f.emax());
  const std::uint64_t significand = hidden | (bits >> 11 & (hidden - 1));
  const Code code = finite_code((bits & 1) != 0, significand, e - (f.precision - 1), f);
  return (code & f.magnitude_mask()) == 0 ? code | 1 : code;
}

Code any_code(Draw& draw, const FormatSpec& f) { return draw.bits() >> (64 - f.bits); }
Code finite_bits(Draw& draw, const FormatSpec& f) {
  Code code = any_code(draw, f);
  while (!f.is_finite(code)) code = any_code(draw, f);
  return code;
}
Code any_finite(Draw& draw, const FormatSpec& f) {
  return at_exponent(draw, draw.between(lowest(f), f.emax()), f);
}

struct Shape {
  const FormatSpec& input;
  const FormatSpec& accumulator;
  int k;
};

struct Row {
  Code* a;
  Code* b;
  Code c = 0;  // of the accumulator
};

// Factors whose product has about this exponent, which may need both ends of the format.
void product_at(Draw& draw, int exponent, const Shape& s, Code& a, Code& b) {
  const FormatSpec& f = s.input;
  const int spread = std::min(4, (f.emax() - lowest(f)) / 4);
  const int half = exponent / 2 + draw.between(-spread, spread);
  const int ea = std::clamp(half, lowest(f), f.emax());
  const int eb = std::clamp(exponent - ea, lowest(f), f.emax());
  a = at_exponent(draw, std::clamp(exponent - eb, lowest(f), f.emax()), f);
  b = at_exponent(draw, eb, f);
}

ExactSum products_of(const Row& row, const Shape& s) {
  ExactSum sum;
  for (int i = 0; i < s.k; ++i) sum.add_product(row.a[i], s.input, row.b[i], s.input);
  return sum;
}

// The neighbour `steps` codes further from zero (negative: nearer), of the same sign and finite.
Code stepped(Code code, int steps, const FormatSpec& f) {
  const auto magnitude = static_cast<std::int64_t>(code & f.magnitude_mask());
  const auto top = static_cast<std::int64_t>(f.max_finite_code());
  return (code & f.sign_code()) | static_cast<Code>(std::clamp<std::int64_t>(magnitude + steps, 0, top));
}

void shuffle(Draw& draw, Row& row, int k) {
  for (int i = k - 1; i > 0; --i) {
    const int j = draw.below(i + 1);
    std::swap(row.a[i], row.a[j]);
    std::swap(row.b[i], row.b[j]);
  }
}

void unit(Draw& draw, const Shape& s, Row& row) {
  for (int i = 0; i < s.k; ++i) {
    row.a[i] = unit_scale(draw, s.input);
    row.b[i] = unit_scale(draw, s.input);
  }
  row.c = unit_scale(draw, s.accumulator);
}

void positive(Draw& draw, const Shape& s, Row& row) {
  for (int i = 0; i < s.k; ++i) {
    row.a[i] = unit_scale(draw, s.input, true);
    row.b[i] = unit_scale(draw, s.input, true);
  }
  row.c = unit_scale(draw, s.accumulator, true);
}

void finite(Draw& draw, const Shape& s, Row& row) {
  for (int i = 0; i < s.k; ++i) {
    row.a[i] = finite_bits(draw, s.input);
    row.b[i] = finite_bits(draw, s.input);
  }
  row.c = finite_bits(draw, s.accumulator);
}

void any_bits(Draw& draw, const Shape& s, Row& row) {
  for (int i = 0; i < s.k; ++i) {
    row.a[i] = any_code(draw, s.input);
    row.b[i] = any_code(draw, s.input);
  }
  row.c = any_code(draw, s.accumulator);
}

void cancel_c(Draw& draw, const Shape& s, Row& row) {
  unit(draw, s, row);
  ExactSum sum = products_of(row, s);
  sum.negate();
  row.c = stepped(sum.rounded(s.accumulator).code, draw.between(-2, 2), s.accumulator);
}

void cancel_products(Draw& draw, const Shape& s, Row& row) {
  unit(draw, s, row);
  for (int i = 0; i + 1 < s.k; i += 2) {
    row.a[i + 1] = stepped(row.a[i], draw.between(-1, 1), s.input) ^ s.input.sign_code();
    row.b[i + 1] = row.b[i];
  }
  shuffle(draw, row, s.k);
  row.c = draw.one_in(4) ? zero(draw.one_in(2), s.accumulator)
                         : at_exponent(draw, draw.between(-30, 0), s.accumulator);
}

// Products and addends at the accumulator's smallest numbers, or at the smallest products of a narrow format.
void underflow(Draw& draw, const Shape& s, Row& row) {
  const FormatSpec& acc = s.accumulator;
  const int low = std::max(lowest(acc) - 6, 2 * lowest(s.input));
  const int top = low + draw.below(acc.precision + 8);
  for (int i = 0; i < s.k; ++i) product_at(draw, top - draw.below(10), s, row.a[i], row.b[i]);
  row.c = draw.one_in(4) ? zero(draw.one_in(2), acc)
                         : at_exponent(draw, lowest(acc) + draw.below(acc.precision + 8), acc);
}

// Sums on either side of the accumulator's largest number, most terms of one sign.
void overflow(Draw& draw, const Shape& s, Row& row) {
  const FormatSpec& acc = s.accumulator;
  const int high = std::min(acc.emax(), 2 * s.input.emax());
  const bool sign = draw.one_in(2);
  const int top = high - draw.below(9);
  for (int i = 0; i < s.k; ++i) {
    product_at(draw, top - draw.below(6), s, row.a[i], row.b[i]);
    const bool negative = draw.one_in(8) ? !sign : sign;
    row.a[i] &= s.input.magnitude_mask();
    row.b[i] &= s.input.magnitude_mask();
    if (negative) row.a[i] |= s.input.sign_code();
  }
  row.c = draw.one_in(3) ? zero(false, acc) : at_exponent(draw, acc.emax() - draw.below(8), acc);
}

Code special(Draw& draw, const FormatSpec& f) {
  const Code sign = zero(draw.one_in(2), f);
  switch (draw.below(8)) {
    case 0:
    case 1: return sign;
    case 2:
    case 3: return sign | (f.has_infinity() ? f.infinity_code() : f.max_finite_code());
    case 4: {  // any NaN, quiet or signalling
      if (!f.has_infinity()) return sign | f.nan_code();
      const Code payload = draw.bits() & (f.min_normal_code() - 1);
      return sign | f.infinity_code() | (payload == 0 ? 1 : payload);
    }
    case 5: return sign | f.max_finite_code();
    case 6: return sign | 1;
    default: return sign | f.min_normal_code();
  }
}

// Few enough that most rows have no NaN, for those all look alike.
void specials(Draw& draw, const Shape& s, Row& row) {
  unit(draw, s, row);
  const int count = draw.between(1, 3);
  for (int i = 0; i < count; ++i) {
    Code* const side = draw.one_in(2) ? row.a : row.b;
    side[draw.below(s.k)] = special(draw, s.input);
  }
  if (draw.one_in(3)) row.c = special(draw, s.accumulator);
}

void wide(Draw& draw, const Shape& s, Row& row) {
  for (int i = 0; i < s.k; ++i) {
    row.a[i] = draw.one_in(16) ? zero(draw.one_in(2), s.input) : any_finite(draw, s.input);
    row.b[i] = any_finite(draw, s.input);
  }
  row.c = any_finite(draw, s.accumulator);
}

// One product leads, the others and c reach across the place where they are cut off.
void window(Draw& draw, const Shape& s, Row& row) {
  const FormatSpec& acc = s.accumulator;
  const int low = std::max(2 * lowest(s.input) + 34, lowest(acc) + 34);
  const int high = std::min(2 * s.input.emax(), acc.emax()) - 8;
  const int lead = low <= high ? draw.between(low, high) : high;
  for (int i = 0; i < s.k; ++i)
    product_at(draw, i == 0 ? lead : lead - draw.below(35), s, row.a[i], row.b[i]);
  shuffle(draw, row, s.k);
  row.c = draw.one_in(4) ? zero(draw.one_in(2), acc) : at_exponent(draw, lead + 2 - draw.below(35), acc);
}

void subnormals(Draw& draw, const Shape& s, Row& row) {
  const FormatSpec& f = s.input;
  const FormatSpec& acc = s.accumulator;
  const auto small = [&] {
    return static_cast<Code>(
               draw.between(1, static_cast<int>(std::min<Code>(f.min_normal_code() - 1, 1 << 20)))) |
           zero(draw.one_in(2), f);
  };
  const int other = draw.one_in(2) ? f.emax() - 2 : draw.between(f.emin, f.emax());
  for (int i = 0; i < s.k; ++i) {
    row.a[i] = small();
    row.b[i] = draw.one_in(4) ? small() : at_exponent(draw, other - draw.below(4), f);
    if (draw.one_in(2)) std::swap(row.a[i], row.b[i]);
  }
  switch (draw.below(3)) {
    case 0: row.c = zero(draw.one_in(2), acc); break;
    case 1: row.c = at_exponent(draw, draw.between(lowest(acc), acc.emin - 1), acc); break;
    default: row.c = at_exponent(draw, std::min(f.emin + other + draw.between(-8, 4), acc.emax()), acc);
  }
}

// c alone, or beside one product as small as the format has it.
void zero_products(Draw& draw, const Shape& s, Row& row) {
  for (int i = 0; i < s.k; ++i) {
    row.a[i] = zero(draw.one_in(2), s.input);
    row.b[i] = any_finite(draw, s.input);
    if (draw.one_in(2)) std::swap(row.a[i], row.b[i]);
  }
  const int low = lowest(s.accumulator);
  if (draw.one_in(2)) {
    const int i = draw.below(s.k);
    const int least = std::max(low - 8, 2 * lowest(s.input));
    product_at(draw, least + draw.below(40), s, row.a[i], row.b[i]);
  }
  row.c = draw.one_in(8) ? zero(draw.one_in(2), s.accumulator)
                         : at_exponent(draw, low + draw.below(40), s.accumulator);
}

// Sums that are exactly zero, from zeros of either sign or from terms that cancel.
void zeros(Draw& draw, const Shape& s, Row& row) {
  const int pattern = draw.below(4);  // product zeros: all +, all -, mixed; or terms that cancel
  for (int i = 0; i < s.k; ++i) {
    const bool negative = pattern == 1 || (pattern == 2 && draw.one_in(2));
    row.b[i] = draw.one_in(4) ? zero(draw.one_in(2), s.input) : any_finite(draw, s.input);
    row.a[i] = zero(negative != s.input.is_negative(row.b[i]), s.input);
    if (draw.one_in(2)) std::swap(row.a[i], row.b[i]);
  }
  row.c = zero(draw.one_in(2), s.accumulator);
  if (pattern != 3) return;
  const bool with_c = s.k < 2 || draw.one_in(2);
  row.a[0] = unit_scale(draw, s.input);
  const int exponent = draw.between(-2, 2);
  row.b[0] = finite_code(draw.one_in(2), 1, exponent, s.input);
  if (with_c) {
    ExactSum sum;
    sum.add_product(row.a[0], s.input, row.b[0], s.input);
    sum.negate();
    row.c = sum.rounded(s.accumulator).code;
  } else {
    row.a[1] = row.a[0] ^ s.input.sign_code();
    row.b[1] = row.b[0];
  }
  shuffle(draw, row, s.k);
}

bool reaches_floor(const Shape& s) { return 2 * lowest(s.input) < lowest(s.accumulator) - 1; }

// Products far below the accumulator's last place, whose exact sum is one of its numbers, half-way between two, or one
// unit of the products off either. A unit that aligns them no lower than some floor loses bits of each and answers one
// number less; where that starts, as 2^unit sinks, gives the floor. c is zero: any other would raise the exponent.
void floor(Draw& draw, const Shape& s, Row& row) {
  const FormatSpec& f = s.input;
  const int last = lowest(s.accumulator);
  const int deepest = std::max(2 * lowest(f), last - std::min(24, 2 * f.precision + 2));
  const int exponent = draw.between(deepest, last - 1);
  const int gap = last - exponent;  // the accumulator's last place is 2^gap units
  std::uint64_t left = std::uint64_t{static_cast<unsigned>(draw.between(0, 3))} << gap;
  // Units cut float32 and round float16: the first change at a number, the second half-way.
  const bool rounds = s.accumulator == formats::float16;
  if (left == 0 || draw.one_in(4) != rounds) left += std::uint64_t{1} << (gap - 1);
  left += static_cast<std::uint64_t>(draw.between(0, 2));
  --left;
  const bool negative = draw.one_in(2);
  // a = u 2^x, b = v 2^(unit - x).
  const int x = std::clamp(exponent / 2 + draw.between(-3, 3),
                           std::max(lowest(f), exponent - f.emax() + f.precision), exponent - lowest(f));
  const std::uint64_t most = std::min(2 * f.min_normal_code() - 1, std::uint64_t{1} << 20);
  const auto near_top = [&](std::uint64_t top) {
    return top - static_cast<std::uint64_t>(draw.below(static_cast<int>(top / 4 + 1)));
  };
  for (int i = 0; i < s.k; ++i) {
    // The last but one leaves less than a factor, which the last takes whole.
    const int after = s.k - 1 - i;
    const std::uint64_t widest = std::min(left, most);
    const bool whole = widest == left && (after == 0 || draw.one_in(4));
    const std::uint64_t u = whole ? left : near_top(widest);
    const std::uint64_t fits = u == 0 ? 0 : std::min(left / u, most);
    const std::uint64_t v = whole ? std::min<std::uint64_t>(fits, 1) : after <= 1 ? fits : near_top(fits);
    left -= u * v;
    row.a[i] = finite_code(negative, u, x, f);
    row.b[i] = finite_code(false, v, exponent - x, f);
  }
  shuffle(draw, row, s.k);
  row.c = zero(draw.one_in(2), s.accumulator);
}

// A number of the accumulator, half of its last place, and a trifle more or less.
void halfway(Draw& draw, const Shape& s, Row& row) {
  const FormatSpec& f = s.input;
  const FormatSpec& acc = s.accumulator;
  for (int i = 0; i < s.k; ++i) row.a[i] = row.b[i] = zero(false, f);
  const int low = std::max(2 * lowest(f) + acc.precision + 2, acc.emin);
  const int high = std::min(2 * f.emax(), acc.emax()) - 2;
  const int lead = low <= high ? draw.between(low, high) : high;
  int next = 0;
  const auto power = [&](int exponent) {  // one more product, +-2^exponent as near as the format allows
    if (next == s.k) return;
    const int x = std::clamp(exponent / 2, lowest(f), f.emax());
    row.a[next] = finite_code(draw.one_in(2), 1, x, f);
    row.b[next++] = finite_code(false, 1, std::clamp(exponent - x, lowest(f), f.emax()), f);
  };
  if (s.k < 2 || draw.one_in(2)) {
    row.c = at_exponent(draw, lead, acc);
  } else {
    product_at(draw, lead, s, row.a[0], row.b[0]);
    next = 1;
    row.c = zero(false, acc);
  }
  power(lead - acc.precision);
  if (draw.one_in(2)) power(lead - acc.precision - 1 - draw.below(6));
  shuffle(draw, row, s.k);
}

struct Maker {
  ProbeClass about;
  void (*fill)(Draw&, const Shape&, Row&);
  bool (*possible)(const Shape&);
};

constexpr auto always = [](const Shape&) { return true; };
constexpr auto of_two = [](const Shape& s) { return s.k >= 2; };

const Maker makers[] = {
    {{"unit", "uniform in (-1, 1)"}, unit, always},
    {{"positive", "uniform in [0, 1)"}, positive, always},
    {{"finite_bits", "uniform bits, finite"}, finite, always},
    {{"bits", "uniform bits"}, any_bits, always},
    {{"cancel_c", "c is minus the sum of the products, within two steps"}, cancel_c, always},
    {{"cancel_products", "products cancel in pairs, within a step"}, cancel_products, of_two},
    {{"underflow", "products and c about the smallest numbers of the accumulator"}, underflow, always},
    {{"overflow", "products and c about its largest"}, overflow, always},
    {{"specials", "some zeros, infinities, NaNs, largest and smallest numbers among unit scale"},
     specials,
     always},
    {{"wide", "exponents uniform over the formats"}, wide, always},
    {{"window", "terms up to 34 binades below the largest"}, window, always},
    {{"subnormals", "one factor of each product subnormal, or both"}, subnormals, always},
    {{"zero_products", "zero products beside a tiny c or product"}, zero_products, always},
    {{"zeros", "sums that are exactly zero, of all signs"}, zeros, always},
    {{"floor", "products below the accumulator's last place that add up to it, c zero"},
     floor,
     reaches_floor},
    {{"halfway", "a number of the accumulator and half its last place, or nearly"}, halfway, always},
};

}  // namespace

const std::vector<ProbeClass>& probe_classes() {
  static const std::vector<ProbeClass> all = [] {
    std::vector<ProbeClass> classes;
    for (const Maker& maker : makers) classes.push_back(maker.about);
    return classes;
  }();
  return all;
}

ProbeVectors make_probe_vectors(const FormatSpec& input, const std::vector<FormatSpec>& accumulators,
                                std::size_t k, std::size_t rows, std::uint64_t seed) {
  if (k == 0 || accumulators.empty()) throw ContractError("probe vectors need k and an accumulator");
  ProbeVectors v{
      .input = input, .addend = formats::float32, .k = k, .a = {}, .b = {}, .c = {}, .classes = {}};
  for (const FormatSpec& f : accumulators) {
    if (f.bits > 32) v.addend = formats::float64;
  }
  std::uint64_t stream = 0;
  for (const FormatSpec& accumulator : accumulators) {
    const Shape shape{input, accumulator, static_cast<int>(k)};
    for (const Maker& maker : makers) {
      ++stream;  // of its own, whether the class is possible or not
      if (!maker.possible(shape)) continue;
      const std::size_t begin = v.rows();
      v.classes.push_back({std::string(maker.about.name), accumulator, begin, begin + rows});
      v.a.resize((begin + rows) * k);
      v.b.resize((begin + rows) * k);
      for (std::size_t i = 0; i < rows; ++i) {
        Draw draw(seed, stream, i);
        Row row{v.a.data() + (begin + i) * k, v.b.data() + (begin + i) * k};
        maker.fill(draw, shape, row);
        // Widening keeps the value; of a NaN it keeps that it is one.
        v.c.push_back(accumulator == v.addend ? row.c : convert(row.c, accumulator, v.addend).code);
      }
    }
  }
  return v;
}

}  // namespace assay::gpu
