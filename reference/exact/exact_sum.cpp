#include "reference/exact/exact_sum.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "reference/core/error.hpp"

namespace assay {
namespace {

constexpr std::int64_t digit_mask = 0xFFFFFFFF;

// Moves zeros from the bottom of the significand into the exponent, so that 1.0 * 2^k fits wherever 2^k does.
void strip_zeros(ExactValue<Wide>& x) {
  while ((x.significand & digit_mask) == 0) {
    x.significand >>= 32;
    x.exponent += 32;
  }
  const int zeros = std::countr_zero(static_cast<std::uint64_t>(x.significand));
  x.significand >>= zeros;
  x.exponent += zeros;
}

}  // namespace

void ExactSum::add(const ExactValue<std::uint64_t>& x) { add(widened(x)); }

void ExactSum::add(const ExactValue<Wide>& x) {
  if (x.kind == Kind::nan) {
    nan_ = true;
  } else if (x.kind == Kind::infinite) {
    (x.negative ? minus_infinity_ : plus_infinity_) = true;
  } else if (x.sticky) {
    throw ContractError("a term of an exact sum has a tail that is not known");
  } else if (x.significand == 0) {
    (x.negative ? minus_zero_ : plus_zero_) = true;
  } else {
    ExactValue<Wide> term = x;
    strip_zeros(term);
    const int width = bit_width(term.significand);
    if (width > 126 || term.exponent < lowest_exponent || term.exponent + width > highest_exponent) {
      throw ContractError("a term of " + std::to_string(width) + " bits at 2^" +
                          std::to_string(term.exponent) + " lies outside an exact sum's 2^" +
                          std::to_string(lowest_exponent) + " to 2^" + std::to_string(highest_exponent));
    }
    nonzero_ = true;
    add_finite(term.negative, term.significand, term.exponent);
  }
}

// Afterwards every digit but the last is in [0, 2^32); the last one has the sign of the sum.
void ExactSum::carry(Digits& digits) {
  for (std::size_t i = 0; i + 1 < digit_count; ++i) {
    digits[i + 1] += digits[i] >> 32;  // floor, also for negative digits
    digits[i] &= digit_mask;
  }
}

bool ExactSum::magnitude(Digits& digits) const {
  digits = digits_;
  carry(digits);
  const bool negative = digits.back() < 0;
  if (negative) {
    for (std::int64_t& d : digits) d = -d;
    carry(digits);
  }
  return negative;
}

void ExactSum::merge(const ExactSum& other) {
  Digits theirs = other.digits_;
  carry(theirs);
  carry(digits_);
  for (std::size_t i = 0; i < digit_count; ++i) digits_[i] += theirs[i];
  pending_ = 2;
  nan_ |= other.nan_;
  plus_infinity_ |= other.plus_infinity_;
  minus_infinity_ |= other.minus_infinity_;
  nonzero_ |= other.nonzero_;
  plus_zero_ |= other.plus_zero_;
  minus_zero_ |= other.minus_zero_;
}

void ExactSum::negate() {
  for (std::int64_t& d : digits_) d = -d;
  std::swap(plus_infinity_, minus_infinity_);
  std::swap(plus_zero_, minus_zero_);
}

void ExactSum::multiply(const ExactValue<std::uint64_t>& factor) {
  const ExactValue<Wide> sum = result();
  if (sum.is_zero() && factor.kind == Kind::finite && !factor.is_zero()) {
    // Still zero, and still made of the same kinds of terms.
    if (factor.negative) negate();
    return;
  }
  ExactSum product;
  if (sum.kind != Kind::finite || factor.kind != Kind::finite || sum.is_zero() || factor.is_zero()) {
    // One special term stands for all: its kind and sign are those of the product of the sum.
    ExactValue<std::uint64_t> stand_in{.kind = sum.kind, .negative = sum.negative};
    if (sum.kind == Kind::finite && !sum.is_zero()) stand_in.significand = 1;
    product.add(wide_product(stand_in, factor));
  } else {
    Digits digits;
    const bool negative = magnitude(digits) != factor.negative;
    for (std::size_t i = 0; i < digit_count; ++i) {
      if (digits[i] == 0) continue;
      product.add(
          ExactValue<Wide>{.negative = negative,
                           .significand = Wide{factor.significand} * static_cast<std::uint64_t>(digits[i]),
                           .exponent = lowest_exponent + 32 * static_cast<int>(i) + factor.exponent});
    }
  }
  *this = product;
}

ExactValue<Wide> ExactSum::result(Rounding mode) const {
  ExactValue<Wide> x;
  if (nan_ || (plus_infinity_ && minus_infinity_)) {
    x.kind = Kind::nan;
    return x;
  }
  if (plus_infinity_ || minus_infinity_) {
    x.kind = Kind::infinite;
    x.negative = minus_infinity_;
    return x;
  }
  Digits digits;
  x.negative = magnitude(digits);
  std::size_t top = digit_count;
  while (top != 0 && digits[top - 1] == 0) --top;
  if (top == 0) {
    const bool mixed = nonzero_ || (plus_zero_ && minus_zero_);
    x.negative = mixed ? mode == Rounding::toward_negative : minus_zero_;
    return x;
  }
  // The four highest digits without their last two bits: 94 to 126 bits.
  const auto digit = [&](std::size_t below) {
    return below < top ? static_cast<std::uint64_t>(digits[top - 1 - below]) : 0;
  };
  x.significand = Wide{digit(0)} << 94 | Wide{digit(1)} << 62 | Wide{digit(2)} << 30 | digit(3) >> 2;
  x.exponent = lowest_exponent + 32 * (static_cast<int>(top) - 4) + 2;
  x.sticky = (digit(3) & 3) != 0;
  for (std::size_t i = 4; i < top && !x.sticky; ++i) x.sticky = digit(i) != 0;
  return x;
}

double ExactSum::rounded_up() const {
  const EncodeOptions up{.rounding = Rounding::toward_positive};
  return std::bit_cast<double>(rounded(formats::float64, up).code);
}

double ExactSum::magnitude_up() const {
  ExactValue<Wide> x = result();
  x.negative = false;
  return std::bit_cast<double>(encode(x, formats::float64, {.rounding = Rounding::toward_positive}).code);
}

}  // namespace assay
