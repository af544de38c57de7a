#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"
#include "validation/diagnose/reveal/reveal.hpp"
#include "validation/diagnose/reveal/term_inputs.hpp"

namespace assay::diagnose {
namespace {

// Kinds that are made term by term; null for the others.
std::unique_ptr<const TermInputs> inputs_by_term(const Problem& p, InputKind kind, std::uint64_t seed,
                                                 std::uint64_t index) {
  switch (kind) {
    case InputKind::deep: return deep_inputs(p, seed, index);
    case InputKind::ties: return tie_inputs(p, seed, index);
    case InputKind::top: return top_inputs(p, seed, index);
    case InputKind::patterned: return patterned_inputs(p, seed, index);
    default: return nullptr;
  }
}

class Generator {
 public:
  Generator(const Problem& p, InputKind kind, std::uint64_t seed, std::uint64_t index)
      : p_(p),
        kind_(kind),
        index_(index),
        random_(seed ^ 0x9E3779B97F4A7C15U * (index + 1), 0x70726f62U),
        by_term_(inputs_by_term(p, kind, seed, index)) {}

  std::vector<std::byte> codes(const FormatSpec& f, std::size_t n, int operand) {
    std::vector<std::byte> bytes(n * code_bytes(f));
    for (std::size_t i = 0; i < n; ++i) {
      const double x = value(f, i, operand);
      detail::store_code(bytes.data(), static_cast<std::ptrdiff_t>(i), code_bytes(f), encode(x, f).code);
    }
    return bytes;
  }

 private:
  std::uint64_t draw(std::uint64_t n) { return random_.below(n, next_++); }

  double value(const FormatSpec& f, std::size_t i, int operand) {
    if (by_term_) {
      const double x = by_term_->value(f, i, operand);
      return operand == 2 && kind_ == InputKind::deep ? std::ldexp(x, balance()) : x;
    }
    const double x = random_.normal(next_++);
    switch (kind_) {
      case InputKind::normal: return operand == 2 ? std::ldexp(x, balance()) : x;
      case InputKind::wide: {
        const int reach = std::max(1, std::min(-f.emin, 1000) / 5);
        return std::ldexp(x, static_cast<int>(draw(static_cast<std::uint64_t>(2 * reach + 1))) - reach);
      }
      case InputKind::tiny: return tiny(x, f, operand);
      case InputKind::sparse: return chosen(i, operand) ? tiny(x, f, operand) : std::copysign(0.0, x);
      case InputKind::zeros: return draw(64) == 0 ? tiny(x, f, operand) : std::copysign(0.0, x);
      case InputKind::integers: return std::round(x);
      case InputKind::special: return special(x, f, i, operand);
      case InputKind::threshold: return threshold(x, f, i, operand);
      case InputKind::deep:
      case InputKind::ties:
      case InputKind::top:
      case InputKind::patterned: break;  // by term
    }
    return x;
  }

  // Every other C is so large that beta C meets alpha A B.
  int balance() const {
    if (!p_.scaled() || !p_.adds_c() || index_ % 2 == 0) return 0;
    return static_cast<int>(std::lround(std::log2(std::fabs(p_.alpha / p_.beta))));
  }

  // The same few terms of both operands.
  bool chosen(std::size_t i, int operand) const {
    if (operand == 2) return true;
    const CounterRandom pick(0x5eed + index_, 7);
    return pick.below(std::max<std::size_t>(p_.k / 5, 1), p_.term_of(i, operand)) == 0;
  }
  // Two terms of this input, the same of both operands; one and the same where there is no other.
  std::size_t first_term() const { return CounterRandom(index_, 0x31).below(p_.k, 0); }
  std::size_t second_term() const {
    if (p_.k == 1) return 0;
    return (first_term() + 1 + CounterRandom(index_, 0x32).below(p_.k - 1, 0)) % p_.k;
  }

