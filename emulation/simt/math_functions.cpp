// What is too long for math_functions.h.
#include "emulation/simt/include/math_functions.h"

#include <algorithm>

#include "reference/formats/encode.hpp"
#include "reference/formats/exact_arithmetic.hpp"

namespace {

constexpr long double pi = 3.14159265358979323846264338327950288L;

// The x >= 0 of erfc(x) = z, for 0 < z <= 1, by Halley's method from a start that is good to 1e-3 (Abramowitz and
// Stegun 26.2.23).
long double inverse_erfc(long double z) {
  const long double t = std::sqrt(-2 * std::log(z / 2));
  long double x = (t - (2.515517L + t * (0.802853L + t * 0.010328L)) /
                           (1 + t * (1.432788L + t * (0.189269L + t * 0.001308L)))) /
                  std::sqrt(2.0L);
  for (int i = 0; i < 4; ++i) {
    const long double step = (std::erfc(x) - z) * std::sqrt(pi) / -2 * std::exp(x * x);
    x -= step / (1 + x * step);
  }
  return x;
}

}  // namespace

namespace assay_simt {

double directed_fma(double a, double b, double c, Round round) {
  if (!std::isfinite(a) || !std::isfinite(b)) return a * b + c;
  if (!std::isfinite(c)) return c;
  const assay::Rounding mode = round == Round::nearest ? assay::Rounding::nearest_even
                               : round == Round::zero  ? assay::Rounding::toward_zero
                               : round == Round::up    ? assay::Rounding::toward_positive
                                                       : assay::Rounding::toward_negative;
  const auto addend = assay::exact(c);
  const auto sum = assay::exact_sum<assay::Wide>(
      assay::exact_product<assay::Wide>(assay::exact(a), assay::exact(b)),
      {addend.kind, addend.negative, addend.significand, addend.exponent, false}, mode);
  return std::bit_cast<double>(
      assay::encode(sum, assay::formats::float64, assay::EncodeOptions{.rounding = mode}).code);
}

float reciprocal_root(float x) {
  const double guess = 1.0 / std::sqrt(static_cast<double>(x));
  const auto rounded = static_cast<float>(guess);
  const auto bits = std::bit_cast<std::uint64_t>(guess);
  // A float's last bit is the 29th of a double. Far from the middle of two floats, the error of the guess is harmless.
  const std::uint64_t middle = std::uint64_t{1} << 28, rest = bits & (2 * middle - 1);
  if (!std::isfinite(guess) || guess == 0 || (rest < middle ? middle - rest : rest - middle) > 4)
    return canonical(rounded);
  // m^2 x against 1, with integers m of 25 bits and x of 24: 74 bits.
  __extension__ using Wide = unsigned __int128;
  int m_exponent = 0, x_exponent = 0;
  const double m = std::bit_cast<double>(bits - rest + middle);
  const auto m_significand = static_cast<std::uint64_t>(std::ldexp(std::frexp(m, &m_exponent), 25));
  const auto x_significand =
      static_cast<std::uint64_t>(std::ldexp(std::frexp(static_cast<double>(x), &x_exponent), 24));
  const Wide product = Wide{m_significand * m_significand} * x_significand;
  const int one = 74 - 2 * m_exponent - x_exponent;  // where 1 stands in it
  const float below = static_cast<float>(std::bit_cast<double>(bits - rest));
  return product > Wide{1} << one ? below : std::nextafter(below, std::numeric_limits<float>::infinity());
}

double erfcinv(double x) {
  if (!(x >= 0 && x <= 2)) return std::numeric_limits<double>::quiet_NaN();
  if (x == 0) return std::numeric_limits<double>::infinity();
  if (x == 2) return -std::numeric_limits<double>::infinity();
  const auto z = static_cast<long double>(x);
  return static_cast<double>(x <= 1 ? inverse_erfc(z) : -inverse_erfc(2 - z));
}
double erfinv(double x) {
  const auto y = std::fabs(static_cast<long double>(x));
  if (!(y <= 1)) return std::numeric_limits<double>::quiet_NaN();
  if (y == 1) return std::copysign(std::numeric_limits<double>::infinity(), x);
  if (y > 0.5L) return std::copysign(static_cast<double>(inverse_erfc(1 - y)), x);
  // Newton's method on erf itself: 1 - y would lose what is small.
  long double guess = y * std::sqrt(pi) / 2;
  for (int i = 0; i < 6; ++i) guess -= (std::erf(guess) - y) * std::sqrt(pi) / 2 * std::exp(guess * guess);
  return std::copysign(static_cast<double>(guess), x);
}
double erfcx(double x) {
  const auto t = static_cast<long double>(x);
  if (x < 25) return static_cast<double>(std::exp(t * t) * std::erfc(t));
  // Of the asymptotic series, terms fall until 2 k = 2 x^2.
  long double sum = 1, term = 1;
  for (int k = 1; k < 12; ++k) sum += term *= -(2 * k - 1) / (2 * t * t);
  return static_cast<double>(sum / (t * std::sqrt(pi)));
}
double normcdf(double x) {
  return static_cast<double>(std::erfc(static_cast<long double>(-x) / std::sqrt(2.0L)) / 2);
}
double normcdfinv(double x) {
  if (!(x >= 0 && x <= 1)) return std::numeric_limits<double>::quiet_NaN();
  if (x == 0 || x == 1)
    return x == 0 ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  const auto p = static_cast<long double>(x);
  const long double root = std::sqrt(2.0L);
  return static_cast<double>(x <= 0.5 ? -root * inverse_erfc(2 * p) : root * inverse_erfc(2 - 2 * p));
}
double cyl_bessel_i(int order, double x) {
  const double value = std::cyl_bessel_i(static_cast<double>(order), std::fabs(x));
  return order % 2 != 0 && std::signbit(x) ? -value : value;
}

namespace {
// Squares of doubles neither overflow nor vanish in a long double. An infinity wins over a NaN.
template <class T>
double length(int n, const T* x) {
  long double sum = 0;
  bool infinite = false;
  for (int i = 0; i < n; ++i) {
    infinite = infinite || std::isinf(x[i]);
    sum += static_cast<long double>(x[i]) * static_cast<long double>(x[i]);
  }
  return infinite ? std::numeric_limits<double>::infinity() : static_cast<double>(std::sqrt(sum));
}
}  // namespace
double norm_of(int n, const double* x) { return length(n, x); }
double norm_of(int n, const float* x) { return length(n, x); }

}  // namespace assay_simt
