#include "emulation/units/input_reductions.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "reference/formats/encode.hpp"

namespace assay {

NumberParts parts_of(std::uint64_t code, const FormatSpec& f) {
  const ExactValue<std::uint64_t> x = exact_from_code(code, f);
  NumberParts p{.kind = x.kind, .negative = x.negative};
  if (x.kind != Kind::finite || x.significand == 0) return p;
  p.significand = x.significand >> std::countr_zero(x.significand);
  p.exponent = x.exponent + bit_width(x.significand) - 1;
  return p;
}

namespace {

// The code of a finite number, if the format has it.
std::optional<std::uint64_t> code_of(const NumberParts& p, const FormatSpec& f) {
  ExactValue<std::uint64_t> x;
  x.negative = p.negative;
  x.significand = p.significand;
  x.exponent = p.exponent - (p.significand == 0 ? 0 : p.bits() - 1);
  const Encoded encoded = encode(x, f);
  if (encoded.inexact || encoded.overflow) return std::nullopt;
  return encoded.code;
}

using Cost = std::array<std::int64_t, 7>;

void add_cost(Cost& cost, std::uint64_t code, const FormatSpec& f) {
  const NumberParts p = parts_of(code, f);
  if (p.kind != Kind::finite || p.significand != 0) ++cost[1];
  if (p.kind != Kind::finite) ++cost[3];
  cost[4] += p.bits();
  cost[5] += std::abs(p.exponent);
  if (p.negative) ++cost[6];
}

Cost cost_of(const DotInput& x) {
  Cost cost{};
  cost[0] = static_cast<std::int64_t>(x.terms());
  for (const std::uint64_t code : x.a) add_cost(cost, code, x.a_format);
  for (const std::uint64_t code : x.b) add_cost(cost, code, x.b_format);
  if (x.c) {
    ++cost[2];
    add_cost(cost, *x.c, x.c_format);
  }
  return cost;
}

// The operands of an input by one index: a, b, then c.
std::size_t operands(const DotInput& x) { return 2 * x.terms() + (x.c ? 1 : 0); }
const FormatSpec& format_at(const DotInput& x, std::size_t i) {
  return i < x.terms() ? x.a_format : i < 2 * x.terms() ? x.b_format : x.c_format;
}
std::uint64_t& code_at(DotInput& x, std::size_t i) {
  return i < x.terms() ? x.a[i] : i < 2 * x.terms() ? x.b[i - x.terms()] : *x.c;
}
NumberParts parts_at(const DotInput& x, std::size_t i) {
  const std::uint64_t code = i < x.terms() ? x.a[i] : i < 2 * x.terms() ? x.b[i - x.terms()] : *x.c;
  return parts_of(code, format_at(x, i));
}
bool set_parts(DotInput& x, std::size_t i, const NumberParts& p) {
  const std::optional<std::uint64_t> code = code_of(p, format_at(x, i));
  if (code) code_at(x, i) = *code;
  return code.has_value();
}

// Simpler operands in place of one.
std::vector<NumberParts> simplifications(const NumberParts& p) {
  std::vector<NumberParts> all{{}};
  all.push_back({.significand = 1});
  all.push_back({.negative = true, .significand = 1});
  if (p.kind != Kind::finite || p.significand == 0) return all;
  const auto with = [&](std::uint64_t significand, int exponent, bool negative) {
    all.push_back({.negative = negative, .significand = significand, .exponent = exponent});
  };
  with(p.significand, p.exponent, false);
  const auto shortened = [&](std::uint64_t significand) {
    if (significand == 0) return;
    const int carry = bit_width(significand) - p.bits();  // rounding up may reach the next power of two
    with(significand >> std::countr_zero(significand), p.exponent + carry, p.negative);
  };
  const int bits = p.bits();
  for (const int kept : {1, 2, 3, bits / 2, bits - 1}) {
    if (kept < 1 || kept >= bits) continue;
    const std::uint64_t cut = p.significand >> (bits - kept) << (bits - kept);
    shortened(cut);
    shortened(cut + (std::uint64_t{1} << (bits - kept)));
  }
  if (bits > 1) {
    shortened(p.significand - 1);
    shortened(p.significand + 1);
  }
  with(p.significand, 0, p.negative);
  with(p.significand, p.exponent / 2, p.negative);
  with(p.significand, p.exponent + (p.exponent > 0 ? -1 : 1), p.negative);
  return all;
}

bool shift(DotInput& x, std::size_t i, int places) {
  NumberParts p = parts_at(x, i);
  if (p.kind != Kind::finite || p.significand == 0) return true;
  p.exponent += places;
  return set_parts(x, i, p);
}

void negate(DotInput& x, std::size_t i) {
  const FormatSpec& f = format_at(x, i);
  if (f.specials == Specials::fnuz && (code_at(x, i) & f.magnitude_mask()) == 0) return;
  code_at(x, i) ^= f.sign_code();
}

constexpr std::size_t most_paired_terms = 10;

// Hands out what is smaller; true once visit() has had enough.
class Reductions {
 public:
  // `removable`: terms may be left out; else they become zero, as for an arithmetic that is known for one length.
  Reductions(const DotInput& x, const VisitInput& visit, bool removable)
      : x_(x), visit_(visit), removable_(removable) {}

