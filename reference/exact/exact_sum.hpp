// An exact sum of any terms: the long accumulator, rounded once at the end.
//
// Source: U. Kulisch, "Computer Arithmetic and Validity" (2013), ch. 8; the deferred carries follow R. M. Neal, "Fast
// Exact Summation Using Small and Large Superaccumulators" (2015).
//
// Numerics
//   terms    values of any format, products of two such values (float64 x float64 included), and such a sum times one
//            more value: fixed point from 2^-3222 to 2^3072, plus 170 bits for the carries of any number of terms.
//   order    none: the sum, and with it every rounding of it, is a function of the set of terms. Threads may merge.
//   NaN      a NaN, 0 * Inf, or infinities of both signs give NaN; one sign of infinity gives that infinity.
//   zero     an exactly zero sum follows IEEE 754-2019 6.3: the common sign if all terms are zeros of one sign; else
//            +0, and -0 under toward-negative. A sum of no terms is +0.
//   host     integers only, except exact_dot's float32 path, which sets MXCSR itself: no flag or control word changes
//            a result.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/exact_value.hpp"

namespace assay {

class ExactSum {
 public:
  static constexpr int lowest_exponent = -3222;  // of the last place: 3 * -1074
  static constexpr int highest_exponent = 3072;  // no term reaches 2^highest_exponent

  ExactSum() {}  // not defaulted: ExactSum{} would clear all digits
  ExactSum(const ExactSum& other) { *this = other; }
  ExactSum& operator=(const ExactSum& other);

  // The sum of some finite numbers of float64 that are parts of terms, at least one of which is not zero.
  static ExactSum of_parts(std::span<const double> parts);

  void add(double x) { add(exact(x)); }
  void add(std::uint64_t code, const FormatSpec& f) { add(exact_from_code(code, f)); }
  // An exact value of up to 126 bits without `sticky`. ContractError if it has a tail or lies outside the range above.
  void add(const ExactValue<std::uint64_t>& x);
  void add(const ExactValue<Wide>& x);

  void add_product(double a, double b) { add_product(exact(a), exact(b)); }
  void add_product(std::uint64_t a, const FormatSpec& fa, std::uint64_t b, const FormatSpec& fb) {
    add_product(exact_from_code(a, fa), exact_from_code(b, fb));
  }
  // Values of formats (53 bits, exponents of float64): not checked, for this is the inner loop.
  void add_product(const ExactValue<std::uint64_t>& a, const ExactValue<std::uint64_t>& b);

  // Adds the terms of another sum.
  void merge(const ExactSum& other);
  // The sum so far times a value of a format: alpha in alpha * A * B. ContractError if the product leaves the range,
  // which a sum of products of two format values cannot.
  void multiply(const ExactValue<std::uint64_t>& factor);
  void negate();

  // The sum, cut after 126 bits with the rest in `sticky`: ready for one rounding by encode(). `mode` decides the
  // sign of an exact zero and nothing else.
  ExactValue<Wide> result(Rounding mode = Rounding::nearest_even) const;

  // The sum rounded once.
  Encoded rounded(const FormatSpec& f, const EncodeOptions& options = {}) const {
    return encode(result(options.rounding), f, options);
  }
  double rounded_up() const;    // the least float64 that is not below the sum; for bounds
  double magnitude_up() const;  // the same of |sum|

 private:
  friend class Float32Products;  // of exact_dot.cpp

  // Digit i weighs 2^(lowest_exponent + 32 i) and is signed: a term touches its own digits only, carries wait. A digit
  // takes 2^30 terms of less than 2^32 each before they must move. Digits outside [begin_, end_) are zero and have no
  // memory yet: few sums reach far.
  static constexpr std::size_t digit_count = 202;
  static constexpr std::uint32_t most_pending = std::uint32_t{1} << 30;
  using Digits = std::array<std::int64_t, digit_count>;

  void add_finite(bool negative, Wide significand, int exponent);
  // Makes room for digits [begin, end).
  void reach(std::size_t begin, std::size_t end);
  void carry();
  void negate_digits();
  // |sum| with its digits in [0, 2^32).
  ExactSum magnitude(bool& negative) const;

  Digits digits_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint32_t pending_ = 0;  // terms since the last carry()
  bool nan_ = false, plus_infinity_ = false, minus_infinity_ = false;
  bool nonzero_ = false, plus_zero_ = false, minus_zero_ = false;  // finite terms seen, by kind
};

// Inline for exact_dot's loops. The term must lie in the range and have at most 126 bits.
inline void ExactSum::add_finite(bool negative, Wide significand, int exponent) {
  constexpr std::uint64_t digit = 0xFFFFFFFF;
  if (pending_ == most_pending) {
    carry();
    pending_ = 1;  // what is left of the terms so far is less than one more
  }
  ++pending_;
  const auto place = static_cast<unsigned>(exponent - lowest_exponent);
  const unsigned shift = place % 32;
  const std::size_t first = place / 32;
  if (first < begin_ || first + 5 > end_) reach(first, first + 5);
  std::int64_t* d = digits_.data() + first;
  const Wide low = Wide{static_cast<std::uint64_t>(significand)} << shift;
  const Wide high = (Wide{static_cast<std::uint64_t>(significand >> 64)} << shift) + (low >> 64);
  const auto low_word = static_cast<std::uint64_t>(low), high_word = static_cast<std::uint64_t>(high);
  const std::int64_t sign = negative ? -1 : 0;
  const auto signed_digit = [sign](std::uint64_t x) { return (static_cast<std::int64_t>(x) ^ sign) - sign; };
  d[0] += signed_digit(low_word & digit);
  d[1] += signed_digit(low_word >> 32);
  d[2] += signed_digit(high_word & digit);
  d[3] += signed_digit(high_word >> 32);
  d[4] += signed_digit(static_cast<std::uint64_t>(high >> 64));
}

inline void ExactSum::add_product(const ExactValue<std::uint64_t>& a, const ExactValue<std::uint64_t>& b) {
  if (a.kind == Kind::finite && b.kind == Kind::finite && a.significand != 0 && b.significand != 0) {
    nonzero_ = true;
    add_finite(a.negative != b.negative, Wide{a.significand} * b.significand, a.exponent + b.exponent);
  } else {
    add(wide_product(a, b));
  }
}

}  // namespace assay
