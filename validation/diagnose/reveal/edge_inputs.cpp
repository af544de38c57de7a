#include <cmath>
#include <limits>
#include <string>

#include "validation/diagnose/reveal/term_inputs.hpp"

namespace assay::diagnose {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// A few terms that are not zero.
class Few : public TermInputs {
 public:
  double value(const FormatSpec& /*f*/, std::size_t i, int operand) const override {
    if (operand == 2) return c_;
    const std::size_t term = p_.term_of(i, operand), line = p_.line_of(i, operand);
    const Term& t = terms_[term];
    if (t.significand == 0) return operand == 1 ? 1 : (bits(2, term, 0) & 1U) != 0 ? -0.0 : 0.0;
    const int e = operand == 0 ? t.first : t.exponent - t.first;
    // (1 + d)(1 - d) is 1 - d^2: as near to 1 as products of two factors come.
    const double d = t.off == 0 ? 0 : std::ldexp((bits(operand, term, line) & 1U) != 0 ? -1 : 1, -t.off);
    const double x = (operand == 0 ? t.significand : 1) * (1 + d);
    return std::ldexp(x, e);
  }

 protected:
  struct Term {
    double significand = 0;  // 0: the term is a zero
    int exponent = 0;        // of the product, and of A's factor
    int first = 0;
    int off =
        0;  // both factors are off by 2^-off, up in some rows and columns and down in others; 0: they are not
  };

  Few(const Problem& p, std::uint64_t seed, std::uint64_t index, std::uint64_t stream)
      : TermInputs(p, seed, index, stream), terms_(p.k), places_(drawn_places()) {}

  // Nothing where no place is left.
  void add(double significand, int exponent, int off = 0) {
    exponent = std::clamp(exponent, lowest(), highest());
    add_as(significand, exponent, first_exponent(exponent), off);
  }
  void add_as(double significand, int exponent, int first, int off) {
    if (places_.empty()) return;
    terms_[places_.back()] = {significand, exponent, first, p_.has_b() ? off : 0};
    places_.pop_back();
  }
  std::size_t places_left() const { return places_.size(); }
  // So far off 1 that both formats hold the factors, the nearest every other time.
  int draw_off() {
    const int most = std::min({p_.a.precision, p_.b.precision, 27}) - 1;
    return one_in(2) ? most : 1 + static_cast<int>(draw(static_cast<std::uint64_t>(std::max(most, 1))));
  }

  double c_ = 0;

 private:
  std::vector<Term> terms_;
  std::vector<std::size_t> places_;
};

// Sums at a tie of the output or of an accumulator, or off it by the square of what a factor can be off: where a sum
// that is rounded twice parts from one that is rounded once.
class Ties final : public Few {
 public:
  Ties(const Problem& p, std::uint64_t seed, std::uint64_t index) : Few(p, seed, index, 0x74696573U) {
    const int precisions[] = {p.output.precision, p.output.precision, 24, 53, 64, 11, 8};
    const int places = draw_of(precisions);
    const int low = lowest() + places, high = std::min(highest(), p.output.emax()) - 3;
    const int one = std::clamp(static_cast<int>(draw(7)) - 3, std::min(low, high), high);
    const double sign = draw_sign();
    if (places_left() == 1 && !p.adds_c()) {
      alone(sign, one);
      return;
    }
    const bool c_is_one = p.adds_c() && one_in(2);
    const bool odd = one_in(2), comes_back = places != p.output.precision || one_in(3);
    // Where it is odd the tie's even neighbour is above.
    const bool in_one_term = (c_is_one ? p.c->precision : p.a.precision) >= places;
    const double first = sign * (odd && in_one_term ? 1 + std::ldexp(1.0, 1 - places) : 1);
    if (c_is_one) c_ = std::ldexp(first, one);
    add(sign, one - places, draw_off());  // the tie
    if (!c_is_one) add(first, one);
    if (odd && !in_one_term) add(sign, one - places + 1);
    if (comes_back) {
      add(-sign, one);
      return;
    }
    const int keeps[] = {24, 53, 64};
    const int far = one - draw_of(keeps) - static_cast<int>(draw(4)) + 1;
    if (one_in(2)) {
      add(draw_sign(), far, draw_off());
    } else if (one_in(2)) {  // many of one sign: what they come to depends on when they are added
      while (places_left() > 0) add(sign, far);
    }
  }

