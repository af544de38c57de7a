#include "reference/operations/result_set.hpp"

#include <algorithm>
#include <bit>
#include <climits>
#include <cmath>
#include <limits>
#include <vector>

#include "reference/exact/code_view.hpp"
#include "reference/exact/exact_dot.hpp"
#include "reference/exact/wide_arithmetic.hpp"
#include "reference/operations/exact_values.hpp"

namespace assay {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
using detail::is_above, detail::is_below, detail::value_of;
using upward::add, upward::multiply;

bool is_nearest(Rounding mode) { return mode == Rounding::nearest_even || mode == Rounding::nearest_away; }
bool is_power_of_two(double x) { return std::isfinite(x) && std::has_single_bit(exact(x).significand); }
double largest(const FormatSpec& f) { return decode(f.max_finite_code(), f); }

ExactValue<Wide> infinite(bool negative) { return {.kind = Kind::infinite, .negative = negative}; }
// --- terms -------------------------------------------------------------------------------------------------

// Where the last place of the terms lies, and what rounding can do to products. The scan ends as soon as it can say
// nothing good any more: on data of full precision after a few terms.
struct TermFacts {
  int nonzero = 0;             // 3 stands for more
  bool exact = true;           // every product has at most `width` bits
  int last = INT_MAX;          // all terms are multiples of 2^last
  bool all = true;             // `nonzero` and `last` speak of all terms: the scan went to the end
  int last_operand = INT_MAX;  // of both operands, where the other is not zero
};

int last_place(const ExactValue<Wide>& x) {
  const auto low = static_cast<std::uint64_t>(x.significand);
  return x.exponent + (low != 0 ? std::countr_zero(low)
                                : 64 + std::countr_zero(static_cast<std::uint64_t>(x.significand >> 64)));
}

void note_term(TermFacts& facts, const ExactValue<Wide>& x) {
  if (x.kind != Kind::finite || x.significand == 0) return;
  facts.nonzero = std::min(facts.nonzero + 1, 3);
  facts.last = std::min(facts.last, last_place(x));
}

// `hopeless(last)`: can sums of multiples of 2^last round?
template <class Hopeless>
TermFacts facts_of(const CodeVector& a, const CodeVector& b, bool flush, int width,
                   const Hopeless& hopeless) {
  TermFacts facts;
  const auto read = [&](const CodeVector& x, std::size_t i) {
    if (x.scales.given()) return exact(element_value(x, i));
    const std::uint64_t code = x.code(i);
    return exact_from_code(flush ? flushed_code(code, x.format) : code, x.format);
  };
  const auto bits = [](std::uint64_t x) {
    return x == 0 ? 0 : static_cast<int>(std::bit_width(x)) - std::countr_zero(x);
  };
  // No product can be inexact.
  const bool narrow =
      !a.scales.given() && !b.scales.given() && a.format.precision + b.format.precision <= width;
  for (std::size_t i = 0; i < a.size; ++i) {
    const ExactValue<std::uint64_t> x = read(a, i), y = read(b, i);
    note_term(facts, wide_product(x, y));
    if (x.significand != 0 && y.significand != 0) {
      facts.last_operand = std::min({facts.last_operand, last_place(widened(x)), last_place(widened(y))});
    }
    // A power of two leaves the other's bits as they are.
    const int x_bits = bits(x.significand), y_bits = bits(y.significand);
    const int product_bits = x_bits + y_bits - (x_bits == 1 || y_bits == 1 ? 1 : 0);
    if (x_bits != 0 && y_bits != 0 && product_bits > width) facts.exact = false;
    if (facts.nonzero == 3 && (narrow || !facts.exact) && hopeless(facts.last)) {
      facts.all = i + 1 == a.size;
      return facts;
    }
  }
  return facts;
}

// Upper bounds on the magnitudes of the positive and of the negative terms.
struct Sides {
  double positive = 0, negative = 0;

  void take(double x) { (x > 0 ? positive : negative) = add(x > 0 ? positive : negative, std::fabs(x)); }
};

Sides sides_of(const CodeVector& a, const CodeVector& b) {
  Sides sides;
  for (std::size_t i = 0; i < a.size; ++i) {
    const double x = element_value(a, i), y = element_value(b, i);
    // Infinite operands are judged by themselves.
    if (!std::isfinite(x) || !std::isfinite(y) || x == 0 || y == 0) continue;
    const double product = multiply(std::fabs(x), std::fabs(y));
    sides.take((x < 0) != (y < 0) ? -product : product);
  }
  return sides;
}

double sum_of_magnitudes(const CodeVector& x) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size; ++i) {
    const double value = std::fabs(element_value(x, i));
    if (std::isfinite(value)) sum = add(sum, value);
  }
  return sum;
}

// --- overflow ----------------------------------------------------------------------------------------------

enum class Beyond : std::uint8_t { infinite, nan, clamps };

// What a sum of the sign becomes that is too large for the accumulator.
Beyond beyond(const FormatSpec& f, Rounding mode, bool negative) {
  const bool stays = f.specials == Specials::finite || (mode != Rounding::stochastic && !is_nearest(mode) &&
                                                        detail::overflow_stays_finite(mode, negative));
  return stays ? Beyond::clamps : f.has_infinity() ? Beyond::infinite : Beyond::nan;
}

