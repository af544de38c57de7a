#include "tests/support/any_legal_order.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace assay::oracle {
namespace {

bool is_nearest(Rounding mode) { return mode == Rounding::nearest_even || mode == Rounding::nearest_away; }

bool is_unit(const Number& alpha) { return abs(alpha.value) == 1; }

// Of a mean's divisor.
Number reciprocal(const Sum& s, Rounding mode) {
  return rounded(quotient(finite(1), *s.divisor), s.accumulator, mode);
}

Number exact_leaf(const Sum& s, const Leaf& leaf) {
  const Number x = leaf.b ? product(leaf.a, *leaf.b) : leaf.a;
  return leaf.scaled ? product(x, s.alpha) : x;
}

// ------------------------------------------------------------------------------------------------ a random order

// A value of the accumulator, or a product that is not rounded yet.
struct Node {
  Number x{};
  std::optional<Number> factor{};

  Number exact() const { return factor ? product(x, *factor) : x; }
};

class RandomOrder {
 public:
  RandomOrder(const Sum& s, Dice& dice) : s_(s), dice_(dice), shape_(dice.below(5)) {}

  // The sum as the epilogue receives it.
  Number result() {
    std::vector<Leaf> leaves = s_.leaves;
    if (dice_.one_in(2)) shuffle(leaves);
    const Node root = tree(leaves, !(is_unit(s_.alpha) && !s_.alpha.negative));
    const bool narrower =
        s_.output.precision < s_.accumulator.precision && s_.output.emin >= s_.accumulator.emin;
    if (narrower && !s_.divisor && dice_.one_in(2)) return root.exact();
    const Number y = settled(root);
    if (!s_.divisor) return y;
    const auto either = [&] { return dice_.one_in(2) ? s_.mode : Rounding::nearest_even; };
    if (dice_.one_in(2)) return rounded(quotient(y, *s_.divisor), s_.accumulator, either());
    const Number mean = product(y, reciprocal(s_, either()));
    if (narrower && dice_.one_in(4)) return mean;
    return rounded(mean, s_.accumulator, either());
  }

 private:
  Number round(const Number& x) const { return rounded(x, s_.accumulator, s_.mode); }
  Number settled(const Node& node) const { return node.factor ? round(node.exact()) : node.x; }

  void shuffle(std::vector<Leaf>& leaves) {
    for (std::size_t i = leaves.size(); i > 1; --i) {
      std::swap(leaves[i - 1], leaves[static_cast<std::size_t>(dice_.below(i))]);
    }
  }

  // `scale`: alpha is still to come.
  Node tree(std::span<const Leaf> leaves, bool scale) {
    if (leaves.empty()) return {finite(0)};
    if (leaves.size() == 1) return leaf(leaves.front(), scale);
    const bool panel = std::all_of(leaves.begin(), leaves.end(), [](const Leaf& l) { return l.scaled; });
    if (scale && panel && dice_.one_in(3)) return {settled(tree(leaves, false)), s_.alpha};
    const std::size_t left = split(leaves.size());
    return joined(tree(leaves.first(left), scale), tree(leaves.subspan(left), scale));
  }

  std::size_t split(std::size_t n) {
    switch (shape_) {
      case 0: return n - 1;  // from the first to the last
      case 1: return 1;
      case 2: return n / 2;
      default: return 1 + static_cast<std::size_t>(dice_.below(n - 1));
    }
  }

  Node leaf(const Leaf& l, bool scale) {
    if (!l.b) return {l.scaled && scale ? round(product(l.a, s_.alpha)) : l.a};
    if (!l.scaled || !scale) return {l.a, l.b};
    switch (dice_.below(3)) {
      case 0: return {round(product(l.a, s_.alpha)), l.b};
      case 1: return {l.a, round(product(*l.b, s_.alpha))};
      default: return {round(product(l.a, *l.b)), s_.alpha};
    }
  }

  Node joined(Node left, Node right) {
    if (dice_.one_in(2)) std::swap(left, right);
    left = {settled(left)};
    if (dice_.one_in(2)) right = {settled(right)};
    return {round(sum(left.x, right.exact(), s_.mode))};
  }

