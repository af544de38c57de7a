#include <bit>
#include <cmath>

#include "validation/diagnose/reveal/term_inputs.hpp"

namespace assay::diagnose {
namespace {

// Terms that cancel in pairs and threes, in random places; what is left is 2^-depth of the largest. Pairs share the
// column of B, so that they cancel in every output of a matrix product.
class Deep final : public TermInputs {
 public:
  Deep(const Problem& p, std::uint64_t seed, std::uint64_t index)
      : TermInputs(p, seed, index, 0x64656570U), terms_(p.k) {
    choose_depth(index);
    std::vector<std::size_t> places = drawn_places();
    std::size_t rests = p.k < 3 ? p.k : 1 + draw(std::min<std::size_t>(p.k - 2, 3));
    if (rests == 3) {
      add_tie(places);
      rests = 0;
    }
    bool largest = true;
    while (places.size() > rests) {
      const int e = largest ? top_ : top_ - static_cast<int>(draw(static_cast<std::uint64_t>(depth_) + 1));
      largest = false;
      add_group(places, places.size() >= rests + 3 && draw(3) == 0 ? 3 : 2, e);
      if (places.size() == rests + 1) ++rests;
    }
    for (const std::size_t i : places)
      terms_[i] = {i, top_ - depth_ - static_cast<int>(draw(4)), Part::whole};
  }

  double value(const FormatSpec& f, std::size_t i, int operand) const override {
    if (operand == 2)
      return std::ldexp(significand(f, 2, 0, i), std::clamp(top_ - depth_, f.emin, f.emax() - 1));
    const Term& t = terms_[p_.term_of(i, operand)];
    const int first = t.exponent >= lowest() ? first_exponent(t.exponent) : subnormal_exponent(t.exponent);
    const int e = operand == 0 ? first : t.exponent - first;
    if (t.part == Part::power) return std::ldexp(1.0, e);
    if (t.part == Part::minus_power) return std::ldexp(operand == 0 ? -1.0 : 1.0, e);
    const double x = significand(f, operand, t.source, p_.line_of(i, operand));
    return std::ldexp(operand == 0 ? part_of(x, t.part, f) : x, e);
  }

 private:
  enum class Part : std::uint8_t { whole, negative, minus_high, minus_low, power, minus_power };
  struct Term {
    std::size_t source = 0;  // the term whose significand it has
    int exponent = 0;
    Part part = Part::whole;
  };

  // What a float32, float64, 80-bit, compensated and still longer accumulator lose, as far as the formats have room for
  // it. Every fourth input goes as far as products go, beyond what the output holds: an accumulator may be wider.
  void choose_depth(std::uint64_t index) {
    constexpr int depths[] = {50, 60, 12, 110, 26, 150, 240, 400, 1000};
    const bool beyond = index % 4 == 3;
    const int margin = static_cast<int>(std::bit_width(p_.k)) + 3;
    low_ = (beyond ? lowest() : std::max(lowest(), p_.output.emin)) + 4;
    const int high = (beyond ? highest() : std::min(highest(), p_.output.emax())) - margin;
    depth_ = std::clamp(depths[index % std::size(depths)], 0, std::max(high - low_, 0));
    top_ = beyond ? std::max(high, low_ + depth_)
                  : std::clamp(depth_ / 2, low_ + depth_, std::max(high, low_ + depth_));
    // Powers of two may have subnormal factors.
    if (beyond) low_ = lowest() - (p_.a.precision - 1) - (p_.has_b() ? p_.b.precision - 1 : 0);
  }

  // Of A's factor of a power of two below every product of normal numbers.
  int subnormal_exponent(int e) const {
    return p_.has_b() ? std::max(e / 2, p_.a.emin - (p_.a.precision - 1)) : e;
  }

  std::size_t take(std::vector<std::size_t>& places) {
    const std::size_t place = places.back();
    places.pop_back();
    return place;
  }
  void add_group(std::vector<std::size_t>& places, int members, int exponent) {
    const std::size_t source = take(places);
    terms_[source] = {source, exponent, Part::whole};
    if (members == 2) {
      terms_[take(places)] = {source, exponent, Part::negative};
      return;
    }
    terms_[take(places)] = {source, exponent, Part::minus_high};
    terms_[take(places)] = {source, exponent, Part::minus_low};
  }
  // One, half of its last place in the output, and terms that decide this tie: an accumulator that adds them one by one
  // loses each of them, if it has so many places, where all together are more than half of its last place.
  void add_tie(std::vector<std::size_t>& places) {
    constexpr int accumulators[] = {24, 53, 53, 64};
    const int one = std::clamp(top_ - depth_ / 2, p_.output.emin, p_.output.emax() - 1);
    const int keeps = draw_of(accumulators);
    const auto add = [&](int exponent, Part part) {
      if (!places.empty()) terms_[take(places)] = {0, std::max(exponent, low_), part};
    };
    add(one, Part::power);
    add(one - p_.output.precision, Part::power);
    if (one_in(2)) add(one - p_.output.precision + 1, Part::power);  // the tie's even neighbour is above it
    const Part sign = one_in(2) ? Part::power : Part::minus_power;
    const int far = one_in(2) ? keeps + 1 : p_.output.precision + 30 + static_cast<int>(draw(60));
    for (std::uint64_t i = 0, n = 1 + draw(3); i < n; ++i) add(one - far, sign);
    if (places.size() == 1) add(one - far, sign);
  }

  // In [1, 2), of all places of the format, of either sign; for each row of A and each column of B.
  double significand(const FormatSpec& f, int operand, std::size_t source, std::size_t line) const {
    const std::uint64_t x = bits(operand, source, line);
    const int places = std::min(f.precision - 1, 52);
    const double fraction = places == 0 ? 0 : std::ldexp(static_cast<double>(x >> (64 - places)), -places);
    return (x & 1U) != 0 ? -1 - fraction : 1 + fraction;
  }
  static double part_of(double x, Part part, const FormatSpec& f) {
    const int places = (f.precision - 1) / 2;
    const double high = std::ldexp(std::trunc(std::ldexp(x, places)), -places);
    switch (part) {
      case Part::negative: return -x;
      case Part::minus_high: return -high;
      case Part::minus_low: return high - x;
      default: return x;
    }
  }

  int top_ = 0, depth_ = 0;  // exponents of the largest term, and how far below it the rest lies
  int low_ = 0;              // that no term is below
  std::vector<Term> terms_;
};

}  // namespace

std::unique_ptr<const TermInputs> deep_inputs(const Problem& p, std::uint64_t seed, std::uint64_t index) {
  return std::make_unique<Deep>(p, seed, index);
}

}  // namespace assay::diagnose