bool overflows(double magnitude, const FormatSpec& f, Rounding mode) {
  const double top = largest(f);
  return is_nearest(mode) ? magnitude >= top + std::ldexp(1.0, f.emax() - f.precision) : magnitude > top;
}

struct Ends {
  ExactSum low, high;

  explicit Ends(const ExactSum& x) : low(x), high(x) {}
  // Both outward by factor * x * y * 2^shift.
  void widen(double x, double y, int shift = 0) {
    if (x == 0 || y == 0) return;
    ExactValue<Wide> d = wide_product(exact(x), exact(y));
    d.exponent += shift;
    high.add(d);
    d.negative = !d.negative;
    low.add(d);
  }
  void lower(double by) {
    if (by > 0) low.add(-by);
  }
  void raise(double by) {
    if (by > 0) high.add(by);
  }
};

// --- one computation ---------------------------------------------------------------------------------------

class Computation {
 public:
  Computation(const Arithmetic& arithmetic, const Epilogue& how, const CodeVector& a, const CodeVector& b,
              std::optional<std::uint64_t> start, const std::optional<Addend>& c,
              const std::optional<Addend>& bias, const FormatSpec& output, double factor,
              const GemmSum* known)
      : arithmetic_(arithmetic),
        how_(how),
        a_(a),
        b_(b),
        reads_product_(how.alpha != 0),
        c_(how.beta != 0 ? c : std::nullopt),
        bias_(bias),
        output_(output),
        factor_(factor),
        chain_(arithmetic.accumulation()),
        accumulator_(arithmetic.info().accumulator),
        format_(how.format.value_or(accumulator_)),
        mode_(chain_ ? chain_->rounding : how.rounding) {
    if (reads_product_) {
      start_ = start;
      if (known != nullptr) {
        sum_ = known->dot.value;
        magnitudes_ = known->dot.magnitudes;
        limits_ = known->limits;
        all_zero_ = known->all_zero;
      } else {
        const ExactDot truth = arithmetic.exact(a, b, start);
        sum_ = truth.value;
        magnitudes_ = truth.magnitudes;
      }
    }
    x_ = exact_epilogue(how, sum_, c_, bias);
    y_.exact = x_.result(how.rounding);
    scaled_magnitudes_ = std::isinf(magnitudes_) && scales() ? magnitudes_of_scaled()
                                                             : multiply(std::fabs(how.alpha), magnitudes_);
    total_ = add(add(scaled_magnitudes_, scaled_c()), std::fabs(bias_value()));
  }

  Spread spread() {
    if (y_.exact.kind == Kind::nan) {
      y_.number = false;
      y_.nan = true;
    } else if (y_.exact.kind == Kind::infinite) {
      // It wins, but for an infinity of the other sign that overflow made.
      const bool negative = y_.exact.negative;
      find_overflow(0);
      const bool meets_other = negative ? y_.positive_infinity : y_.negative_infinity;
      y_ = {.exact = y_.exact, .number = false, .nan = y_.nan || meets_other};
      (negative ? y_.negative_infinity : y_.positive_infinity) = true;
    } else if (!is_single()) {
      Ends ends(x_);
      widen(ends);
      if (y_.judged) find_overflow(y_.error);
      y_.is_output = holds(range_);
      if (y_.judged) cut_to_range(ends);
    }
    return y_;
  }

 private:
  bool anywhere() const { return how_.place == EpiloguePlace::anywhere && chain_ && !how_.format; }
  bool scales() const { return reads_product_ && how_.alpha != 1 && how_.alpha != -1; }
  // Where the products alone are too large for float64.
  double magnitudes_of_scaled() const {
    double sum = 0;
    for (std::size_t i = 0; i < a_.size; ++i) {
      const double a = std::fabs(element_value(a_, i)), b = std::fabs(element_value(b_, i));
      if (std::isfinite(a) && std::isfinite(b) && a != 0 && b != 0)
        sum = add(sum, multiply(multiply(std::fabs(how_.alpha), a), b));
    }
    return start_ ? infinity : sum;
  }
  double c_value() const { return c_ ? decode(c_->code, c_->format) : 0; }
  double bias_value() const { return bias_ ? decode(bias_->code, bias_->format) : 0; }
  ExactValue<Wide> scaled_c_exactly() const {
    return wide_product(exact(how_.beta), exact_from_code(c_->code, c_->format));
  }
  double scaled_c() const { return c_ ? multiply(std::fabs(how_.beta), std::fabs(c_value())) : 0; }
  std::uint64_t terms() const { return reads_product_ ? a_.size : 0; }
  bool holds(const FormatSpec& f) const { return contains_format(output_, f); }
  void set_infinite(bool negative) { (negative ? y_.negative_infinity : y_.positive_infinity) = true; }

  // --- what no order rounds ---

