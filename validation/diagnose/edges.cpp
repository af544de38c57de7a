#include <algorithm>
#include <cmath>

#include "reference/core/random.hpp"
#include "validation/diagnose/asker.hpp"

namespace assay::diagnose {
namespace {

// Draws in order, from one stream.
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
  const int place = draw.one_in(2) ? std::min(draw.of(formats).precision + draw.below(3) - 1, most)
                                   : 1 + draw.below(static_cast<std::size_t>(std::max(most, 1)));
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

}  // namespace

Probe edge_probe(const Problem& p, const std::vector<FormatSpec>& formats, const std::vector<int>& partners,
                 std::uint64_t seed, std::uint64_t index) {
  Draws draw(seed, index);
  const std::size_t leaves = p.k + (p.adds_c() ? 1 : 0);
  Probe probe;
  fill(draw, p, formats, probe);
  // At the top all terms are about as large: sums of them overflow and come back, or do not.
  const bool top = draw.one_in(8);
  const int base = top ? draw.of(formats).emax() : end_of(draw, draw.of(formats)) + draw.below(7) - 2;
  const int terms = draw.below(5);
  double last = 1;
  int leaf = 0;
  for (int t = 0; t < terms; ++t) {
    const double x = significand(draw, p.a, formats), y = significand(draw, p.b, formats);
    int e = top ? base - draw.below(2) : base + draw.below(3) - 1;
    double sign = draw.one_in(2) ? -1 : draw.one_in(8) ? 0 : 1;
    const bool cancels = t > 0 && draw.one_in(3);
    leaf = cancels && !draw.one_in(3) ? partners[static_cast<std::size_t>(leaf)] : draw.below(leaves);
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
  return probe;
}

}  // namespace assay::diagnose
