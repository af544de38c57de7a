#include "emulation/units/fused_op.hpp"

#include <initializer_list>

#include "reference/exact/exact_dot.hpp"
#include "reference/formats/encode.hpp"

namespace assay {
namespace {

// A format of 32 bits or less with so many more binades that no product or sum of its values leaves them.
constexpr FormatSpec without_limits(const FormatSpec& f) {
  return {"unlimited", "unlimited", f.precision + 12, f.precision, -1022, Specials::ieee};
}

// The code of 2^e in a format that has it as a normal number.
constexpr std::uint64_t power_of_two(const FormatSpec& f, int e) {
  return static_cast<std::uint64_t>(e - f.emin + 1) << (f.precision - 1);
}

bool is_flushed(const ExactValue<Wide>& x, std::uint64_t code, const FusedRules& rules) {
  const FormatSpec& f = rules.format;
  switch (rules.tiny) {
    case Tiny::kept: return false;
    case Tiny::before_rounding: return x.exponent + bit_width(x.significand) - 1 < f.emin;
    case Tiny::after_rounding: {
      // No rounding takes a magnitude from 2^emin or above to below it.
      if (x.exponent + bit_width(x.significand) - 1 >= f.emin) return false;
      const FormatSpec wide = without_limits(f);
      return (encode(x, wide).code & wide.magnitude_mask()) < power_of_two(wide, f.emin);
    }
    case Tiny::as_stored: return (code & f.magnitude_mask()) < f.min_normal_code();
  }
  return false;
}

OpResult rounded(const ExactValue<Wide>& x, const FusedRules& rules) {
  const FormatSpec& f = rules.format;
  const Encoded e = encode(x, f);
  OpResult result{e.code, x, e.overflow ? OpEvent::overflow : OpEvent::none};
  if (x.kind == Kind::finite && !x.is_zero() && is_flushed(x, e.code, rules)) {
    result.code &= f.sign_code();
    result.event = OpEvent::flushed;
  }
  return result;
}

OpResult nan_of_operands(const FusedRules& rules, std::initializer_list<std::uint64_t> in_order) {
  OpResult result{rules.default_nan, {.kind = Kind::nan}, OpEvent::nan_operand};
  if (rules.nan == NanOrder::canonical) return result;
  for (const std::uint64_t code : in_order) {
    if (!rules.format.is_nan(code)) continue;
    result.code = code | rules.format.min_normal_code() >> 1;  // the quiet bit
    break;
  }
  return result;
}

OpResult invalid(const FusedRules& rules, OpEvent event) {
  return {rules.default_nan, {.kind = Kind::nan}, event};
}

}  // namespace

ExactValue<std::uint64_t> read_operand(const FusedRules& rules, std::uint64_t code) {
  return exact_from_code(rules.flush_inputs ? flushed_code(code, rules.format) : code, rules.format);
}

OpResult fused_multiply_add(const FusedRules& rules, std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  const FormatSpec& f = rules.format;
  if (f.is_nan(a) || f.is_nan(b) || f.is_nan(c)) {
    return rules.nan == NanOrder::b_a_c ? nan_of_operands(rules, {b, a, c})
                                        : nan_of_operands(rules, {a, b, c});
  }
  const ExactValue<Wide> product = wide_product(read_operand(rules, a), read_operand(rules, b));
  if (product.kind == Kind::nan) return invalid(rules, OpEvent::zero_times_infinity);
  const ExactValue<Wide> sum = wide_sum(product, widened(read_operand(rules, c)), Rounding::nearest_even);
  if (sum.kind == Kind::nan) return invalid(rules, OpEvent::infinities);
  return rounded(sum, rules);
}

OpResult multiply(const FusedRules& rules, std::uint64_t a, std::uint64_t b) {
  const FormatSpec& f = rules.format;
  if (f.is_nan(a) || f.is_nan(b)) {
    return rules.nan == NanOrder::b_a_c ? nan_of_operands(rules, {b, a}) : nan_of_operands(rules, {a, b});
  }
  const ExactValue<Wide> product = wide_product(read_operand(rules, a), read_operand(rules, b));
  return product.kind == Kind::nan ? invalid(rules, OpEvent::zero_times_infinity) : rounded(product, rules);
}

OpResult add(const FusedRules& rules, std::uint64_t x, std::uint64_t y) {
  const FormatSpec& f = rules.format;
  if (f.is_nan(x) || f.is_nan(y)) return nan_of_operands(rules, {x, y});
  const ExactValue<Wide> sum =
      wide_sum(widened(read_operand(rules, x)), widened(read_operand(rules, y)), Rounding::nearest_even);
  return sum.kind == Kind::nan ? invalid(rules, OpEvent::infinities) : rounded(sum, rules);
}

}  // namespace assay