  const Sum& s_;
  Dice& dice_;
  std::uint64_t shape_;
};

// ------------------------------------------------------------------------------------ what no order can leave

Rational power(const Rational& x, std::size_t n) {
  Rational y = 1;
  for (std::size_t i = 0; i < n; ++i) y *= x;
  return y;
}

// The exponent of the lowest bit set; x is dyadic and not zero.
int lowest_bit(const Rational& x) {
  return static_cast<int>(lsb(abs(numerator(x)))) - static_cast<int>(msb(denominator(x)));
}

class Interval {
 public:
  explicit Interval(const Sum& s)
      : s_(s),
        scaled_(!is_unit(s.alpha)),
        nearest_(is_nearest(s.mode)),
        u_(power_of_two(nearest_ ? -s.accumulator.precision : 1 - s.accumulator.precision)),
        eta_(power_of_two(s.accumulator.emin - s.accumulator.precision + (nearest_ ? 0 : 1))),
        largest_(largest(s.accumulator)),
        threshold_(nearest_ ? overflow_threshold(s.accumulator) : largest_) {
    for (const Leaf& leaf : s.leaves) terms_.push_back(exact_leaf(s, leaf));
  }

  Possible range() {
    Possible p;
    for (const Number& t : terms_) {
      if (t.is_nan()) return only_nan();
      if (t.is_infinite()) (t.negative ? negative_operand_ : positive_operand_) = true;
    }
    if (negative_operand_ && positive_operand_) return only_nan();

    for (const Number& t : terms_) add(t.value);
    const Rational e = error();
    Rational up = positive_ + e, down = negative_ + e;
    bool nan = false;
    if (scaled_) unscaled(up, down, nan);
    const bool overflows_up = up > largest_ && up >= threshold_,
               overflows_down = down > largest_ && down >= threshold_;
    p.positive_infinity = positive_operand_ || overflows_up;
    p.negative_infinity = negative_operand_ || overflows_down;
    p.nan = nan || (p.positive_infinity && p.negative_infinity);
    if (s_.accumulator.bits == 64 && 2 * (up + down) >= largest_) p.anything = true;
    if (positive_operand_ || negative_operand_) {
      (positive_operand_ ? p.negative_infinity : p.positive_infinity) = false;
      p.numbers = false;
      return p;
    }
    if (nonzero_ == 1 && !scaled_) return single();
    const bool near_end = 2 * (up + down) >= largest_;
    p.anything = near_end && (stays_finite(false) || stays_finite(true) || s_.accumulator.bits == 64);
    limit(p, e);
    return p;
  }

 private:
  static Possible only_nan() { return {.numbers = false, .nan = true}; }

  bool stays_finite(bool negative) const {
    return rounded(finite(negative ? -2 * largest_ : 2 * largest_), s_.accumulator, s_.mode).is_finite();
  }

  void add(const Rational& t) {
    exact_ += t;
    magnitudes_ += abs(t);
    (t < 0 ? negative_ : positive_) += abs(t);
    if (t != 0) ++nonzero_;
  }

  bool holds(const Rational& x) const {
    const Number y = rounded(finite(x), s_.accumulator, s_.mode);
    return y.is_finite() && y.value == x;
  }

  static int bits(const Number& x) {
    if (x.value == 0) return 0;
    const Integer m = abs(numerator(x.value));
    return static_cast<int>(msb(m)) - static_cast<int>(lsb(m)) + 1;
  }
  // For certain: a last place more or less is not looked for.
  bool products_are_exact() const {
    return std::all_of(s_.leaves.begin(), s_.leaves.end(), [&](const Leaf& leaf) {
      if (!leaf.b) return true;
      const int a = bits(leaf.a), b = bits(*leaf.b);
      return leaf.scaled && a + b - (a == 1 || b == 1 ? 1 : 0) <= s_.accumulator.precision;
    });
  }

  // All terms are multiples of one number so large that every sum of some of them is a value of the accumulator.
  bool sums_are_exact() const {
    if (scaled_ || magnitudes_ > largest_) return false;
    int g = 1 << 20;
    for (const Number& t : terms_) {
      if (t.value != 0) g = std::min(g, lowest_bit(t.value));
    }
    return nonzero_ == 0 || (g >= s_.accumulator.emin - s_.accumulator.precision + 1 &&
                             magnitudes_ <= power_of_two(g + s_.accumulator.precision));
  }

