#include "reference/operations/result_set.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/operations/exact_values.hpp"
#include "reference/operations/sum_outcomes.hpp"

namespace assay {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
using detail::is_above, detail::is_below;

ExactValue<Wide> infinite(bool negative) { return {.kind = Kind::infinite, .negative = negative}; }

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
  return detail::Computation(arithmetic, how, a, b, start, c, bias, output, factor, known).spread();
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