  int width() const {
    return std::min(accumulator_.precision, chain_->product ? chain_->product->precision : INT_MAX);
  }
  int least_place() const {
    const auto place = [&](const FormatSpec& f) { return chain_->flush ? f.emin : f.emin - f.precision + 1; };
    return chain_->product ? std::max(place(accumulator_), place(*chain_->product)) : place(accumulator_);
  }
  // Are all sums of multiples of 2^last, with these magnitudes in all, numbers of the accumulator?
  bool are_exact(int last, double magnitudes) const {
    return last == INT_MAX || (last >= least_place() && std::isfinite(magnitudes) &&
                               magnitudes <= std::ldexp(1.0, last + width()));
  }
  // Without a look at all terms, where what is known of the operands says already that no order rounds. The last place
  // may lie below that of the terms then, but every question that is asked of it has the same answer.
  std::optional<TermFacts> facts_by_limits() const {
    if (all_zero_) return TermFacts();
    const bool narrow = a_.format.precision + b_.format.precision <= width();
    if (!limits_ || scales() || (!narrow && limits_->bits > width())) return std::nullopt;
    if (!are_exact(limits_->last, magnitudes_) || !are_exact(limits_->last, total_)) return std::nullopt;
    TermFacts facts{.last = limits_->last};
    const auto is_zero = [flush = arithmetic_.info().flush_inputs](const CodeVector& x, std::size_t i) {
      const std::uint64_t code = x.code(i);
      return (code & x.format.magnitude_mask()) == 0 || (flush && x.format.is_subnormal(code));
    };
    for (std::size_t i = 0; i < a_.size && facts.nonzero < 3; ++i)
      facts.nonzero += is_zero(a_, i) || is_zero(b_, i) ? 0 : 1;
    return facts;
  }
  const TermFacts& product_facts() {
    if (facts_) return *facts_;
    facts_ = TermFacts();
    if (!reads_product_) return *facts_;
    facts_ = facts_by_limits();
    if (!facts_) {
      facts_ = facts_of(a_, b_, arithmetic_.info().flush_inputs, width(),
                        [&](int last) { return !are_exact(last, magnitudes_); });
    }
    product_terms_ = facts_->nonzero;
    if (start_) note_term(*facts_, value_of(*start_, accumulator_));
    return *facts_;
  }
  // `shift`: alpha is 2^shift.
  TermFacts all_facts(int shift) {
    TermFacts facts = product_facts();
    if (facts.last != INT_MAX) facts.last += shift;
    if (c_) note_term(facts, scaled_c_exactly());
    if (bias_) note_term(facts, value_of(bias_->code, bias_->format));
    return facts;
  }
  bool everything_is_exact() {
    if (all_facts(0).last == INT_MAX) return true;  // zeros, whatever alpha is
    const int shift = scales() ? std::ilogb(how_.alpha) : 0;
    if (scales() && !is_power_of_two(how_.alpha)) return false;
    // alpha may multiply an operand, too.
    if (shift < 0 && anywhere() && product_facts().last_operand + shift < least_place()) return false;
    return are_exact(product_facts().last, magnitudes_) && are_exact(all_facts(shift).last, total_);
  }

  // One term that is not zero: its result is its one rounding, in every order.
  bool is_single() {
    const bool one_rounding =
        chain_ && !chain_->flush && (!chain_->product || *chain_->product == accumulator_) && !scales() &&
        format_ == accumulator_ && (anywhere() || mode_ == how_.rounding || (!c_ && !bias_));
    if (!one_rounding || all_facts(0).nonzero > 1) return false;
    // alpha = -1 may come before a directed rounding or after it.
    const bool either =
        mode_ == Rounding::stochastic ||
        (how_.alpha == -1 && (mode_ == Rounding::toward_positive || mode_ == Rounding::toward_negative));
    const auto rounded = [&](Rounding mode) {
      return encode(y_.exact, accumulator_, {.rounding = mode}).code;
    };
    const std::uint64_t low = rounded(either ? Rounding::toward_negative : mode_),
                        high = rounded(either ? Rounding::toward_positive : mode_);
    if (!accumulator_.is_finite(low) || !accumulator_.is_finite(high)) {
      y_.number = accumulator_.is_finite(low) || accumulator_.is_finite(high);
      y_.nan = accumulator_.is_nan(low) || accumulator_.is_nan(high);
      if (!y_.nan) set_infinite(y_.exact.negative);
      y_.low = y_.high = value_of(accumulator_.is_finite(low) ? low : high, accumulator_);
      return true;
    }
    y_.low = value_of(low, accumulator_);
    y_.high = value_of(high, accumulator_);
    y_.is_output = holds(accumulator_);
    y_.error = BoundedValue{x_.magnitude_up(), 0}.rounded(accumulator_, mode_).error;
    // A kernel may hold the product exactly and round it once, into the output.
    if (!y_.is_output) {
      if (is_below(y_.exact, decode(low, accumulator_))) y_.low = y_.exact;
      if (is_above(y_.exact, decode(high, accumulator_))) y_.high = y_.exact;
    }
    return true;
  }

  // --- errors ---