  bool at(std::size_t site) {
    if (site == 0) return stretches();
    if (site == 1) return addend();
    if (site == 2) return everything();
    site -= 3;
    if (site < x_.terms()) return term(site);
    site -= x_.terms();
    const std::size_t n = operands(x_), i = site / n, j = site % n;
    return i < j && pair(i, j);
  }

 private:
  bool offer(const DotInput& y) {
    if (!cost_) cost_ = cost_of(x_);  // not before: at most sites of a long input there is nothing to offer
    return cost_of(y) < *cost_ && visit_(y);
  }

  DotInput without(std::size_t begin, std::size_t count) const {
    DotInput y = x_;
    const auto from = static_cast<std::ptrdiff_t>(begin), to = static_cast<std::ptrdiff_t>(begin + count);
    y.a.erase(y.a.begin() + from, y.a.begin() + to);
    y.b.erase(y.b.begin() + from, y.b.begin() + to);
    return y;
  }

  DotInput zeroed(std::size_t begin, std::size_t count) const {
    DotInput y = x_;
    for (std::size_t i = begin; i < begin + count; ++i) y.a[i] = y.b[i] = 0;
    return y;
  }

  bool stretches() {
    for (std::size_t size = x_.terms() / 2; size > 1; size /= 2) {
      for (std::size_t begin = 0; begin + size <= x_.terms(); begin += size) {
        if (removable_ && offer(without(begin, size))) return true;
        if (!is_zero(begin, size) && offer(zeroed(begin, size))) return true;
      }
    }
    return false;
  }

  // Nothing is smaller there, and a long input is mostly that: each try would copy all of it.
  bool is_zero(std::size_t begin, std::size_t count) const {
    const auto zeros = [&](const std::vector<std::uint64_t>& codes) {
      const auto from = codes.begin() + static_cast<std::ptrdiff_t>(begin);
      return std::all_of(from, from + static_cast<std::ptrdiff_t>(count),
                         [](std::uint64_t code) { return code == 0; });
    };
    return zeros(x_.a) && zeros(x_.b);
  }

  bool addend() {
    if (!x_.c) return false;
    DotInput y = x_;
    y.c.reset();
    return offer(y) || simpler(operands(x_) - 1);
  }

  bool simpler(std::size_t i) {
    for (const NumberParts& p : simplifications(parts_at(x_, i))) {
      DotInput y = x_;
      if (set_parts(y, i, p) && offer(y)) return true;
    }
    return false;
  }

