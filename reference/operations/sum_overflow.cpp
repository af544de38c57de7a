// Of one computation: what overflows, and what becomes of it (the rules: result_set.hpp).
#include "reference/operations/exact_values.hpp"
#include "reference/operations/sum_outcomes.hpp"

namespace assay::detail {
namespace {

using upward::add, upward::multiply;

double largest(const FormatSpec& f) { return decode(f.max_finite_code(), f); }

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

}  // namespace

template <class Visit>
void Computation::each_term(bool negative, bool scaled_later, const Visit& visit) {
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

void Computation::find_overflow(double error) {
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
    if (!followed || may_overflow(negative, scaled_later, growth)) overflow(negative, reached, scaled_later);
  };
  sum_of(false, all.positive, error, false);
  sum_of(true, all.negative, error, false);
  if (reads_product_ && how_.alpha != 1) {
    sum_of(false, raw.positive, sum_error_, true);
    sum_of(true, raw.negative, sum_error_, true);
  }
  if (y_.positive_infinity && y_.negative_infinity) y_.nan = true;
}

bool Computation::may_overflow(bool negative, bool scaled_later, double growth) {
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
  if (!(sum < unbounded) && accumulator_ != formats::float64) return true;
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

double Computation::growth_of_sums() {
  if (!chain_ || !reads_product_) return 0;
  Leaves leaves = product_leaves();
  leaves.values += (c_ ? 1U : 0U) + (bias_ ? 1U : 0U);
  leaves.scaled = scales();
  return std::min(bound_parts(*chain_, leaves).relative, 0x1p1000);
}

Sides Computation::product_sides() const {
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

void Computation::overflow(bool negative, double reach, bool scaled_later) {
  const bool ends_negative = negative != (scaled_later && how_.alpha < 0);
  switch (beyond(format_, mode_, negative)) {
    case Beyond::infinite: set_infinite(ends_negative); return;
    case Beyond::nan: y_.nan = true; return;
    case Beyond::clamps: break;
  }
  // What clamping takes before a scaling is not followed.
  if (scales() || std::isinf(reach)) y_.judged = false;
  const double lost =
      std::nextafter(std::max(0.0, reach - decode(format_.max_finite_code(), format_)), unbounded);
  double& side = ends_negative ? lost_down_ : lost_up_;
  side = std::max(side, lost);
}

void Computation::find_scaled_operands() {
  if (!anywhere() || !scales()) return;
  for (std::size_t i = 0; i < a_.size; ++i) {
    const double a = element_value(a_, i), b = element_value(b_, i);
    scale_operand(a, b);
    scale_operand(b, a);
  }
  if (y_.positive_infinity && y_.negative_infinity) y_.nan = true;
}

void Computation::scale_operand(double x, double other) {
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

}  // namespace assay::detail