  void widen(Ends& ends) {
    range_ = format_;
    const bool sum_alone = how_.alpha == 1 && !c_ && !bias_;
    if (chain_ && (anywhere() || (sum_alone && format_ == accumulator_))) {
      widen_by_any_place(ends);
      return;
    }
    const bool direct = !chain_ && is_plain(how_) && !bias_ && arithmetic_.gives(output_);
    const FormatSpec& given = arithmetic_.info().outputs.front();
    double error = 0;
    if (chain_) {
      Ends sum(sum_);
      if (!are_exact(product_facts().last, magnitudes_))
        error = widen_by(sum, product_leaves(), magnitudes_, 0);
    } else if (reads_product_) {
      error = multiply(factor_, arithmetic_.bound(a_, b_, start_, direct ? output_ : given));
    }
    sum_error_ = error;
    if (!std::isfinite(error)) {
      y_.judged = false;
      return;
    }
    if (direct) range_ = output_;
    y_.error = direct ? error : after_steps(error, given);
    y_.judged = std::isfinite(y_.error);
    if (y_.judged) ends.widen(y_.error, 1);
  }

  // The epilogue's steps, one rounding each, after a sum that is off by `error`.
  double after_steps(double error, const FormatSpec& given) const {
    const auto step = [&](const ExactSum& x) {
      const BoundedValue rounded = BoundedValue{x.magnitude_up(), error}.rounded(format_, how_.rounding);
      error = std::isfinite(rounded.error) ? add(error, multiply(factor_, rounded.error - error)) : infinity;
    };
    ExactSum x = sum_;
    if (reads_product_ && !contains_format(format_, given)) step(x);
    if (reads_product_ && how_.alpha != 1) {
      x.multiply(exact(how_.alpha));
      error = multiply(std::fabs(how_.alpha), error);
      step(x);
    }
    if (c_) {
      ExactSum addend;
      addend.add_product(exact(how_.beta), exact_from_code(c_->code, c_->format));
      if (how_.beta != 1) {
        const BoundedValue scaled = BoundedValue{scaled_c(), 0}.rounded(format_, how_.rounding);
        error = add(error, multiply(factor_, scaled.error));
      }
      x.merge(addend);
      step(x);
    }
    if (bias_) {
      x.add(bias_->code, bias_->format);
      step(x);
    }
    return error;
  }

  // The leaves of the sum of products alone.
  Leaves product_leaves() {
    const TermFacts& facts = product_facts();
    // Terms that are zero round nothing.
    const bool few = facts.all && product_terms_ < 3 && !chain_->flush;
    const std::uint64_t n = few ? static_cast<std::uint64_t>(product_terms_) : terms();
    Leaves leaves{.ordered = n, .products = facts.exact ? 0 : n, .values = facts.exact ? n : 0};
    leaves.roundings = facts.exact && facts.all && facts.last >= least_place() ? 0 : n;
    if (start_) ++leaves.values;
    return leaves;
  }

  // alpha, beta c and bias may enter at any leaf or node.
  void widen_by_any_place(Ends& ends) {
    if (everything_is_exact()) return;
    Leaves leaves = product_leaves();
    const auto join = [&](bool rounds) {
      ++(rounds ? leaves.products : leaves.values);
      if (rounds) ++leaves.roundings;
    };
    const auto rounds = [&](const ExactValue<Wide>& x) {
      return chain_->flush || chain_->product || encode(x, accumulator_).inexact;
    };
    if (c_) join(rounds(scaled_c_exactly()));
    if (bias_) join(rounds(value_of(bias_->code, bias_->format)));
    leaves.scaled = scales() && !is_power_of_two(how_.alpha);
    double underflows = 0;
    if (scales()) {
      // alpha times an operand, a product or a sum may fall below the smallest normal number, and what is lost there
      // is multiplied by the other operand.
      underflows = add(multiply(static_cast<double>(terms()), add(1, std::fabs(how_.alpha))),
                       add(sum_of_magnitudes(a_), sum_of_magnitudes(b_)));
    }
    y_.error = widen_by(ends, leaves, total_, underflows);
    y_.judged = std::isfinite(y_.error);
    if (!y_.judged || chain_->flush) return;
    // The last operation rounds the result itself, whatever was lost before: as much as with a term less.
    if (leaves.products + leaves.values < 2) return;
    Leaves before = leaves;
    --(before.products > 1 || before.values == 0 ? before.products : before.values);
    before.ordered = std::min(before.ordered, before.products + before.values);
    earlier_.emplace(x_);
    widen_by(*earlier_, before, total_, underflows);
  }

