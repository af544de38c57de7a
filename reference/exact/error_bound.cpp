#include "reference/exact/error_bound.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "reference/core/error.hpp"
#include "reference/exact/code_view.hpp"
#include "reference/formats/encode.hpp"

namespace assay {
namespace upward {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
// Of finite x.
double next_above(double x) {
  return x >= 0 ? std::bit_cast<double>(std::bit_cast<std::uint64_t>(x + 0.0) + 1)
                : std::nextafter(x, infinity);
}

}  // namespace

double add(double a, double b) {
  const double s = a + b;
  // Knuth's two-sum: the exact residual of a rounded sum. NaN (from infinities) compares false.
  const double b_part = s - a;
  const double residual = (a - (s - b_part)) + (b - b_part);
  return residual <= 0 || std::isinf(s) ? s : next_above(s);
}

double multiply(double a, double b) {
  if (a == 0 || b == 0) return 0;
  const double p = a * b;
  if (std::isinf(p)) return p;
  // Below 2^-960 the residual may itself be cut off.
  return p >= 0x1p-960 && std::fma(a, b, -p) <= 0 ? p : next_above(p);
}

double divide(double a, double b) {
  if (a == 0) return 0;
  const double q = a / b;
  if (std::isinf(q)) return q;
  return a >= 0x1p-900 && q >= 0x1p-900 && std::fma(q, b, -a) >= 0 ? q : next_above(q);
}

double compound(double x, std::uint64_t n) {
  // g = (1+x)^k - 1 for the leading bits k of n: doubling k gives g (2 + g), one more g + x (1 + g).
  double g = 0;
  for (int bit = static_cast<int>(std::bit_width(n)) - 1; bit >= 0; --bit) {
    g = multiply(g, add(2, g));
    if ((n >> bit & 1) != 0) g = add(g, multiply(x, add(1, g)));
  }
  return g;
}

}  // namespace upward

namespace {

using upward::add, upward::compound, upward::multiply;

bool is_nearest(Rounding mode) { return mode == Rounding::nearest_even || mode == Rounding::nearest_away; }

// Upward: a count as a float64.
double as_double(std::uint64_t n) {
  const double x = static_cast<double>(n);
  return n <= std::uint64_t{1} << 53 ? x : std::nextafter(x, std::numeric_limits<double>::infinity());
}

// The multiple of sum |x| for `terms` terms in an order whose longest path has `path` additions; `leaves`: every term
// is rounded, or fused into an addition, on entering.
double relative_bound(const FormatSpec& f, Rounding mode, std::uint64_t terms, std::uint64_t path,
                      bool leaves) {
  if (terms == 0) return 0;
  const double u = unit_roundoff(f, mode);
  const std::uint64_t roundings = path + (leaves ? 1 : 0);
  if (mode == Rounding::toward_zero) return multiply(as_double(roundings), u);
  const double compounded = compound(u, roundings);
  if (!is_nearest(mode)) return compounded;
  return std::min(compounded, multiply(as_double(leaves ? terms : terms - 1), u));
}

double smallest_normal(const FormatSpec& f) { return std::ldexp(1.0, f.emin); }

double largest(const FormatSpec& f) { return decode(f.max_finite_code(), f); }

// The rounding to `how.output`, given the bound on the accumulator.
void add_output(ErrorBound& bound, const Accumulation& how, const TermSums& data) {
  if (how.output) {
    const BoundedValue accumulated{std::min(data.exact, data.magnitudes), bound.value};
    const BoundedValue out = accumulated.rounded(*how.output, how.output_rounding, how.output_flush);
    const bool holds = contains_format(*how.output, how.accumulator) && !how.output_flush;
    if (!holds) {
      bound.output = out.error - bound.value;
      bound.value = out.error;
    }
  }
}

// relative * magnitudes + (1 + relative) * (what each event below the normal range costs).
ErrorBound assemble(const Accumulation& how, const TermSums& data, double relative, double underflow,
                    double flush) {
  ErrorBound bound;
  bound.relative = relative;
  const double grown = add(1, relative);
  bound.absolute = multiply(grown, add(underflow, flush));
  bound.value = add(multiply(relative, data.magnitudes), bound.absolute);
  const double reach = add(data.magnitudes, bound.value);
  bound.may_overflow = reach > largest(how.accumulator) || (how.product && reach > largest(*how.product));
  return bound;
}

ErrorBound accumulated_sum(const Accumulation& how, const TermSums& data, const FormatSpec& input) {
  const bool leaves = !contains_format(how.accumulator, input);
  const std::uint64_t terms = data.terms + (data.addend ? 1 : 0);
  const std::uint64_t path = longest_path(how.order, data.terms) + (data.addend && data.terms != 0 ? 1 : 0);
  const double relative = relative_bound(how.accumulator, how.rounding, terms, path, leaves);
  const double n = as_double(data.terms);
  const double underflow = leaves ? multiply(n, underflow_error(how.accumulator, how.rounding)) : 0;
  const double flush =
      how.flush ? multiply(multiply(leaves ? 2 : 1, as_double(terms)), smallest_normal(how.accumulator)) : 0;
  return assemble(how, data, relative, underflow, flush);
}

}  // namespace

double unit_roundoff(const FormatSpec& f, Rounding mode) {
  return std::ldexp(1.0, is_nearest(mode) ? -f.precision : 1 - f.precision);
}

double underflow_error(const FormatSpec& f, Rounding mode) {
  const int smallest = f.emin - f.precision + 1;
  return std::ldexp(1.0, std::max(is_nearest(mode) ? smallest - 1 : smallest, -1074));
}

