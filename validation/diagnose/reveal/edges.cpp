#include <algorithm>
#include <cmath>

#include "reference/core/random.hpp"
#include "validation/diagnose/reveal/asker.hpp"

namespace assay::diagnose {
namespace {

// Draws in order, from one stream: never two in one expression, whose order is the compiler's.
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t index)
      : random_(seed ^ 0x9E3779B97F4A7C15U * (index + 1), 0x65646765U) {}
  int below(std::size_t n) { return static_cast<int>(random_.below(n, next_++)); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class List>
  const auto& of(const List& list) {
    return list[static_cast<std::size_t>(below(std::size(list)))];
  }

 private:
  CounterRandom random_;
  std::uint64_t next_ = 0;
};

int end_of(Draws& draw, const FormatSpec& f) {
  switch (draw.below(7)) {
    case 0: return f.emin - f.precision + 1;
    case 1:
    case 2:
    case 3: return f.emin;
    default: return 0;
  }
}

// One, or nearly a power of two, or in the middle between two.
double significand(Draws& draw, const FormatSpec& own, const std::vector<FormatSpec>& formats) {
  const int most = own.precision - 1;
  int place = 0;
  if (draw.one_in(2)) {
    place = draw.of(formats).precision;
    place = std::min(place + draw.below(3) - 1, most);
  } else {
    place = 1 + draw.below(static_cast<std::size_t>(std::max(most, 1)));
  }
  const double bit = std::ldexp(1.0, -place);
  switch (draw.below(6)) {
    case 0: return 1 + bit;
    case 1: return 2 - 2 * bit;
    case 2: return 1.5;
    default: return 1;
  }
}

// The exponent of A's factor where the product has e: all of it, or half, both factors normal if they can be.
int first_exponent(Draws& draw, const Problem& p, int e) {
  const int wish = draw.one_in(2) ? e / 2 : e;
  int low = p.a.emin, high = p.a.emax();
  if (!draw.one_in(4) && e - p.b.emax() <= high && e - p.b.emin >= low) {
    low = std::max(low, e - p.b.emax());
    high = std::min(high, e - p.b.emin);
  }
  return std::clamp(wish, low, std::max(low, high));
}

Probe::Term term(Draws& draw, const Problem& p, int leaf, double x, double y, int e) {
  if (!p.has_b() || static_cast<std::size_t>(leaf) == p.k) return {leaf, std::ldexp(x, e), 1};
  const int mine = first_exponent(draw, p, e);
  return {leaf, std::ldexp(x, mine), std::ldexp(y, e - mine)};
}

// All leaves that have no term of their own: zeros of one sign; or products that underflow somewhere, or
// subnormals, with zeros among them.
void fill(Draws& draw, const Problem& p, const std::vector<FormatSpec>& formats, Probe& probe) {
  probe.end = p.k;
  const double sign = draw.one_in(2) ? -1 : 1;
  const FormatSpec& f = draw.of(formats);
  switch (draw.below(6)) {
    case 0: {
      const Probe::Term t = term(draw, p, 0, sign, 1, f.emin - f.precision - 1 - draw.below(8));
      probe.unit_x = t.x;
      probe.unit_y = t.y;
      break;
    }
    case 1: probe.unit_x = sign * std::ldexp(1.0, p.a.emin - 1); break;
    default: probe.unit_x = sign * 0.0; return;
  }
  if (draw.one_in(2)) return;
  for (std::size_t i = 0; i < p.k; i += 4) probe.terms.push_back({draw.below(p.k), sign * 0.0, 1});
}

// As near to x as so many places come.
double rounded(double x, int places) {
  int e = 0;
  std::frexp(x, &e);
  return std::ldexp(std::nearbyint(std::ldexp(x, places - e)), e - places);
}

struct Factors {
  double x, y;
};

// Factors whose product comes as near to s as a few draws find, or one factor and 1.
Factors factors_near(Draws& draw, const Problem& p, int leaf, double s) {
  const bool alone = !p.has_b() || static_cast<std::size_t>(leaf) == p.k;
  Factors best{rounded(s, alone && p.has_b() ? p.c->precision : p.a.precision), 1};
  if (alone || (p.a.precision >= 24 && draw.one_in(2))) return best;
  const int places = std::min(p.b.precision, 24) - 1;
  double least = 1;
  for (int i = 0; i < 12; ++i) {
    const double y = 1 + std::ldexp(draw.below(std::size_t{1} << places), -places);
    const double x = rounded(s / y, p.a.precision), off = std::fabs(std::fma(x, y, -s));
    if (off >= least) continue;
    least = off;
    best = {x, y};
  }
  return best;
}

// A place of `f` at the exponent e, a tie of it or a power of two, or off that by the places of another format.
double boundary(Draws& draw, const FormatSpec& f, const FormatSpec& other, int e) {
  const int last = std::max(f.precision - 1 - std::max(0, f.emin - e), -1);  // places behind the point
  const double halves = std::ldexp(draw.below(4), -last - 1);
  const double off = std::ldexp(1.0, -std::min(other.precision + draw.below(4) - 1, 50));
  const double s = draw.one_in(2) ? 1 + halves : std::max(2 - halves, 0.5);
  return draw.one_in(3) ? s : draw.one_in(2) ? s + off : s - off;
}

double sign_of(Draws& draw) { return draw.one_in(2) ? -1 : 1; }

// A product at a boundary of one format.
Probe::Term telling(Draws& draw, const Problem& p, const std::vector<FormatSpec>& formats, int leaf) {
  const FormatSpec& f = draw.of(formats);
  int e = f.emin - draw.below(2);
  if (draw.one_in(2))
    e = draw.one_in(2) ? 0 : f.emin + 1 - draw.below(static_cast<std::size_t>(f.precision) + 3);
  const Factors near = factors_near(draw, p, leaf, boundary(draw, f, draw.of(formats), e));
  return term(draw, p, leaf, sign_of(draw) * near.x, near.y, e);
}

// Of either sign: zero, what underflows, or a small number.
Probe::Term small_term(Draws& draw, const Problem& p, const FormatSpec& f, int leaf) {
  const double sign = sign_of(draw);
  switch (draw.below(3)) {
    case 0: return {leaf, sign * 0.0, 1};
    case 1: return term(draw, p, leaf, sign, 1, f.emin - f.precision - 1 - draw.below(6));
    default: return term(draw, p, leaf, sign, 1, f.emin + draw.below(4));
  }
}

// One telling product, beside it a small number or nothing.
void product_alone(Draws& draw, const Problem& p, const std::vector<FormatSpec>& formats, const Meeting& at,
                   Probe& probe) {
  probe.terms.push_back(telling(draw, p, formats, at.first));
  if (at.second >= 0 && draw.one_in(2))
    probe.terms.push_back(small_term(draw, p, draw.of(formats), at.second));
}

// Two terms that leave nothing, or less than a normal number of a format, and one that joins it.
void cancelled(Draws& draw, const Problem& p, const std::vector<FormatSpec>& formats, const Meeting& at,
               Probe& probe) {
  const FormatSpec& f = draw.of(formats);
  const int lowest = std::max(lowest_exponent(p, draw.one_in(4)), f.emin);
  const int e = lowest + draw.below(4), left = std::min(1 + e - f.emin + draw.below(3), p.a.precision - 1);
  const double sign = sign_of(draw), rest = draw.one_in(4) ? 0 : std::ldexp(1.0, -left);
  const bool more = draw.one_in(2);
  probe.terms.push_back(term(draw, p, at.first, sign * (more ? 1 + rest : 1), 1, e));
  probe.terms.push_back(term(draw, p, at.second, -sign * (more ? 1 : 1 + rest), 1, e));
  if (at.third < 0) return;
  probe.terms.push_back(draw.one_in(3) ? telling(draw, p, formats, at.third)
                                       : small_term(draw, p, f, at.third));
}

// One, a tie of one format, mostly the output's, and less than another format keeps: the tie is met, or passed, by what
// a first rounding makes of the third.
void sticky(Draws& draw, const Problem& p, const std::vector<FormatSpec>& formats, const Meeting& at,
            Probe& probe) {
  const FormatSpec& f = draw.one_in(2) ? p.output : draw.of(formats);
  int keeps = draw.of(formats).precision;
  if (draw.one_in(2)) {
    for (const FormatSpec& g : formats) keeps = std::max(keeps, g.precision);
  }
  const int ends[] = {0, f.emin, highest_exponent(p) - 2, draw.of(formats).emax() - 2};
  const int e = draw.of(ends);
  int far = e - keeps + 1 - draw.below(4);
  if (draw.one_in(2)) far -= f.precision;
  int leaves[] = {at.first, at.second, at.third};
  if (draw.one_in(2)) std::swap(leaves[draw.below(2)], leaves[2]);
  if (draw.one_in(2)) std::swap(leaves[0], leaves[1]);
  const double sign = sign_of(draw);
  const bool odd = draw.one_in(2);  // the place above the tie
  probe.terms.push_back(term(draw, p, leaves[0], sign, 1, e));
  probe.terms.push_back(
      term(draw, p, leaves[1], odd ? 1.5 * sign : sign, 1, e - f.precision + (odd ? 1 : 0)));
  probe.terms.push_back(term(draw, p, leaves[2], sign_of(draw), 1, far));
}

// Two terms as large as a format goes, and one that brings their sum back where it did not overflow.
void overflowing(Draws& draw, const Problem& p, const std::vector<FormatSpec>& formats, const Meeting& at,
                 Probe& probe) {
  const int e = draw.of(formats).emax();
  const double sign = sign_of(draw);
  for (const int leaf : {at.first, at.second})
    probe.terms.push_back(term(draw, p, leaf, draw.one_in(2) ? 1.5 * sign : sign, 1, e));
  probe.terms.push_back(term(draw, p, at.third, -sign, 1, e));
}

// Up to four terms anywhere.
void scattered(Draws& draw, const Problem& p, const std::vector<FormatSpec>& formats,
               const std::vector<Meeting>& meetings, Probe& probe) {
  const std::size_t leaves = p.k + (p.adds_c() ? 1 : 0);
  // At the top all terms are about as large: sums of them overflow and come back, or do not.
  const bool top = draw.one_in(8);
  int base = top ? draw.of(formats).emax() : end_of(draw, draw.of(formats)) - 2;
  if (!top) base += draw.below(7);
  const int terms = draw.below(5);
  double last = 1;
  int leaf = 0;
  for (int t = 0; t < terms; ++t) {
    const double x = significand(draw, p.a, formats), y = significand(draw, p.b, formats);
    int e = top ? base - draw.below(2) : base + draw.below(3) - 1;
    double sign = draw.one_in(2) ? -1 : draw.one_in(8) ? 0 : 1;
    const bool cancels = t > 0 && draw.one_in(3);
    const int partner = meetings[static_cast<std::size_t>(leaf)].second;
    leaf = cancels && !draw.one_in(3) ? (partner < 0 ? leaf : partner) : draw.below(leaves);
    if (cancels) {
      e = base;
      sign = -last;
    } else if (t > 0 && !top && !draw.one_in(3)) {
      e -= draw.of(formats).precision;
    }
    if (t == 0) e = base;
    last = sign;
    probe.terms.push_back(term(draw, p, leaf, sign * x, y, e));
  }
}

}  // namespace

Probe edge_probe(const Problem& p, const std::vector<FormatSpec>& formats,
                 const std::vector<Meeting>& meetings, std::uint64_t seed, std::uint64_t index) {
  Draws draw(seed, index);
  Probe probe;
  fill(draw, p, formats, probe);
  const Meeting& at = draw.of(meetings);
  const int kind = draw.below(20);
  if (kind < 4) {
    product_alone(draw, p, formats, at, probe);
  } else if (kind < 9 && at.second >= 0) {
    cancelled(draw, p, formats, at, probe);
  } else if (kind < 13 && at.third >= 0) {
    sticky(draw, p, formats, at, probe);
  } else if (kind < 14 && at.third >= 0) {
    overflowing(draw, p, formats, at, probe);
  } else {
    scattered(draw, p, formats, meetings, probe);
  }
  return probe;
}

}  // namespace assay::diagnose