  // Both ends outward by the bound; returns it rounded up, infinite if there is none.
  double widen_by(Ends& ends, const Leaves& leaves, double magnitudes, double more_underflows) {
    BoundParts parts = bound_parts(*chain_, leaves);
    if (!std::isfinite(parts.relative)) return infinity;
    parts.underflows = add(parts.underflows, multiply(add(1, parts.relative), more_underflows));
    double relative = multiply(factor_, parts.relative);
    // A result that no overflow touched has seen sums up to the largest number only: half or all of its last place for
    // each rounding, those before alpha multiplied by it.
    const double largest_place =
        std::ldexp(1.0, accumulator_.emax() - accumulator_.precision + (is_nearest(mode_) ? 0 : 1));
    const double most = multiply(multiply(factor_, 2 * static_cast<double>(leaves.products + leaves.values)),
                                 add(1, std::max(1.0, std::fabs(how_.alpha))));
    const bool own_products = !chain_->product || *chain_->product == accumulator_;
    if (std::isinf(magnitudes) ||
        (own_products && multiply(relative, magnitudes) > multiply(most, largest_place))) {
      relative = most;
      magnitudes = largest_place;
    }
    // Up to 2^(emin+1) all numbers have the same last place: additions do not round there.
    const double reach =
        add(magnitudes, std::ldexp(add(parts.underflows, 1), std::max(parts.eta_exponent, -1074)));
    if (reach <= std::ldexp(1.0, accumulator_.emin + 1) && parts.flushes == 0) relative = 0;
    const double underflows = multiply(factor_, parts.underflows), flushes = multiply(factor_, parts.flushes);
    ends.widen(relative, magnitudes);
    ends.widen(underflows, 1, parts.eta_exponent);
    ends.widen(flushes, 1, accumulator_.emin);
    const auto scaled = [](double x, int exponent) {
      return x == 0 ? 0 : std::nextafter(std::ldexp(x, exponent), infinity);
    };
    absolute_ = add(scaled(underflows, parts.eta_exponent), scaled(flushes, accumulator_.emin));
    return add(multiply(relative, magnitudes), absolute_);
  }

  // --- overflow ---

  void find_overflow(double error) {
    find_scaled_operands();
    const double top = decode(format_.max_finite_code(), format_);
    const double alpha = std::fabs(how_.alpha);
    const double growth = growth_of_sums();
    const double reach =
        add(multiply(std::max(reads_product_ ? magnitudes_ : 0, total_), add(1, growth)), error);
    if (reach < top / 2) return;
    const Sides raw = product_sides();
    const bool turned = how_.alpha < 0;
    Sides all{.positive = multiply(alpha, turned ? raw.negative : raw.positive),
              .negative = multiply(alpha, turned ? raw.positive : raw.negative)};
    if (std::isfinite(c_value())) all.take((how_.beta < 0) != (c_value() < 0) ? -scaled_c() : scaled_c());
    if (std::isfinite(bias_value())) all.take(bias_value());
    // What terms of one sign come to is off by their own share of the error alone.
    const auto sum_of = [&](bool negative, double side, double unit_error, bool scaled_later) {
      if (side == 0) return;
      const double reached = add(side, chain_ ? add(multiply(growth, side), absolute_) : unit_error);
      if (!overflows(reached, format_, mode_)) return;
      const bool followed = chain_ && format_ == accumulator_;
      if (!followed || may_overflow(negative, scaled_later, growth))
        overflow(negative, reached, scaled_later);
    };
    sum_of(false, all.positive, error, false);
    sum_of(true, all.negative, error, false);
    if (reads_product_ && how_.alpha != 1) {
      sum_of(false, raw.positive, sum_error_, true);
      sum_of(true, raw.negative, sum_error_, true);
    }
    if (y_.positive_infinity && y_.negative_infinity) y_.nan = true;
  }
  // visit(size, roundings): each term of one sign, as upper bounds on its size and on the relative error with which it
  // begins.
  template <class Visit>
  void each_term(bool negative, bool scaled_later, const Visit& visit) {
    const double unit = unit_roundoff(accumulator_, mode_),
                 own = chain_->product ? std::max(unit, unit_roundoff(*chain_->product, mode_)) : unit;
    const bool scaled = scales() && !is_power_of_two(how_.alpha);
    const FormatSpec& product = chain_->product.value_or(accumulator_);
    const auto first = [&](const ExactValue<Wide>& x, bool times_alpha) {
      const bool rounds = chain_->flush || encode(x, product).inexact || encode(x, accumulator_).inexact;
      return multiply(own, (rounds ? 1 : 0) + (times_alpha && scaled ? 2 : 0));
    };
    const double alpha = scaled_later ? 1 : how_.alpha;
    const auto take = [&](bool is_negative, double size, double roundings) {
      if (size != 0 && is_negative == negative) visit(size, roundings);
    };
    if (reads_product_) {
      for (std::size_t i = 0; i < a_.size; ++i) {
        const double x = element_value(a_, i), y = element_value(b_, i);
        if (!std::isfinite(x) || !std::isfinite(y) || x == 0 || y == 0) continue;
        take(((x < 0) != (y < 0)) != (alpha < 0),
             multiply(std::fabs(alpha), multiply(std::fabs(x), std::fabs(y))),
             first(wide_product(exact(x), exact(y)), true));
      }
      const double start = start_ ? decode(*start_, accumulator_) : 0;
      if (std::isfinite(start))
        take((start < 0) != (alpha < 0), multiply(std::fabs(alpha), std::fabs(start)),
             first(widened(exact(start)), true));
    }
    if (scaled_later) return;
    if (c_ && std::isfinite(c_value()))
      take((how_.beta < 0) != (c_value() < 0), scaled_c(), first(scaled_c_exactly(), false));
    if (bias_ && std::isfinite(bias_value()))
      take(bias_value() < 0, std::fabs(bias_value()), first(widened(exact(bias_value())), false));
  }