  // All of a, or all of b, moved by a power of two, and c with them or the other one against them; all signs turned.
  bool everything() {
    const std::size_t k = x_.terms();
    DotInput turned = x_;
    for (std::size_t i = 0; i < k; ++i) negate(turned, i);
    if (x_.c) negate(turned, 2 * k);
    if (offer(turned)) return true;
    std::set<int> moves{1, 2, 4, 8, 16, 32, 64};
    for (std::size_t i = 0; i < std::min<std::size_t>(operands(x_), 2 * most_paired_terms + 1); ++i)
      moves.insert(std::abs(parts_at(x_, i).exponent));
    if (x_.c) moves.insert(std::abs(parts_at(x_, 2 * k).exponent));
    for (const int size : moves) {
      for (const int d : {size, -size}) {
        for (const std::size_t side : {std::size_t{0}, k}) {
          DotInput with_c = x_, against = x_;
          bool fits = true, fits_against = true;
          for (std::size_t i = 0; i < k; ++i) {
            fits = fits && shift(with_c, side + i, d);
            fits_against = fits_against && shift(against, i, side == 0 ? d : -d) &&
                           shift(against, k + i, side == 0 ? -d : d);
          }
          if (x_.c) fits = fits && shift(with_c, 2 * k, d);
          if ((fits && offer(with_c)) || (fits_against && offer(against))) return true;
        }
      }
    }
    return false;
  }

  bool term(std::size_t i) {
    // No machine runs an instruction of no products.
    if (removable_ && x_.terms() > 1 && offer(without(i, 1))) return true;
    if (is_zero(i, 1)) return false;
    if (offer(zeroed(i, 1))) return true;
    const std::size_t j = x_.terms() + i;
    if (simpler(i) || simpler(j)) return true;
    DotInput turned = x_;
    negate(turned, i);
    negate(turned, j);
    if (offer(turned)) return true;
    const NumberParts a = parts_at(x_, i), b = parts_at(x_, j);
    for (const int d : {1, -1, -a.exponent, b.exponent}) {
      DotInput y = x_;
      if (shift(y, i, d) && shift(y, j, -d) && offer(y)) return true;
    }
    // All of the product in one factor.
    if (a.significand != 0 && b.significand != 0 && a.bits() + b.bits() <= 62) {
      const std::uint64_t significand = a.significand * b.significand;
      const NumberParts whole{
          .negative = a.negative != b.negative,
          .significand = significand,
          .exponent = a.exponent + b.exponent + bit_width(significand) - a.bits() - b.bits() + 1};
      for (const auto& [p, q] :
           {std::pair(whole, NumberParts{.significand = 1}), {NumberParts{.significand = 1}, whole}}) {
        DotInput y = x_;
        if (set_parts(y, i, p) && set_parts(y, j, q) && offer(y)) return true;
      }
    }
    return false;
  }

  // Two operands together: what cancels or is aligned must change on both sides.
  bool pair(std::size_t i, std::size_t j) {
    DotInput turned = x_;
    negate(turned, i);
    negate(turned, j);
    if (offer(turned)) return true;
    const NumberParts p = parts_at(x_, i), q = parts_at(x_, j);
    for (const int d : {1, -1, -p.exponent, -q.exponent}) {
      for (const int e : {d, -d}) {
        DotInput y = x_;
        if (shift(y, i, d) && shift(y, j, e) && offer(y)) return true;
      }
    }
    if (p.kind != Kind::finite || q.kind != Kind::finite || p.significand == 0 || q.significand == 0)
      return false;
    if (p.significand == q.significand) {  // shortened alike
      for (const NumberParts& simple : simplifications(p)) {
        if (simple.significand == 0) continue;
        NumberParts other = simple;
        other.exponent = q.exponent + simple.exponent - p.exponent;
        other.negative = q.negative;
        DotInput y = x_;
        if (set_parts(y, i, simple) && set_parts(y, j, other) && offer(y)) return true;
      }
    }
    return false;
  }

  const DotInput& x_;
  std::optional<Cost> cost_{};
  const VisitInput& visit_;
  bool removable_;
};

}  // namespace

std::size_t reduction_sites(const DotInput& x) {
  const std::size_t n = operands(x);
  return 3 + x.terms() + (x.terms() <= most_paired_terms ? n * n : 0);
}

bool visit_reductions(const DotInput& input, std::size_t site, const VisitInput& visit, bool removable) {
  return Reductions(input, visit, removable).at(site);
}

bool is_smaller(const DotInput& x, const DotInput& y) { return cost_of(x) < cost_of(y); }

void each_reduction(const DotInput& input, const std::function<bool(const DotInput&)>& visit) {
  Reductions reductions(input, visit, true);
  for (std::size_t site = 0; site < reduction_sites(input); ++site) {
    if (reductions.at(site)) return;
  }
}

}  // namespace assay