 private:
  // A product whose bits below the output's last place are 1 and then nothing as far as the format goes.
  void alone(double sign, int e) {
    const int tie = std::min(p_.output.precision, p_.a.precision - 2);
    const double odd = one_in(2) ? std::ldexp(1.0, 1 - tie) : 0;
    add(sign * (1 + odd + std::ldexp(1.0, -tie)), e, std::max(p_.a.precision - 1 - tie, 1));
  }
};

// Sums and products on both sides of the largest number of the output or of an accumulator, infinities, and factors
// that lie at one end of their range where the product does not.
class Top final : public Few {
 public:
  Top(const Problem& p, std::uint64_t seed, std::uint64_t index) : Few(p, seed, index, 0x746f7073U) {
    const FormatSpec* const formats[] = {&p.output,         &p.output,          &formats::float32,
                                         &formats::float16, &formats::bfloat16, &formats::float64};
    const FormatSpec& f = *draw_of(formats);
    const int e = std::min(f.emax(), highest()), last = e - f.precision;  // half of the last place
    const double sign = draw_sign();
    switch (index % 6) {
      case 0: near_largest(sign, e, last); break;
      case 1:  // a sum of powers of two that is the largest number, the tie above it or infinity
        add(sign, e);
        add(sign, e);
        add(-sign, last + static_cast<int>(draw(3)));
        if (one_in(2)) add(-sign, last - static_cast<int>(draw(40)), draw_off());
        break;
      case 2: spread(e); break;
      case 3:  // away and back
        add(sign, e, draw_off());
        add(sign, e);
        add(-sign, e, draw_off());
        add(-sign, e);
        add(draw_sign(), e - static_cast<int>(draw(30)));
        break;
      case 4:  // infinite, alone or beside its opposite
        add(sign * infinity, 0);
        add(draw_sign(), e);
        if (one_in(3)) add(draw_sign() * infinity, 0);
        break;
      default: lean(); break;
    }
    if (p.adds_c() && one_in(2)) c_ = std::ldexp(one_in(2) ? -sign : sign, std::min(e, p.c->emax()));
  }

 private:
  // One product: the largest number, the tie, and their neighbours.
  void near_largest(double sign, int e, int last) {
    const double below = std::ldexp(1.0, last - e + static_cast<int>(draw(3)) - 1);
    add(sign * (2 - below), e, one_in(2) ? draw_off() : 0);
  }
  // As large terms as give sums about the largest number.
  void spread(int e) {
    const int down = std::ilogb(static_cast<double>(p_.k)) / 2;
    while (places_left() > 0) {
      const double x = 1 + static_cast<double>(draw(1U << 10U)) * 0x1p-10;
      add(draw_sign() * x, e - down - static_cast<int>(draw(3)), draw_off());
    }
  }
  // Of each term one factor lies at an end of its range, where alpha may take it out.
  void lean() {
    while (places_left() > 0) {
      const bool by_a = !p_.has_b() || one_in(2);
      const FormatSpec &mine = by_a ? p_.a : p_.b, &other = by_a ? p_.b : p_.a;
      const int end = one_in(2) ? mine.emax() : mine.emin - static_cast<int>(draw(3));
      int product = static_cast<int>(draw(5)) - 2;
      if (p_.has_b()) product = std::clamp(product, end + other.emin - 2, end + other.emax());
      const double x = draw_sign() * (1 + static_cast<double>(draw(8)) / 8);
      add_as(x, product, by_a ? (p_.has_b() ? end : product) : product - end, p_.has_b() ? draw_off() : 0);
    }
  }
};

// What a program may look at before it adds: signs, sizes, equal and sorted terms, whole numbers, zeros.
class Patterned final : public TermInputs {
 public:
  Patterned(const Problem& p, std::uint64_t seed, std::uint64_t index)
      : TermInputs(p, seed, index, 0x70617474U),
        pattern_(index % patterns),
        mine_(static_cast<int>(index / patterns % 2)),
        first_(draw(p.k)),
        block_(std::size_t{1} << draw(6)),
        special_(draw_sign() * (one_in(2) ? infinity : nan)) {
    if (!p.has_b()) mine_ = 0;
    block_ = std::min(block_, p.k);
  }