  // Whether a sum of terms of one sign may overflow. Roundings keep order, so that terms of the other sign never add to
  // it. To nearest, an addition is off by the lighter of its two sums at most: the heavier one is a number of the
  // format, but for its own first rounding. A term lies in the lighter sum as many times as its own sum can double
  // until it is all of them: log2(all / term) at most. A single term is off by its first rounding alone, in every mode.
  bool may_overflow(bool negative, bool scaled_later, double growth) {
    ExactSum all;  // in float64's range the last places decide
    std::size_t count = 0;
    bool beyond_float64 = false;
    each_term(negative, scaled_later, [&](double size, double) {
      beyond_float64 = beyond_float64 || std::isinf(size);
      if (!beyond_float64) all.add(size);
      ++count;
    });
    if (beyond_float64) return true;
    const double sum = all.rounded_up(), slack = 0x1p-40 + 4 * growth + 2 * absolute_ / largest(format_);
    if (!(sum < infinity) && accumulator_ != formats::float64) return true;
    const double log_of_all = std::isinf(sum) ? 1024 : std::log2(sum);
    const double unit = unit_roundoff(accumulator_, mode_);
    // What overflows is not rounded: one addition fewer than there are, each off by half a last place, or a whole one.
    const double last_places =
        multiply(static_cast<double>(count > 2 ? count - 2 : 0),
                 std::ldexp(is_nearest(mode_) ? 0.5 : 1, format_.emax() - format_.precision + 1));
    double excess = 0, first_roundings = 0;
    each_term(negative, scaled_later, [&](double size, double roundings) {
      const double doublings = std::max(std::floor(log_of_all - std::log2(size) + 8 * unit + slack), 0.0);
      const double lost = multiply(roundings, size);
      excess = add(excess, multiply(multiply(doublings, add(size, lost)), add(1, growth)));
      first_roundings = add(first_roundings, lost);
    });
    excess = is_nearest(mode_) ? std::min(excess, last_places) : last_places;
    excess = add(excess, first_roundings);
    if (first_roundings > 0 || chain_->flush || scales())
      excess = add(excess, absolute_);  // else no term underflows
    if (std::isinf(excess)) return true;
    all.add(excess);
    // Compared with what rounds to infinity.
    all.add(-largest(format_));
    if (is_nearest(mode_)) all.add(-std::ldexp(1.0, format_.emax() - format_.precision));
    const ExactValue<Wide> above = all.result(Rounding::nearest_even);
    return above.is_zero() ? is_nearest(mode_) : !above.negative;
  }
  // The relative error of every sum on the way.
  double growth_of_sums() {
    if (!chain_ || !reads_product_) return 0;
    Leaves leaves = product_leaves();
    leaves.values += (c_ ? 1U : 0U) + (bias_ ? 1U : 0U);
    leaves.scaled = scales();
    return std::min(bound_parts(*chain_, leaves).relative, 0x1p1000);
  }
  // A unit's own sum has no overflow where it has a bound.
  Sides product_sides() const {
    if (!reads_product_) return {};
    if (!chain_ && std::isfinite(magnitudes_)) {
      ExactSum x = sum_;
      const double positive = add(std::max(0.0, x.rounded_up()), sum_error_);
      x.negate();
      return {.positive = positive, .negative = add(std::max(0.0, x.rounded_up()), sum_error_)};
    }
    Sides sides = sides_of(a_, b_);
    const double start = start_ ? decode(*start_, accumulator_) : 0;
    if (std::isfinite(start)) sides.take(start);
    return sides;
  }
  // A sum of this sign and size is too large; if `scaled_later`, alpha is still to come, and may turn it.
  void overflow(bool negative, double reach, bool scaled_later) {
    const bool ends_negative = negative != (scaled_later && how_.alpha < 0);
    switch (beyond(format_, mode_, negative)) {
      case Beyond::infinite: set_infinite(ends_negative); return;
      case Beyond::nan: y_.nan = true; return;
      case Beyond::clamps: break;
    }
    // What clamping takes before a scaling is not followed.
    if (scales() || std::isinf(reach)) y_.judged = false;
    const double lost =
        std::nextafter(std::max(0.0, reach - decode(format_.max_finite_code(), format_)), infinity);
    double& side = ends_negative ? lost_down_ : lost_up_;
    side = std::max(side, lost);
  }
  // alpha times an operand alone may overflow or vanish, whatever the other operand would have made of it.
  void find_scaled_operands() {
    if (!anywhere() || !scales()) return;
    for (std::size_t i = 0; i < a_.size; ++i) {
      const double a = element_value(a_, i), b = element_value(b_, i);
      scale_operand(a, b);
      scale_operand(b, a);
    }
    if (y_.positive_infinity && y_.negative_infinity) y_.nan = true;
  }
  void scale_operand(double x, double other) {
    if (x == 0 || !std::isfinite(x) || std::isnan(other)) return;
    const bool negative = (x < 0) != (how_.alpha < 0);
    if (std::isinf(other)) {
      const Encoded scaled = encode(wide_product(exact(x), exact(how_.alpha)), format_, {.rounding = mode_});
      if ((scaled.code & format_.magnitude_mask()) == 0) y_.nan = true;  // 0 Inf
    } else if (std::fabs(how_.alpha) > 1 &&
               overflows(multiply(std::fabs(how_.alpha), std::fabs(x)), format_, mode_)) {
      switch (beyond(format_, mode_, negative)) {
        case Beyond::clamps: y_.judged = y_.judged && other == 0; return;
        case Beyond::nan: y_.nan = true; return;
        case Beyond::infinite:
          if (other == 0)
            y_.nan = true;
          else
            set_infinite(negative != (other < 0));
      }
    }
  }