  Rational growth(std::size_t roundings) const {
    if (!scaled_ && (nearest_ || s_.mode == Rounding::toward_zero)) return Rational(roundings) * u_;
    return power(1 + u_, roundings) - 1;
  }

  Rational error() const {
    if (nonzero_ == 0 || sums_are_exact()) return 0;
    const std::size_t n = terms_.size();
    const std::size_t roundings = scaled_ ? n + 1 : products_are_exact() ? n - 1 : n;
    // A bound in float64 is rounded up.
    static const Rational slack = 1 + power_of_two(-45);
    return slack * (growth(roundings) * magnitudes_ + underflow_error());
  }

  // A step below the normal range is off by eta at most, and what is added afterwards at most doubles that.
  Rational underflow_error() const {
    Rational factors = 0;
    for (std::size_t i = 0; i < terms_.size(); ++i) {
      const Leaf& leaf = s_.leaves[i];
      if (!leaf.b || !terms_[i].is_finite()) continue;
      factors += 1;
      if (!leaf.scaled || !scaled_) continue;
      const Rational &a = leaf.a.value, &b = leaf.b->value;
      factors += 1 + abs(s_.alpha.value) + abs(a) + abs(b);  // before alpha, and of alpha times an operand
    }
    return 2 * factors * eta_;
  }

  // What may overflow, or become NaN, on the way to a sum that alpha makes small.
  void unscaled(Rational& up, Rational& down, bool& nan) const {
    Rational ups = 0, downs = 0;
    for (std::size_t i = 0; i < terms_.size(); ++i) {
      const Leaf& leaf = s_.leaves[i];
      if (!leaf.scaled || !leaf.b) continue;
      for (const auto& [x, y] : {std::pair(&leaf.a, &*leaf.b), std::pair(&*leaf.b, &leaf.a)}) {
        if (!x->is_finite()) continue;
        const Number scaled = rounded(product(*x, s_.alpha), s_.accumulator, s_.mode);
        if (scaled.is_zero() && y->is_infinite()) nan = true;
        const bool overflows = scaled.is_infinite() || abs(scaled.value) == largest_;
        if (!overflows) continue;
        if (y->is_zero()) nan = true;
        Rational& side = terms_[i].negative ? down : up;
        side = std::max(side, Rational(2 * threshold_));
      }
      if (!terms_[i].is_finite()) continue;
      (terms_[i].negative ? downs : ups) += abs(leaf.a.value * leaf.b->value);
    }
    const Rational more =
        (power(1 + u_, terms_.size() + 1) - 1) * (ups + downs) + eta_ * Rational(terms_.size());
    up = std::max(up, Rational(ups + more));
    down = std::max(down, Rational(downs + more));
  }

  // One term beside zeros: rounded once, or twice where the output is narrower.
  Possible single() const {
    Possible p{.numbers = false, .low = exact_, .high = exact_};
    // alpha = -1 before a directed rounding or after it.
    const bool turns = s_.alpha.negative && !s_.alpha.is_zero();
    const Number before = rounded(finite(exact_), s_.accumulator, s_.mode),
                 after = negated(rounded(finite(-exact_), s_.accumulator, s_.mode));
    for (const Number& y : {before, turns ? after : before}) {
      if (y.is_infinite()) {
        (y.negative ? p.negative_infinity : p.positive_infinity) = true;
        continue;
      }
      p.numbers = true;
      p.low = std::min(p.low, y.value);
      p.high = std::max(p.high, y.value);
    }
    if (s_.divisor && p.numbers) divide(p);
    return p;
  }

  void limit(Possible& p, const Rational& e) const {
    p.low = std::max(Rational(exact_ - e), Rational(-largest_));
    p.high = std::min(Rational(exact_ + e), largest_);
    p.numbers = p.low <= p.high;
    // The exact result is right in an output that holds it; what lies between is not told apart.
    p.low = std::min(p.low, exact_);
    p.high = std::max(p.high, exact_);
    if (p.numbers && s_.divisor) divide(p);
  }

