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

ExactSum& ExactSum::operator=(const ExactSum& other) {
  if (this == &other) return *this;
  begin_ = other.begin_;
  end_ = other.end_;
  for (std::size_t i = begin_; i < end_; ++i) digits_[i] = other.digits_[i];
  pending_ = other.pending_;
  nan_ = other.nan_;
  plus_infinity_ = other.plus_infinity_;
  minus_infinity_ = other.minus_infinity_;
  nonzero_ = other.nonzero_;
  plus_zero_ = other.plus_zero_;
  minus_zero_ = other.minus_zero_;
  return *this;
}

ExactSum ExactSum::of_parts(std::span<const double> parts) {
  ExactSum sum;
  sum.nonzero_ = true;
  for (const double part : parts) {
    const ExactValue<std::uint64_t> x = exact(part);
    if (x.significand != 0) sum.add_finite(x.negative, x.significand, x.exponent);
  }
  return sum;
}

void ExactSum::reach(std::size_t begin, std::size_t end) {
  if (begin_ == end_) begin_ = end_ = begin;
  while (begin_ > begin) digits_[--begin_] = 0;
  while (end_ < end) digits_[end_++] = 0;
}

// Afterwards every digit but the last is in [0, 2^32); the last one is in [-2^32, 2^32), or is the last there is, and
// has the sign of the sum.
void ExactSum::carry() {
  if (begin_ == end_) return;
  for (std::size_t i = begin_; i + 1 < end_; ++i) {
    digits_[i + 1] += digits_[i] >> 32;  // floor, also for negative digits
    digits_[i] &= digit_mask;
  }
  while (end_ < digit_count && digits_[end_ - 1] >> 32 != 0 && digits_[end_ - 1] >> 32 != -1) {
    digits_[end_] = digits_[end_ - 1] >> 32;
    digits_[end_ - 1] &= digit_mask;
    ++end_;
  }
}

void ExactSum::negate_digits() {
  for (std::size_t i = begin_; i < end_; ++i) digits_[i] = -digits_[i];
}

ExactSum ExactSum::magnitude(bool& negative) const {
  ExactSum size = *this;
  size.carry();
  negative = size.begin_ != size.end_ && size.digits_[size.end_ - 1] < 0;
  if (negative) {
    size.negate_digits();
    size.carry();
  }
  return size;
}

void ExactSum::merge(const ExactSum& other) {
  ExactSum theirs = other;
  theirs.carry();
  carry();
  if (theirs.begin_ != theirs.end_) reach(theirs.begin_, theirs.end_);
  for (std::size_t i = theirs.begin_; i < theirs.end_; ++i) digits_[i] += theirs.digits_[i];
  pending_ = 2;
  nan_ |= other.nan_;
  plus_infinity_ |= other.plus_infinity_;
  minus_infinity_ |= other.minus_infinity_;
  nonzero_ |= other.nonzero_;
  plus_zero_ |= other.plus_zero_;
  minus_zero_ |= other.minus_zero_;
}

void ExactSum::negate() {
  negate_digits();
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
    bool negative = false;
    const ExactSum size = magnitude(negative);
    negative = negative != factor.negative;
    for (std::size_t i = size.begin_; i < size.end_; ++i) {
      if (size.digits_[i] == 0) continue;
      product.add(ExactValue<Wide>{
          .negative = negative,
          .significand = Wide{factor.significand} * static_cast<std::uint64_t>(size.digits_[i]),
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
  const ExactSum size = magnitude(x.negative);
  const std::size_t bottom = size.begin_;
  std::size_t top = size.end_;
  while (top != bottom && size.digits_[top - 1] == 0) --top;
  if (top == bottom) {
    const bool mixed = nonzero_ || (plus_zero_ && minus_zero_);
    x.negative = mixed ? mode == Rounding::toward_negative : minus_zero_;
    return x;
  }
  // The four highest digits without their last two bits: 94 to 126 bits.
  const auto digit = [&](std::size_t below) {
    return below < top - bottom ? static_cast<std::uint64_t>(size.digits_[top - 1 - below]) : 0;
  };
  x.significand = Wide{digit(0)} << 94 | Wide{digit(1)} << 62 | Wide{digit(2)} << 30 | digit(3) >> 2;
  x.exponent = lowest_exponent + 32 * (static_cast<int>(top) - 4) + 2;
  x.sticky = (digit(3) & 3) != 0;
  for (std::size_t i = 4; i < top - bottom && !x.sticky; ++i) x.sticky = digit(i) != 0;
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