  // Numbers end where the last format ends. If the output holds that format, they are values of it.
  void cut_to_range(Ends& ends) {
    if (lost_up_ > 0) ends.low.add(-lost_up_);
    if (lost_down_ > 0) ends.high.add(lost_down_);
    cut(ends.low.result(how_.rounding), true);
    cut(ends.high.result(how_.rounding), false);
    if (earlier_ && lost_up_ == 0 && lost_down_ == 0) {
      sharpen(earlier_->low.result(how_.rounding), true);
      sharpen(earlier_->high.result(how_.rounding), false);
    }
  }
  // By the last rounding of what came before it.
  void sharpen(const ExactValue<Wide>& before, bool is_low) {
    const Rounding outward = is_low ? Rounding::toward_negative : Rounding::toward_positive;
    // A negative alpha may turn the result after a directed rounding.
    const bool either =
        mode_ == Rounding::stochastic ||
        (how_.alpha < 0 && (mode_ == Rounding::toward_positive || mode_ == Rounding::toward_negative));
    const std::uint64_t code = encode(before, accumulator_, {.rounding = either ? outward : mode_}).code;
    if (!accumulator_.is_finite(code)) return;
    ExactValue<Wide>& end = is_low ? y_.low : y_.high;
    const double rounded = decode(code, accumulator_);
    ExactValue<Wide> limit = value_of(code, accumulator_);
    // Into a narrower output a kernel may round the last sum at once.
    if (!y_.is_output && (is_low ? is_below(before, rounded) : is_above(before, rounded))) limit = before;
    const double at = decode(encode(limit, formats::float64, {.rounding = outward}).code, formats::float64);
    if (is_low ? is_below(end, at) : is_above(end, at)) end = limit;
  }
  void cut(const ExactValue<Wide>& end, bool is_low) {
    const FormatSpec& f = range_;
    const Rounding inward = is_low ? Rounding::toward_positive : Rounding::toward_negative;
    const Encoded rounded = encode(end, f, {.rounding = mode_ == Rounding::stochastic ? inward : mode_});
    ExactValue<Wide>& to = is_low ? y_.low : y_.high;
    to = end;
    if (rounded.overflow) {
      // Past the end on its own side the number is gone; on the other side, all numbers down or up to the end are left.
      // Whether a sum overflows is known already, better than the error tells.
      const bool is_known = chain_ && f == accumulator_ && format_ == accumulator_;
      if (f.is_nan(rounded.code))
        y_.nan = y_.nan || !is_known;
      else if (f.is_infinite(rounded.code) && !is_known)
        set_infinite(end.negative);
      if (!f.is_finite(rounded.code) && end.negative != is_low) y_.number = false;
      to = value_of(f.max_finite_code(), f);
      to.negative = end.negative;
    } else if (holds(f)) {
      const std::uint64_t code = encode(end, f, {.rounding = inward}).code;
      if (f.is_finite(code)) to = value_of(code, f);
    }
  }

  const Arithmetic& arithmetic_;
  const Epilogue& how_;
  CodeVector a_, b_;
  bool reads_product_;
  std::optional<std::uint64_t> start_;
  std::optional<Addend> c_, bias_;
  FormatSpec output_;
  double factor_;
  std::optional<Accumulation> chain_;  // empty: a machine's unit, whose bound is its own
  FormatSpec accumulator_, format_;    // of the sum, of the epilogue's steps
  FormatSpec range_{};                 // of what the last step gives
  Rounding mode_;                      // of the sum
  ExactSum sum_, x_;
  double magnitudes_ = 0, scaled_magnitudes_ = 0, total_ = 0, sum_error_ = 0;
  std::optional<ProductLimits> limits_;  // of the products, where somebody knows them
  bool all_zero_ = false;
  std::optional<TermFacts> facts_;
  int product_terms_ = 0;        // that are not zero; 3 stands for more
  std::optional<Ends> earlier_;  // before the last rounding
  double absolute_ = 0;          // the part of the error that does not grow with the terms
  Spread y_;
  double lost_up_ = 0, lost_down_ = 0;  // what clamping may take from a sum, and add to it
};

EncodeOptions output_options(const Epilogue& how, bool low) {
  EncodeOptions options{.rounding = how.rounding, .overflow = how.overflow};
  // Any number between two codes may become either.
  if (how.rounding == Rounding::stochastic)
    options.rounding = low ? Rounding::toward_negative : Rounding::toward_positive;
  return options;
}

}  // namespace