ErrorBound sum_bound(const Accumulation& how, const TermSums& data, const FormatSpec& input) {
  ErrorBound bound = accumulated_sum(how, data, input);
  add_output(bound, how, data);
  return bound;
}

ErrorBound dot_bound(const Accumulation& how, const TermSums& data) {
  const FormatSpec& a = how.accumulator;
  const std::uint64_t terms = data.terms + (data.addend ? 1 : 0);
  const std::uint64_t path = longest_path(how.order, data.terms) + (data.addend && data.terms != 0 ? 1 : 0);
  const double n = as_double(data.terms);
  const bool apart = how.product && (how.product->precision != a.precision || how.product->emin != a.emin);
  double relative = 0, underflow = 0, flush = 0;
  if (!apart) {
    relative = relative_bound(a, how.rounding, terms, path, true);
    underflow = multiply(n, underflow_error(a, how.rounding));
    if (how.flush) flush = multiply(add(as_double(terms), n), smallest_normal(a));
  } else {
    const FormatSpec& p = *how.product;
    const bool joins_rounded = !contains_format(a, p);
    const double u = unit_roundoff(p, how.rounding);
    const double sums = relative_bound(a, how.rounding, terms, path, joins_rounded);
    relative = add(multiply(sums, add(1, u)), u);
    underflow = multiply(n, underflow_error(p, how.rounding));
    if (joins_rounded) underflow = add(underflow, multiply(n, underflow_error(a, how.rounding)));
    if (how.flush) {
      flush = add(multiply(n, smallest_normal(p)), multiply(add(as_double(terms), n), smallest_normal(a)));
    }
  }
  ErrorBound bound = assemble(how, data, relative, underflow, flush);
  add_output(bound, how, data);
  return bound;
}

ErrorBound mean_bound(const Accumulation& how, const TermSums& data, const FormatSpec& input) {
  TermSums sum = data;
  sum.exact = std::numeric_limits<double>::infinity();
  ErrorBound bound = accumulated_sum(how, sum, input);
  if (data.terms == 0) return bound;
  const double n =
      static_cast<double>(data.terms);  // nearest: a divisor rounded up would make the bound too small
  const double divisor = data.terms <= std::uint64_t{1} << 53 ? n : std::nextafter(n, 0.0);
  TermSums mean = data;
  mean.magnitudes = upward::divide(data.magnitudes, divisor);
  const BoundedValue quotient =
      BoundedValue{std::min(data.exact, mean.magnitudes), upward::divide(bound.value, divisor)}.rounded(
          how.accumulator, how.rounding, how.flush);
  bound.value = quotient.error;
  add_output(bound, how, mean);
  return bound;
}

BoundParts bound_parts(const Accumulation& how, const Leaves& leaves) {
  const FormatSpec& a = how.accumulator;
  const std::uint64_t terms = leaves.products + leaves.values;
  BoundParts parts;
  parts.eta_exponent = a.emin - a.precision + (is_nearest(how.rounding) ? 0 : 1);
  if (terms == 0) return parts;
  const std::uint64_t joining = terms - std::min(leaves.ordered, terms);
  std::uint64_t path = longest_path(how.order, leaves.ordered) + joining;
  path = std::min(path, terms - 1);
  const bool apart = leaves.products != 0 && how.product &&
                     (how.product->precision != a.precision || how.product->emin != a.emin);
  const bool rounds = leaves.products != 0 && (!apart || !contains_format(a, *how.product));
  if (leaves.scaled) {
    const std::uint64_t roundings = path + 2;  // alpha a may round, and then (alpha a) b where a b does not
    const double u = unit_roundoff(a, how.rounding);
    parts.relative = compound(u, roundings);
  } else {
    parts.relative = relative_bound(a, how.rounding, terms, path, rounds);
  }
  parts.underflows = as_double(leaves.roundings);
  double flushes = how.flush ? add(as_double(terms), as_double(leaves.roundings)) : 0;
  if (apart) {
    const FormatSpec& p = *how.product;
    const double u = unit_roundoff(p, how.rounding);
    parts.relative = add(multiply(parts.relative, add(1, u)), u);
    // In units of the larger eta: that of the format with the larger least number.
    const int eta = p.emin - p.precision + (is_nearest(how.rounding) ? 0 : 1);
    parts.underflows = multiply(parts.underflows, 2);
    parts.eta_exponent = std::max(parts.eta_exponent, eta);
    if (how.flush) {
      flushes =
          add(flushes, multiply(as_double(leaves.products), std::ldexp(1.0, std::max(0, p.emin - a.emin))));
    }
  }
  const double grown = add(1, parts.relative);
  parts.underflows = multiply(grown, parts.underflows);
  parts.flushes = multiply(grown, flushes);
  return parts;
}

BoundedValue BoundedValue::rounded(const FormatSpec& f, Rounding mode, bool flush) const {
  const double relative = multiply(unit_roundoff(f, mode), add(magnitude, error));
  double rounding = add(relative, underflow_error(f, mode));
  if (flush) rounding = add(rounding, smallest_normal(f));
  return {magnitude, add(error, rounding)};
}

BoundedValue operator+(const BoundedValue& a, const BoundedValue& b) {
  return {add(a.magnitude, b.magnitude), add(a.error, b.error)};
}

BoundedValue operator*(const BoundedValue& a, const BoundedValue& b) {
  const double crossed = add(multiply(a.magnitude, b.error), multiply(b.magnitude, a.error));
  return {multiply(a.magnitude, b.magnitude), add(crossed, multiply(a.error, b.error))};
}

}  // namespace assay
