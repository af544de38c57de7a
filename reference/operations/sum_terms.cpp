#include "reference/operations/sum_terms.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "reference/exact/code_view.hpp"
#include "reference/exact/error_bound.hpp"
#include "reference/exact/float_reader.hpp"

namespace assay::detail {

using upward::add, upward::multiply;

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

TermFacts facts_of(const CodeVector& a, const CodeVector& b, bool flush, int width,
                   const std::function<bool(int)>& hopeless) {
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

void Sides::take(double x) {
  double& side = x > 0 ? positive : negative;
  side = add(side, std::fabs(x));
}

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

}  // namespace assay::detail
