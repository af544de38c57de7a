#include "reference/operations/sum_outcomes.hpp"

#include "reference/operations/exact_values.hpp"

namespace assay::detail {
namespace {

using upward::add, upward::multiply;

}  // namespace

Computation::Computation(const Arithmetic& arithmetic, const Epilogue& how, const CodeVector& a,
                         const CodeVector& b, std::optional<std::uint64_t> start,
                         const std::optional<Addend>& c, const std::optional<Addend>& bias,
                         const FormatSpec& output, double factor, const GemmSum* known)
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

Spread Computation::spread() {
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

double Computation::magnitudes_of_scaled() const {
  double sum = 0;
  for (std::size_t i = 0; i < a_.size; ++i) {
    const double a = std::fabs(element_value(a_, i)), b = std::fabs(element_value(b_, i));
    if (std::isfinite(a) && std::isfinite(b) && a != 0 && b != 0)
      sum = add(sum, multiply(multiply(std::fabs(how_.alpha), a), b));
  }
  return start_ ? unbounded : sum;
}

std::optional<TermFacts> Computation::facts_by_limits() const {
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

const TermFacts& Computation::product_facts() {
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

TermFacts Computation::all_facts(int shift) {
  TermFacts facts = product_facts();
  if (facts.last != INT_MAX) facts.last += shift;
  if (c_) note_term(facts, scaled_c_exactly());
  if (bias_) note_term(facts, value_of(bias_->code, bias_->format));
  return facts;
}

bool Computation::everything_is_exact() {
  if (all_facts(0).last == INT_MAX) return true;  // zeros, whatever alpha is
  const int shift = scales() ? std::ilogb(how_.alpha) : 0;
  if (scales() && !is_power_of_two(how_.alpha)) return false;
  // alpha may multiply an operand, too.
  if (shift < 0 && anywhere() && product_facts().last_operand + shift < least_place()) return false;
  return are_exact(product_facts().last, magnitudes_) && are_exact(all_facts(shift).last, total_);
}

bool Computation::is_single() {
  const bool one_rounding =
      chain_ && !chain_->flush && (!chain_->product || *chain_->product == accumulator_) && !scales() &&
      format_ == accumulator_ && (anywhere() || mode_ == how_.rounding || (!c_ && !bias_));
  if (!one_rounding || all_facts(0).nonzero > 1) return false;
  // alpha = -1 may come before a directed rounding or after it.
  const bool either =
      mode_ == Rounding::stochastic ||
      (how_.alpha == -1 && (mode_ == Rounding::toward_positive || mode_ == Rounding::toward_negative));
  const auto rounded = [&](Rounding mode) { return encode(y_.exact, accumulator_, {.rounding = mode}).code; };
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

void Computation::widen(Ends& ends) {
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

double Computation::after_steps(double error, const FormatSpec& given) const {
  const auto step = [&](const ExactSum& x) {
    const BoundedValue rounded = BoundedValue{x.magnitude_up(), error}.rounded(format_, how_.rounding);
    error = std::isfinite(rounded.error) ? add(error, multiply(factor_, rounded.error - error)) : unbounded;
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

Leaves Computation::product_leaves() {
  const TermFacts& facts = product_facts();
  // Terms that are zero round nothing.
  const bool few = facts.all && product_terms_ < 3 && !chain_->flush;
  const std::uint64_t n = few ? static_cast<std::uint64_t>(product_terms_) : terms();
  Leaves leaves{.ordered = n, .products = facts.exact ? 0 : n, .values = facts.exact ? n : 0};
  leaves.roundings = facts.exact && facts.all && facts.last >= least_place() ? 0 : n;
  if (start_) ++leaves.values;
  return leaves;
}

void Computation::widen_by_any_place(Ends& ends) {
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

double Computation::widen_by(Ends& ends, const Leaves& leaves, double magnitudes, double more_underflows) {
  BoundParts parts = bound_parts(*chain_, leaves);
  if (!std::isfinite(parts.relative)) return unbounded;
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
    return x == 0 ? 0 : std::nextafter(std::ldexp(x, exponent), unbounded);
  };
  absolute_ = add(scaled(underflows, parts.eta_exponent), scaled(flushes, accumulator_.emin));
  return add(multiply(relative, magnitudes), absolute_);
}

void Computation::cut_to_range(Ends& ends) {
  if (lost_up_ > 0) ends.low.add(-lost_up_);
  if (lost_down_ > 0) ends.high.add(lost_down_);
  cut(ends.low.result(how_.rounding), true);
  cut(ends.high.result(how_.rounding), false);
  if (earlier_ && lost_up_ == 0 && lost_down_ == 0) {
    sharpen(earlier_->low.result(how_.rounding), true);
    sharpen(earlier_->high.result(how_.rounding), false);
  }
}

void Computation::sharpen(const ExactValue<Wide>& before, bool is_low) {
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

void Computation::cut(const ExactValue<Wide>& end, bool is_low) {
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

}  // namespace assay::detail