  // Of one term half the elements of one operand are zeros, half those of the other infinite or NaN. Of every fourth
  // pair of inputs all terms are zeros by one operand alone, and C is a zero.
  double special(double x, const FormatSpec& f, std::size_t i, int operand) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const std::uint64_t what = index_ / 2 % 4;
    const bool zeros = operand == static_cast<int>(index_ % 2);
    if (what == 3) return zeros || operand == 2 ? std::copysign(0.0, x) : x;
    const double specials[] = {infinity, std::numeric_limits<double>::quiet_NaN(), -infinity};
    const double value = std::isnan(specials[what]) || f.has_infinity() ? specials[what] : x;
    if (operand == 2 || (std::isnan(value) && !f.has_nan())) return x;
    const std::size_t term = p_.term_of(i, operand);
    if (!p_.has_b())
      return term == first_term() ? value : term == second_term() && index_ % 2 == 0 ? -value : x;
    if (term != first_term() || draw(2) == 0) return x;
    return zeros ? std::copysign(0.0, x) : value;
  }

  // Terms of which only two are no zeros: s = 2^e (1 - d), d within two roundings of 0, is one of them or their sum.
  double threshold(double x, const FormatSpec& f, std::size_t i, int operand) {
    const FormatSpec* const bottoms[] = {&p_.output, &formats::float32, &formats::float16};
    const FormatSpec& bottom = *bottoms[index_ % 3];
    const std::size_t term = p_.term_of(i, operand);
    if (operand == 2 || (term != first_term() && term != second_term())) return std::copysign(0.0, x);
    const double d = std::ldexp(CounterRandom(index_, 0x33).uniform(0), 1 - bottom.precision);
    const double sign = index_ / 3 % 2 == 0 ? 1 : -1;
    const bool first = term == first_term();
    double share = 1 - d, rest = 0;  // of the first term, of the second
    if (p_.k > 1 && index_ / 6 % 3 == 1) share = -d, rest = 1;
    if (p_.k > 1 && index_ / 6 % 3 == 2) share = -0.5 - d, rest = 1.5;
    const double value = sign * (first ? share : rest);
    if (!p_.has_b()) return std::ldexp(value, bottom.emin);
    const int mine = std::clamp(bottom.emin / 2, p_.a.emin, p_.a.emax());
    if (operand == 0) return std::ldexp(significand(p_.line_of(i, 0), f), mine);
    // Of a matrix each column meets one row so.
    return std::ldexp(value / significand(p_.line_of(i, 1) % p_.m, p_.a), bottom.emin - mine);
  }
  // Between 1 and 2, of the format's places.
  double significand(std::size_t row, const FormatSpec& f) const {
    const int places = std::min(f.precision, 24) - 1;
    return 1 +
           std::ldexp(static_cast<double>(CounterRandom(index_, 0x34).below(std::uint64_t{1} << places, row)),
                      -places);
  }

  double tiny(double x, const FormatSpec& f, int operand) {
    // Where the smallest normal number lies that products, or sums, are to meet.
    const int bottoms[] = {p_.output.emin, formats::float32.emin, formats::float16.emin};
    const int bottom = bottoms[index_ % 3];
    const int e = bottom + static_cast<int>(draw(14)) - 6;
    if (!p_.has_b() || operand == 2) return std::ldexp(x, std::max(e, f.emin - f.precision));
    // Both factors share the exponent; now and then one of them is subnormal itself.
    const int other = operand == 0 ? p_.b.emin : p_.a.emin;
    int mine = e / 2;
    if (draw(8) == 0) mine = f.emin - static_cast<int>(draw(3));
    if (mine < f.emin - f.precision) mine = f.emin - f.precision + 2;
    if (e - mine < other && operand == 1) mine = std::max(e - other, f.emin);
    return std::ldexp(x, mine);
  }

  const Problem& p_;
  InputKind kind_;
  std::uint64_t index_;
  CounterRandom random_;
  std::uint64_t next_ = 0;
  std::unique_ptr<const TermInputs> by_term_;
};

}  // namespace

Case random_case(const Problem& p, InputKind kind, std::uint64_t seed, std::uint64_t index) {
  Generator g(p, kind, seed + 0x1000003U * static_cast<std::uint64_t>(kind), index);
  Case x;
  x.a = g.codes(p.a, p.a_size(), 0);
  if (p.b_size() > 0) x.b = g.codes(p.b, p.b_size(), 1);
  if (p.c) x.c = g.codes(*p.c, p.c_size(), 2);
  return x;
}

}  // namespace assay::diagnose
