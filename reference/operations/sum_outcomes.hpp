// Private to result_set.hpp: one computation, alpha a . b + beta c + bias, and all that it may come to.
#pragma once

#include <algorithm>
#include <bit>
#include <climits>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "reference/exact/code_view.hpp"
#include "reference/exact/exact_dot.hpp"
#include "reference/exact/wide_arithmetic.hpp"
#include "reference/operations/result_set.hpp"
#include "reference/operations/sum_terms.hpp"

namespace assay::detail {

inline constexpr double unbounded = std::numeric_limits<double>::infinity();

inline bool is_nearest(Rounding mode) {
  return mode == Rounding::nearest_even || mode == Rounding::nearest_away;
}
inline bool is_power_of_two(double x) {
  return std::isfinite(x) && std::has_single_bit(exact(x).significand);
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

class Computation {
 public:
  Computation(const Arithmetic& arithmetic, const Epilogue& how, const CodeVector& a, const CodeVector& b,
              std::optional<std::uint64_t> start, const std::optional<Addend>& c,
              const std::optional<Addend>& bias, const FormatSpec& output, double factor,
              const GemmSum* known);

  Spread spread();

 private:
  bool anywhere() const { return how_.place == EpiloguePlace::anywhere && chain_ && !how_.format; }
  bool scales() const { return reads_product_ && how_.alpha != 1 && how_.alpha != -1; }
  // Where the products alone are too large for float64.
  double magnitudes_of_scaled() const;
  double c_value() const { return c_ ? decode(c_->code, c_->format) : 0; }
  double bias_value() const { return bias_ ? decode(bias_->code, bias_->format) : 0; }
  ExactValue<Wide> scaled_c_exactly() const {
    return wide_product(exact(how_.beta), exact_from_code(c_->code, c_->format));
  }
  double scaled_c() const { return c_ ? upward::multiply(std::fabs(how_.beta), std::fabs(c_value())) : 0; }
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
  std::optional<TermFacts> facts_by_limits() const;
  const TermFacts& product_facts();
  // `shift`: alpha is 2^shift.
  TermFacts all_facts(int shift);
  bool everything_is_exact();

  // One term that is not zero: its result is its one rounding, in every order.
  bool is_single();

  // --- errors ---

  void widen(Ends& ends);

  // The epilogue's steps, one rounding each, after a sum that is off by `error`.
  double after_steps(double error, const FormatSpec& given) const;

  // The leaves of the sum of products alone.
  Leaves product_leaves();

  // alpha, beta c and bias may enter at any leaf or node.
  void widen_by_any_place(Ends& ends);

  // Both ends outward by the bound; returns it rounded up, infinite if there is none.
  double widen_by(Ends& ends, const Leaves& leaves, double magnitudes, double more_underflows);

  // --- overflow ---

  void find_overflow(double error);
  // visit(size, roundings): each term of one sign, as upper bounds on its size and on the relative error with which it
  // begins.
  template <class Visit>
  void each_term(bool negative, bool scaled_later, const Visit& visit);

  // Whether a sum of terms of one sign may overflow. Roundings keep order, so that terms of the other sign never add to
  // it. To nearest, an addition is off by the lighter of its two sums at most: the heavier one is a number of the
  // format, but for its own first rounding. A term lies in the lighter sum as many times as its own sum can double
  // until it is all of them: log2(all / term) at most. A single term is off by its first rounding alone, in every mode.
  bool may_overflow(bool negative, bool scaled_later, double growth);
  // The relative error of every sum on the way.
  double growth_of_sums();
  // A unit's own sum has no overflow where it has a bound.
  Sides product_sides() const;
  // A sum of this sign and size is too large; if `scaled_later`, alpha is still to come, and may turn it.
  void overflow(bool negative, double reach, bool scaled_later);
  // alpha times an operand alone may overflow or vanish, whatever the other operand would have made of it.
  void find_scaled_operands();
  void scale_operand(double x, double other);

  // Numbers end where the last format ends. If the output holds that format, they are values of it.
  void cut_to_range(Ends& ends);
  // By the last rounding of what came before it.
  void sharpen(const ExactValue<Wide>& before, bool is_low);
  void cut(const ExactValue<Wide>& end, bool is_low);

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

}  // namespace assay::detail
