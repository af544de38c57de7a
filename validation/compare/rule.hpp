// Whether one value is accepted: the policy applied to a pair.
#pragma once

#include <cmath>
#include <cstdint>

#include "reference/formats/encode.hpp"
#include "reference/formats/format_spec.hpp"
#include "reference/operations/result_set.hpp"
#include "validation/compare/policy.hpp"
#include "validation/compare/ulp.hpp"

namespace assay::compare {

// What an element should be.
struct Target {
  std::uint64_t code = 0;  // rounded into the format of the output
  double value = 0;        // not rounded; value + remainder is exact where the caller has it
  double remainder = 0;
  double bound = 0;                    // read under PolicyKind::bound only; so are
  const ResultSet* results = nullptr;  // the results that are right; null: those within the bound
};

// |got − exact|, by three operations on float64: the relative error of the result is below 2^-51.
inline double absolute_error(double got, const Target& want) {
  return std::fabs((got - want.value) - want.remainder);
}

class Rule {
 public:
  // `output`: how results are rounded into `format`.
  Rule(const Policy& policy, const FormatSpec& format, const EncodeOptions& output,
       bool nan_codes_mean_nothing, const SpecialCodes& specials = {})
      : policy_(policy),
        format_(format),
        output_(output),
        specials_(specials),
        any_nan_(policy.any_nan || nan_codes_mean_nothing),
        beyond_(decode(format.max_finite_code(), format) +
                std::ldexp(1.0, format.emax() - format.precision + 1)) {}

  const Policy& policy() const { return policy_; }

  // Both are numbers, or the same infinity, or both NaN.
  bool same_class(std::uint64_t got, std::uint64_t want) const {
    if (format_.is_finite(got) && format_.is_finite(want)) return true;
    if (format_.is_nan(got)) return format_.is_nan(want);
    return got == want;
  }

  // Is there anything to judge it by?
  bool judges(const Target& want) const {
    if (policy_.kind != PolicyKind::bound) return true;
    return want.results != nullptr ? want.results->judged : !std::isinf(want.bound);
  }

  // The remaining error of absolute_error() and of the product is given to `got`: no verdict hangs on our
  // rounding.
  bool accepts(std::uint64_t got, double got_value, const Target& want) const {
    switch (policy_.kind) {
      case PolicyKind::bit_equal:
        return got == want.code || (any_nan_ && format_.is_nan(got) && format_.is_nan(want.code));
      case PolicyKind::correctly_rounded:
        return got == want.code || (format_.is_nan(got) && format_.is_nan(want.code)) ||
               (is_zero(got) && is_zero(want.code));
      case PolicyKind::bound: {
        if (got == want.code) return true;
        if (want.results != nullptr) return assay::accepts(*want.results, specials_, got, format_);
        if (!judges(want)) return true;
        if (!format_.is_finite(got)) return same_class(got, want.code) || may_overflow(got, want);
        return within_bound(absolute_error(got_value, want), want);
      }
      case PolicyKind::tolerance: break;
    }
    if (!same_class(got, want.code)) return false;
    if (!format_.is_finite(got)) return true;
    return within_tolerance(absolute_error(got_value, want), want) || within_ulps(got, want.code);
  }

  // The same for a number where a number is wanted, its error known: the loop over all values.
  bool accepts_number(std::uint64_t got, double error, const Target& want) const {
    switch (policy_.kind) {
      case PolicyKind::bit_equal: return got == want.code;
      case PolicyKind::correctly_rounded: return got == want.code || (is_zero(got) && is_zero(want.code));
      case PolicyKind::bound:
        if (got == want.code) return true;
        if (want.results != nullptr) return assay::accepts(*want.results, specials_, got, format_);
        return within_bound(error, want) || !judges(want);
      case PolicyKind::tolerance: break;
    }
    return within_tolerance(error, want) || within_ulps(got, want.code);
  }

  // The error over the bound, more than 1 if and only if the value is outside: accepts() decides more sharply than the
  // bound, which takes the output's rounding at its worst.
  double over_bound(double error, bool outside, const Target& want) const {
    const double ratio = error == 0 ? 0 : want.bound == 0 ? HUGE_VAL : error / want.bound;
    return outside ? std::fmax(ratio, 1 + 0x1p-52) : std::fmin(ratio, 1);
  }

  // Would a zero of either sign be accepted? Under bit-equal a buffer of zeros that should hold −0 counts as
  // one that passes: the question is whether the comparison has power, not whether the codes are equal.
  bool accepts_zero(const Target& want) const {
    return policy_.kind == PolicyKind::bit_equal ? is_zero(want.code) : accepts(0, 0.0, want);
  }
  bool number_accepts_zero(const Target& want) const {
    return policy_.kind == PolicyKind::bit_equal ? is_zero(want.code)
                                                 : accepts_number(0, absolute_error(0.0, want), want);
  }

 private:
  bool within_bound(double error, const Target& want) const {
    return error <= policy_.factor * want.bound * (1 + 0x1p-50);
  }
  bool within_tolerance(double error, const Target& want) const {
    return error <= policy_.atol + policy_.rtol * std::fabs(want.value);
  }
  bool is_zero(std::uint64_t code) const {
    return (code & format_.magnitude_mask()) == 0 && !format_.is_nan(code);
  }
  bool within_ulps(std::uint64_t got, std::uint64_t want) const {
    if (policy_.ulps == 0 && !policy_.zero_ulps) return false;
    const Steps steps = Steps{ulp_position(got, format_)} - Steps{ulp_position(want, format_)};
    return (steps < 0 ? -steps : steps) <= Steps{policy_.ulps};
  }

  // May a number near the exact one have become `got`, which is none? Two things must hold. The result, on the
  // format's grid continued past its end, is within the bound and beyond the largest number. And some value within the
  // bound rounds to `got`.
  bool may_overflow(std::uint64_t got, const Target& want) const {
    if (!(std::fabs(want.value) + policy_.factor * want.bound * (1 + 0x1p-50) >= beyond_)) return false;
    // Roundings keep order: if anything in the range overflows, one of its ends does.
    return end_becomes(got, want, 1) || end_becomes(got, want, -1);
  }

  bool end_becomes(std::uint64_t got, const Target& want, int side) const {
    const double reach = policy_.factor * want.bound;
    double end = want.value + side * reach;
    // Outward, past our own rounding and the remainder: no verdict hangs on them.
    if (reach != 0 || want.remainder != 0) end = std::nextafter(end, side * HUGE_VAL);
    // 2^1024 stands for every number that float64 does not hold.
    const ExactValue<std::uint64_t> x =
        std::isinf(end) ? ExactValue<std::uint64_t>{.negative = end < 0, .significand = 1, .exponent = 1024}
                        : exact(end);
    EncodeOptions output = output_;
    // Any number between two codes may become either.
    if (output.rounding == Rounding::stochastic)
      output.rounding = side > 0 ? Rounding::toward_positive : Rounding::toward_negative;
    return same_class(got, encode(x, format_, output).code);
  }

  Policy policy_;
  FormatSpec format_;
  EncodeOptions output_;
  SpecialCodes specials_;
  bool any_nan_;
  double beyond_;  // what follows the largest number on the grid
};

}  // namespace assay::compare
