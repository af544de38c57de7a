// Every result that a correct kernel may give at one output: what a verdict accepts, and nothing else.
//
// A proven bound e on the error before the output's rounding makes an interval, and the codes that are accepted are
// those from round(x - e) to round(x + e) of the exact x. Where the result is unique, e is 0 and one code is left.
//
//   Overflow  Let P and N be the magnitudes of the positive and of the negative terms, rounding errors included, M the
//             accumulator's largest number and T what rounds to infinity. A partial sum is a sum of some of the terms,
//             so +Inf can appear on the way if and only if P >= T, -Inf if and only if N >= T, and NaN if both can.
//             The errors in P: by the relative error of a sum; or by what each addition's lighter side can be, since
//             the heavier one is a number of the format (may_overflow): M + 1 is no overflow.
//             Once a partial sum is infinite no later addition makes it finite: a result is infinite, NaN, or a number
//             that no overflow touched, which lies within e of x. So all outcomes are known whatever overflows.
//   Clamping  Where overflow stops at M (toward zero, to odd, the formats without infinity and NaN, one side of the
//             directed modes), all clamps together take at most P - M from a sum and add at most N - M: induction over
//             the tree, with v^ <= P_v - lost_v and lost_v <= max(0, P_v - M).
//   Infinite  An infinite operand decides the result, or meets an infinity of the other sign that overflow made.
//   Exact     If all terms are multiples of 2^g and their magnitudes sum to 2^(g+p) or less, no order rounds: e = 0.
//             Of a single term that is not zero the result is its one rounding.
#pragma once

#include <cstdint>
#include <optional>

#include "reference/exact/arithmetic.hpp"
#include "reference/exact/exact_gemm.hpp"
#include "reference/operations/epilogue.hpp"

namespace assay {

// Codes of one output, whose format and SpecialCodes are known to who holds the set.
struct ResultSet {
  std::int64_t low = 1, high = 0;  // numbers, as positions in the order of values; none if low > high
  bool negative_infinity = false;  // the code that an infinite result becomes: SpecialCodes
  bool positive_infinity = false;
  bool nan = false;
  bool judged = true;        // false: nothing is known, every code is accepted
  bool signed_zero = false;  // a zero must have the sign of `negative_zero`
  bool negative_zero = false;

  friend bool operator==(const ResultSet&, const ResultSet&) = default;
};

// What -Inf, +Inf and NaN become by the activation and the output's rounding: zeros, limits or largest numbers too.
struct SpecialCodes {
  std::uint64_t negative_infinity = 0, positive_infinity = 0, nan = 0;

  friend bool operator==(const SpecialCodes&, const SpecialCodes&) = default;
};
SpecialCodes special_codes(const Epilogue& how, const FormatSpec& output);

// Where a number lies in the order of the format's values: 0 for both zeros, +-1 for the smallest subnormals, and so
// on.
constexpr std::int64_t value_position(std::uint64_t code, const FormatSpec& f) {
  const auto magnitude = static_cast<std::int64_t>(code & f.magnitude_mask());
  return f.is_negative(code) ? -magnitude : magnitude;
}
constexpr std::uint64_t code_at_position(std::int64_t position, const FormatSpec& f) {
  return position < 0 ? f.sign_code() | static_cast<std::uint64_t>(-position)
                      : static_cast<std::uint64_t>(position);
}

bool accepts(const ResultSet& set, const SpecialCodes& specials, std::uint64_t code, const FormatSpec& f);

// Outcomes of a computation before its activation.
struct Spread {
  ExactValue<Wide> exact{};  // alpha sum + beta c + bias, or what it was divided to
  bool number = true;        // may be a number, from low to high
  ExactValue<Wide> low{}, high{};
  bool negative_infinity = false, positive_infinity = false, nan = false;
  bool judged = true;
  bool is_output = false;  // low and high are results: the output holds what the last step gives
  double error = 0;        // on |y - exact| of a number that no overflow touched, rounded up: for reports
};

// Of alpha a . b + beta c + bias; `start` begins the sum. `factor` >= 1 loosens the bound. `known`: the sum, where
// somebody has it already (exact_gemm.hpp); it decides nothing.
Spread spread_of(const Arithmetic& arithmetic, const Epilogue& how, const CodeVector& a, const CodeVector& b,
                 std::optional<std::uint64_t> start, const std::optional<Addend>& c,
                 const std::optional<Addend>& bias, const FormatSpec& output, double factor = 1,
                 const GemmSum* known = nullptr);
// One number, known exactly.
Spread spread_of(const ExactValue<Wide>& x);
// The mean of n terms: after the sum one division by n, or one product with 1/n rounded to `given`, as many libraries
// have it. Both are values of `given`, rounded to nearest or by `mode`, the sum's own; so is n where `given` lacks it.
Spread divided(const Spread& sum, std::size_t n, const FormatSpec& given, Rounding mode,
               const FormatSpec& output);

ExactValue<Wide> activated(const Epilogue& how, const ExactValue<Wide>& y);
// The activation and the output's rounding.
ResultSet result_set(const Spread& y, const Epilogue& how, const FormatSpec& output);

// One element's truth, against which anyone's result may be judged.
struct ElementTruth {
  ExactValue<Wide> exact{};  // before the output's rounding
  ResultSet results{};       // what is accepted
  double bound =
      0;  // on |result - exact| where nothing overflows, the output's rounding included; or infinite
  double before_output = 0;  // the same without it
};
ElementTruth truth_of(const Spread& y, const Epilogue& how, const FormatSpec& output);
ElementTruth element_truth(const Arithmetic& arithmetic, const Epilogue& epilogue, const CodeVector& a,
                           const CodeVector& b, std::optional<std::uint64_t> start,
                           const std::optional<Addend>& c, const std::optional<Addend>& bias,
                           const FormatSpec& output, double factor = 1, const GemmSum* known = nullptr);

// x / n, ready for one rounding; NaN for n = 0.
ExactValue<Wide> quotient(ExactValue<Wide> x, std::size_t n);

}  // namespace assay
