#include "emulation/units/step_unit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/exact/wide_arithmetic.hpp"

namespace assay {

void StepLog::add_error(double e) const {
  if (error != nullptr) *error = upward::add(*error, e);
}

void StepLog::add_rounding(const ExactValue<Wide>& t, const FormatSpec& f, Rounding mode, bool flush) const {
  if (error != nullptr) add_error(rounding_error(t, f, mode, flush));
}

int field_exponent(const ExactValue<std::uint64_t>& x, const FormatSpec& f) {
  return x.exponent + f.precision - 1;
}

double magnitude_up(const ExactValue<Wide>& x) {
  ExactValue<Wide> magnitude = x;
  magnitude.negative = false;
  return decode(encode(magnitude, formats::float64, {.rounding = Rounding::toward_positive}).code,
                formats::float64);
}

double rounding_error(const ExactValue<Wide>& t, const FormatSpec& f, Rounding mode, bool flush) {
  if (t.kind != Kind::finite || t.is_zero()) return 0;
  // 2^e <= |t|, decided on the exact value: a magnitude that was rounded up could hide that t is tiny.
  const int e = t.exponent + bit_width(t.significand) - 1;
  if (e > f.emax()) return std::numeric_limits<double>::infinity();
  if (e >= f.emin) return upward::multiply(unit_roundoff(f, mode), magnitude_up(t));
  return flush ? std::ldexp(1.0, f.emin) : underflow_error(f, mode);
}

ExactValue<Wide> exact_integer(std::int64_t significand, int exponent) {
  ExactValue<Wide> x;
  x.negative = significand < 0;
  const auto word = static_cast<std::uint64_t>(significand);
  x.significand = x.negative ? ~word + 1 : word;
  x.exponent = exponent;
  return x;
}

std::string product_name(std::size_t index) {
  const std::string i = "[" + std::to_string(index) + "]";
  return "a" + i + " b" + i;
}

TraceStep trace_of_no_terms(std::uint64_t c, const FormatSpec& f) {
  TraceStep step{.name = "no products"};
  const ExactValue<Wide> value = widened(exact_from_code(c, f));
  step.terms = {{.name = "c", .exact = value, .entered = value}};
  step.sum = value;
  step.result = c;
  step.format = f;
  return step;
}

std::uint64_t StepUnit::chain(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                              const StepLog& log) const {
  std::uint64_t sum = c.value_or(0);
  const std::size_t most = info().step_terms;
  for (std::size_t begin = 0; begin < a.size; begin += most) {
    const std::size_t count = std::min(most, a.size - begin);
    sum = take_step(a.part(begin, count), b.part(begin, count), begin, sum, log);
  }
  return sum;
}

std::uint64_t StepUnit::dot_checked(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                                    const FormatSpec&, OutputPlace) const {
  return chain(a, b, c, {});
}

std::uint64_t StepUnit::step_checked(const CodeVector& a, const CodeVector& b, std::uint64_t c,
                                     OutputPlace) const {
  return chain(a, b, c, {});
}

std::vector<TraceStep> StepUnit::trace_checked(const CodeVector& a, const CodeVector& b,
                                               std::optional<std::uint64_t> c, const FormatSpec&) const {
  if (a.size == 0) return {trace_of_no_terms(c.value_or(0), info().accumulator)};
  std::vector<TraceStep> steps;
  chain(a, b, c, {.trace = &steps});
  return steps;
}

ExactDot StepUnit::exact(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c) const {
  if (a.size != 0 || !c) return Arithmetic::exact(a, b, c);
  ExactDot truth = Arithmetic::exact(a, b, {});
  ExactValue<std::uint64_t> addend = exact_from_code(*c, info().accumulator);
  truth.value.add(addend);
  addend.negative = false;
  ExactSum magnitude;
  magnitude.add(addend);
  truth.magnitudes = magnitude.rounded_up();
  return truth;
}

double StepUnit::bound(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                       const FormatSpec& output) const {
  check_dot(a, b, output);
  double error = 0;
  // An infinity or a NaN stays one in all these units, whatever is added to it.
  const std::uint64_t result = chain(a, b, c, {.error = &error});
  return info().accumulator.is_finite(result) ? error : std::numeric_limits<double>::infinity();
}

}  // namespace assay