SpecialCodes special_codes(const Epilogue& how, const FormatSpec& output) {
  const auto code = [&](const ExactValue<Wide>& x) {
    return encode(activated(how, x), output, output_options(how, x.negative)).code;
  };
  return {.negative_infinity = code(infinite(true)),
          .positive_infinity = code(infinite(false)),
          .nan = code({.kind = Kind::nan})};
}

bool accepts(const ResultSet& set, const SpecialCodes& specials, std::uint64_t code, const FormatSpec& f) {
  if (!set.judged) return true;
  const bool is_zero = (code & f.magnitude_mask()) == 0 && f.is_finite(code);
  if (is_zero && set.signed_zero && f.is_negative(code) != set.negative_zero) return false;
  if (f.is_finite(code)) {
    const std::int64_t at = value_position(code, f);
    if (set.low <= at && at <= set.high) return true;
  }
  const auto becomes = [&](bool reachable, std::uint64_t special) {
    return reachable && (code == special || (f.is_nan(code) && f.is_nan(special)) ||
                         (is_zero && (special & f.magnitude_mask()) == 0 && f.is_finite(special)));
  };
  return becomes(set.negative_infinity, specials.negative_infinity) ||
         becomes(set.positive_infinity, specials.positive_infinity) || becomes(set.nan, specials.nan);
}

Spread spread_of(const Arithmetic& arithmetic, const Epilogue& how, const CodeVector& a, const CodeVector& b,
                 std::optional<std::uint64_t> start, const std::optional<Addend>& c,
                 const std::optional<Addend>& bias, const FormatSpec& output, double factor,
                 const GemmSum* known) {
  return Computation(arithmetic, how, a, b, start, c, bias, output, factor, known).spread();
}

Spread spread_of(const ExactValue<Wide>& x) {
  Spread y{.exact = x, .number = x.kind == Kind::finite, .low = x, .high = x};
  y.nan = x.kind == Kind::nan;
  if (x.kind == Kind::infinite) (x.negative ? y.negative_infinity : y.positive_infinity) = true;
  return y;
}

ExactValue<Wide> activated(const Epilogue& how, const ExactValue<Wide>& y) {
  if (y.kind == Kind::nan) return how.activation == Activation::relu_max ? ExactValue<Wide>{} : y;
  switch (how.activation) {
    case Activation::none: break;
    case Activation::relu:
    case Activation::relu_max: return y.negative || y.is_zero() ? ExactValue<Wide>{} : y;
    case Activation::clip:
      if (is_below(y, how.low)) return widened(exact(how.low));
      if (is_above(y, how.high)) return widened(exact(how.high));
  }
  return y;
}

ResultSet result_set(const Spread& y, const Epilogue& how, const FormatSpec& output) {
  ResultSet set;
  set.negative_infinity = y.negative_infinity;
  set.positive_infinity = y.positive_infinity;
  set.nan = y.nan;
  // What a NaN becomes in a format that has none is nobody's rule.
  set.judged = y.judged && !(y.nan && !output.has_nan() && how.activation != Activation::relu_max);
  if (!y.number || !set.judged) return set;
  const auto top = static_cast<std::int64_t>(output.max_finite_code());
  const auto position = [&](const ExactValue<Wide>& end, bool low) -> std::int64_t {
    const std::uint64_t code = encode(activated(how, end), output, output_options(how, low)).code;
    if (output.is_finite(code)) return value_position(code, output);
    (end.negative ? set.negative_infinity : set.positive_infinity) = true;
    // Past the end on its own side no number is left: low > high.
    return end.negative ? (low ? -top : -top - 1) : (low ? top + 1 : top);
  };
  set.low = position(y.low, true);
  set.high = position(y.high, false);
  // The exact result rounded once is always right.
  const std::int64_t first = position(y.exact, true), last = position(y.exact, false);
  if (set.low <= set.high && first <= last) {
    set.low = std::min(set.low, first);
    set.high = std::max(set.high, last);
  }
  set.judged = !(set.low <= -top && set.high >= top);
  return set;
}

ElementTruth truth_of(const Spread& y, const Epilogue& how, const FormatSpec& output) {
  ElementTruth truth{.exact = activated(how, y.exact), .results = result_set(y, how, output)};
  truth.before_output = y.judged ? y.error : infinity;
  truth.bound = truth.before_output;
  const bool rounds =
      !y.is_output || how.activation == Activation::clip;  // limits need not be values of the output
  if (rounds && y.judged && truth.exact.kind == Kind::finite) {
    const double magnitude =
        decode(encode(truth.exact, formats::float64, {.rounding = Rounding::toward_positive}).code,
               formats::float64);
    truth.bound = BoundedValue{std::fabs(magnitude), y.error}.rounded(output, how.rounding).error;
  }
  return truth;
}

ElementTruth element_truth(const Arithmetic& arithmetic, const Epilogue& epilogue, const CodeVector& a,
                           const CodeVector& b, std::optional<std::uint64_t> start,
                           const std::optional<Addend>& c, const std::optional<Addend>& bias,
                           const FormatSpec& output, double factor, const GemmSum* known) {
  return truth_of(spread_of(arithmetic, epilogue, a, b, start, c, bias, output, factor, known), epilogue,
                  output);
}

}  // namespace assay