  void divide(Possible& p) const {
    const Possible sum = p;
    p.low = sum.low / Rational(*s_.divisor);
    p.high = sum.high / Rational(*s_.divisor);
    const Rational exactly = 1 / Rational(*s_.divisor);
    for (const Rational& factor :
         {exactly, reciprocal(s_, s_.mode).value, reciprocal(s_, Rounding::nearest_even).value}) {
      const Rational low = sum.low * factor, high = sum.high * factor;
      p.low = std::min(p.low, low);
      p.high = std::max(p.high, high);
      for (const Rounding mode : {s_.mode, Rounding::nearest_even}) {
        p.low = std::min(p.low, rounded(finite(low), s_.accumulator, mode).value);
        p.high = std::max(p.high, rounded(finite(high), s_.accumulator, mode).value);
      }
    }
  }

  const Sum& s_;
  bool scaled_, nearest_;
  Rational u_, eta_, largest_, threshold_;
  std::vector<Number> terms_;
  Rational exact_ = 0, magnitudes_ = 0, positive_ = 0, negative_ = 0;
  std::size_t nonzero_ = 0;
  bool positive_operand_ = false, negative_operand_ = false;
};

bool same(const Number& x, const Number& y) {
  if (x.is_nan() || y.is_nan()) return x.is_nan() && y.is_nan();
  return compare(x, y) == 0;
}

// What an overflow becomes in a format without infinities keeps its side.
Number with_side(const Number& rounded, const Number& before) {
  return rounded.is_nan() ? infinity(before.negative) : rounded;
}

}  // namespace

Number exact_sum(const Sum& s) {
  if (s.leaves.empty()) return finite(0);
  Number total = exact_leaf(s, s.leaves.front());
  for (std::size_t i = 1; i < s.leaves.size(); ++i) total = sum(total, exact_leaf(s, s.leaves[i]), s.mode);
  return s.divisor && total.is_finite() ? quotient(total, *s.divisor) : total;
}

Number activated(const Sum& s, Number y) {
  switch (s.activation) {
    case Activate::nothing: return y;
    case Activate::relu:
    case Activate::relu_max:
      if (y.is_nan()) return s.activation == Activate::relu ? y : finite(0);
      return compare(y, finite(0)) > 0 ? y : finite(0);
    case Activate::clip:
      if (y.is_nan()) return y;
      return compare(y, s.low) < 0 ? s.low : compare(y, s.high) > 0 ? s.high : y;
  }
  return y;
}

std::optional<std::uint64_t> output_code(const Sum& s, const Number& y) {
  return code_of(activated(s, y), s.output, s.output_rounding, s.overflow);
}

std::optional<std::uint64_t> random_result(const Sum& s, Dice& dice) {
  return output_code(s, RandomOrder(s, dice).result());
}

Possible possible(const Sum& s) { return Interval(s).range(); }

bool is_same_value(std::uint64_t x, std::uint64_t y, const FormatSpec& f) {
  return same(number_of(x, f), number_of(y, f));
}

bool is_possible(const Sum& s, const Possible& p, std::uint64_t code) {
  if (p.anything) return true;
  const Number got = number_of(code, s.output);
  const auto gives = [&](const Number& y) {
    const auto c = output_code(s, y);
    return !c || same(number_of(*c, s.output), got);
  };
  if (gives(exact_sum(s))) return !s.signed_zero || !got.is_zero() || output_code(s, exact_sum(s)) == code;
  if (s.signed_zero) return false;
  if (p.nan && gives(nan())) return true;
  if (p.positive_infinity && gives(infinity(false))) return true;
  if (p.negative_infinity && gives(infinity(true))) return true;
  if (!p.numbers) return false;
  const Number low = finite(p.low), high = finite(p.high);
  if (gives(low) || gives(high)) return true;
  if (got.is_nan()) return false;
  const auto end = [&](const Number& y) {
    return with_side(number_of(output_code(s, y).value(), s.output), activated(s, y));
  };
  return compare(end(low), got) <= 0 && compare(got, end(high)) <= 0;
}

}  // namespace assay::oracle