  double value(const FormatSpec& f, std::size_t i, int operand) const override {
    const double x = normal(operand, i);
    if (operand == 2) return has_zeros() && (bits(2, i, 1) & 1U) != 0 ? 0 : x;
    const std::size_t term = p_.term_of(i, operand), line = p_.line_of(i, operand);
    return has_zeros() ? with_zeros(x, f, term, line, operand) : in_order(x, f, term, line, operand);
  }

 private:
  static constexpr std::uint64_t patterns = 16;
  bool has_zeros() const { return pattern_ >= 9; }

  double in_order(double x, const FormatSpec& f, std::size_t term, std::size_t line, int operand) const {
    const double place = static_cast<double>(term) + 1, size = static_cast<double>(p_.k) + 1;
    const double step = 16 / size;
    const bool first = operand == mine_;
    const double like = bits(operand, 0, line) % 2 == 0 ? 1.25 : 1 + std::ldexp(1.0, 1 - f.precision);
    switch (pattern_) {
      case 0: return std::fabs(x);
      case 1: return first ? -std::fabs(x) : std::fabs(x);
      case 2: return first ? std::exp2(step * place - 8) : like;              // rising
      case 3: return first ? std::exp2(8 - step * place) : like;              // falling
      case 4: return first ? (term % 2 == 0 ? 1 : -1) * place / size : like;  // alternating
      case 5: return like;
      case 6:  // whole numbers whose sums are rounded
        return std::round(std::ldexp(x, first ? std::min(p_.output.precision, f.precision) - 2 : 2));
      case 7: return std::ldexp(std::copysign(1.0, x), static_cast<int>(bits(operand, term, 0) % 31) - 15);
      default: return term == first_ ? std::ldexp(x, 12) : x;  // one that is much larger
    }
  }

  // mine_ has the zeros, the other operand what meets them.
  double with_zeros(double x, const FormatSpec& f, std::size_t term, std::size_t line, int operand) const {
    const double zero = (bits(operand, term, line) & 1U) != 0 ? -0.0 : 0.0;
    const double special = std::isnan(special_) ? (f.has_nan() ? nan : x) : f.has_infinity() ? special_ : x;
    const bool mine = operand == mine_, here = term == first_;
    const bool block = term / block_ == first_ / block_;
    const bool some = line % 2 == 0;  // of the rows or columns
    switch (pattern_) {
      case 9: return mine ? (block ? zero : x) : (here ? special : x);           // a block of zeros
      case 10: return mine ? (block ? x : zero) : (here && some ? special : x);  // all others are zeros
      case 11:
        return mine ? 0 : (here && some ? special : -std::fabs(x));  // nothing but +0 times negative numbers
      case 12: return mine ? (here ? zero : x) : (here && some ? special : x);  // one
      case 13:
        return (bits(operand, term, line) & 2U) != 0 ? zero : std::fabs(x);  // half of them, as after a relu
      case 14: return here ? x : zero;                                       // all but one
      default: return mine ? (term % block_ == 0 ? zero : x) : (here && some ? special : x);
    }
  }

  std::uint64_t pattern_;
  int mine_;  // the operand that has it
  std::size_t first_, block_;
  double special_;
};

}  // namespace

std::unique_ptr<const TermInputs> tie_inputs(const Problem& p, std::uint64_t seed, std::uint64_t index) {
  return std::make_unique<Ties>(p, seed, index);
}
std::unique_ptr<const TermInputs> top_inputs(const Problem& p, std::uint64_t seed, std::uint64_t index) {
  return std::make_unique<Top>(p, seed, index);
}
std::unique_ptr<const TermInputs> patterned_inputs(const Problem& p, std::uint64_t seed,
                                                   std::uint64_t index) {
  return std::make_unique<Patterned>(p, seed, index);
}

}  // namespace assay::diagnose
