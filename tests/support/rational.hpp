// Floating-point formats over the rational numbers: the tests' own definition. It is written from IEEE 754-2019 and
// OCP's tables, shares no line with reference/formats and may be slow.
//
// Numerics
//   value    a number of a format is m * 2^(e - p + 1), with m < 2^p and emin <= e. Codes of one sign count these
//            numbers upwards from zero, so the grid that a rounding sees goes on past the largest number.
//   round    to one of the two neighbours on that grid; a result past the largest number has overflowed.
//   NaN      one kind, without sign or payload.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "reference/formats/format_spec.hpp"
#include "reference/formats/rounding.hpp"

namespace assay::oracle {

using Integer = boost::multiprecision::cpp_int;
using Rational = boost::multiprecision::cpp_rational;

Rational power_of_two(int exponent);
int floor_log2(const Rational& positive);  // ContractError unless > 0

struct Number {
  enum class Kind : std::uint8_t { finite, infinite, nan };
  Kind kind = Kind::finite;
  bool negative = false;  // of zeros and infinities too
  Rational value{};       // with its sign; zero unless finite

  bool is_nan() const { return kind == Kind::nan; }
  bool is_infinite() const { return kind == Kind::infinite; }
  bool is_finite() const { return kind == Kind::finite; }
  bool is_zero() const { return is_finite() && value == 0; }
};
Number finite(const Rational& value);  // zero is +0
Number infinity(bool negative);
Number nan();
Number number_of(double x);

Number number_of(std::uint64_t code, const FormatSpec& f);
Rational largest(const FormatSpec& f);
// The least magnitude that rounds past the largest number to nearest.
Rational overflow_threshold(const FormatSpec& f);

// Rounded once: the code. Empty for a NaN where the format has none. Not stochastic.
std::optional<std::uint64_t> code_of(const Number& x, const FormatSpec& f, Rounding mode, Overflow overflow);
// The same as a number, as a step of an arithmetic.
Number rounded(const Number& x, const FormatSpec& f, Rounding mode);

// Exact, with IEEE 754's rules for infinities, NaN and signs of zeros.
Number negated(Number x);
Number product(const Number& x, const Number& y);
Number sum(const Number& x, const Number& y, Rounding mode);  // `mode`: the sign of an exact zero
Number quotient(const Number& x, const Integer& positive);

// -1, 0, 1. ContractError for NaN.
int compare(const Number& x, const Number& y);

}  // namespace assay::oracle
