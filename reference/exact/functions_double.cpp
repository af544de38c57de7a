// The functions of one argument in double-double and in double: what the kernels give, special values, and the ends of
// the range.
#include <cmath>

#include "reference/exact/function_first_steps.hpp"
#include "reference/exact/function_kernels.hpp"
#include "reference/exact/functions.hpp"

namespace assay::functions {

using namespace detail;

namespace wide {

DoubleDouble exp(double x) { return scaled_value(exponential({x, 0})); }
DoubleDouble exp2(double x) { return scaled_value(exponential2({x, 0})); }
DoubleDouble exp10(double x) { return scaled_value(exponential10(x)); }
DoubleDouble expm1(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  if (x > 600) return exp(x) - 1.0;
  if (x < -600) return {-1, 0x1p-860};
  return wide_expm1({x, 0});
}
DoubleDouble log(double x) {
  if (x < 0x1p-1022) return wide_log(x * 0x1p60) - ln2 * 60.0;
  return wide_log(x);
}
DoubleDouble log2(double x) { return x < 0x1p-1022 ? wide_log2(x * 0x1p60) - 60.0 : wide_log2(x); }
DoubleDouble log10(double x) { return log(x) * log10_e; }
DoubleDouble log1p(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  return wide_log1p({x, 0});
}
DoubleDouble sin(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  const Quadrant a = wide_quadrant(x);
  return in_quadrant(wide_sine_cosine(a.r), a.q).sine;
}
DoubleDouble cos(double x) {
  const Quadrant a = wide_quadrant(x);
  return in_quadrant(wide_sine_cosine(a.r), a.q).cosine;
}
DoubleDouble tan(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  const Quadrant a = wide_quadrant(x);
  const SineCosine b = wide_sine_cosine(a.r);
  return (a.q & 1) == 0 ? b.sine / b.cosine : -(b.cosine / b.sine);
}

namespace {
SineCosine of_half_turns(double x) {
  const double y = std::fabs(x) < 0x1p53 ? x - 2 * std::trunc(x / 2) : 0;  // beyond, all are even
  const Nearest q = nearest(2 * y);
  return in_quadrant(wide_sine_cosine(pi * (y - q.value / 2)), q.integer);
}
}  // namespace
DoubleDouble sinpi(double x) {
  if (std::fabs(x) < tiny) return times_power(pi * (x * 0x1p200), 0x1p-200);
  return of_half_turns(x).sine;
}
DoubleDouble cospi(double x) { return of_half_turns(x).cosine; }

namespace {
Wide with_sign(Wide y, double x) { return std::signbit(x) ? -y : y; }
// The square root of 1 - x^2.
Wide other_leg(double x) { return square_root(two_sum(1, -x) * two_sum(1, x)); }
}  // namespace
DoubleDouble asin(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  if (std::fabs(x) == 1) return with_sign(half_pi, x);
  return with_sign(wide_arctangent(Wide{std::fabs(x), 0} / other_leg(x)), x);
}
DoubleDouble acos(double x) {
  if (x == -1) return pi;
  return times_power(wide_arctangent(square_root(two_sum(1, -x) / two_sum(1, x))), 2);
}
DoubleDouble atan(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  if (std::fabs(x) > 1 / tiny) return with_sign(half_pi, x);
  return with_sign(wide_arctangent({std::fabs(x), 0}), x);
}
DoubleDouble sinh(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  if (std::fabs(x) > 600) return with_sign(times_power(exp(std::fabs(x)), 0.5), x);
  const Wide e = wide_expm1({std::fabs(x), 0});
  return with_sign(times_power(e + e / (e + 1.0), 0.5), x);
}
DoubleDouble cosh(double x) {
  if (std::fabs(x) > 600) return times_power(exp(std::fabs(x)), 0.5);
  const Wide e = scaled_value(exponential({std::fabs(x), 0}));
  return times_power(e + Wide{1, 0} / e, 0.5);
}
DoubleDouble tanh(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  if (std::fabs(x) > 100) return with_sign({1, -0x1p-280}, x);
  const Wide e = wide_expm1({2 * std::fabs(x), 0});
  return with_sign(e / (e + 2.0), x);
}
DoubleDouble asinh(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  const double a = std::fabs(x);
  if (a > 0x1p100) return with_sign(wide_log(a) + ln2, x);
  const Wide s = two_product(a, a);
  return with_sign(wide_log1p(s / (square_root(s + 1.0) + 1.0) + a), x);
}
DoubleDouble acosh(double x) {
  if (x > 0x1p100) return wide_log(x) + ln2;
  const Wide t = two_sum(x, -1);
  return wide_log1p(t + square_root(t * (t + 2.0)));
}
DoubleDouble atanh(double x) {
  if (std::fabs(x) < tiny) return {x, 0};
  const double a = std::fabs(x);
  return with_sign(times_power(wide_log1p(Wide{2 * a, 0} / two_sum(1, -a)), 0.5), x);
}
DoubleDouble rsqrt(double x) {
  if (x < 0x1p-500) return times_power(square_root(Wide{1, 0} / Wide{x * 0x1p600, 0}), 0x1p300);
  if (x > 0x1p500) return times_power(square_root(Wide{1, 0} / Wide{x * 0x1p-600, 0}), 0x1p-300);
  return square_root(Wide{1, 0} / Wide{x, 0});
}
DoubleDouble sigmoid(double x) {
  if (x < -600) return exp(x);
  if (x > 600) return {1, -0x1p-860};
  return Wide{1, 0} / (scaled_value(exponential({-x, 0})) + 1.0);
}

DoubleDouble cbrt(double x) {
  if (x == 0 || !(std::fabs(x) < infinity)) return {x, 0};
  double a = std::fabs(x), power = 1;
  if (a < 0x1p-500) {
    a *= 0x1p600;
    power = 0x1p-200;
  } else if (a > 0x1p500) {
    a *= 0x1p-600;
    power = 0x1p200;
  }
  const double y = near_cube_root(a);
  const Wide change = (Wide{a, 0} / two_product(y, y) - y) * inverse_of[3];
  return with_sign(times_power(change + y, power), x);
}
DoubleDouble rcbrt(double x) { return Wide{1, 0} / cbrt(x); }
DoubleDouble erf(double x) {
  const double a = std::fabs(x);
  if (a < tiny) return times_power(two_over_root_pi * (x * 0x1p200), 0x1p-200);
  if (a < 1.0 / 32) return two_over_root_pi * gauss_integral(0, {x, 0});
  if (a > 20) return with_sign({1, -0x1p-500}, x);
  return with_sign(Wide{1, 0} - erfc(a), x);
}
DoubleDouble erfc(double x) {
  if (x < -20) return {2, -0x1p-500};
  const Scaled a = wide_erfc(std::fabs(x));
  const Wide y = times_power(a.v, power_of_two(a.exponent));
  return x < 0 ? Wide{2, 0} - y : y;
}

}  // namespace wide

double exp(double x) {
  if (!(std::fabs(x) < 746)) {
    if (x != x) return x + x;
    return x > 0 ? infinity : 0;
  }
  const Exponential e = exponential({x, 0});
  return scaled(value(e), e.exponent);
}

double exp2(double x) {
  if (!(std::fabs(x) < 1100)) {
    if (x != x) return x + x;
    return x > 0 ? infinity : 0;
  }
  const Exponential e = exponential2({x, 0});
  return scaled(value(e), e.exponent);
}

double exp10(double x) {
  if (!(std::fabs(x) < 330)) {
    if (x != x) return x + x;
    return x > 0 ? infinity : 0;
  }
  const Exponential e = exponential10(x);
  return scaled(value(e), e.exponent);
}

double expm1(double x) {
  if (x > 600) return exp(x);
  if (x == 0 || x != x) return x + x;
  return wide::expm1(x).hi;
}

namespace {
double special_log(double x) {
  if (x == 0) return -infinity;
  return x > 0 || x != x ? x + x : double_nan;
}
bool positive_finite(double x) { return x > 0 && x < infinity; }
// Results that are x, whether or not it is a zero or a NaN; infinities give NaN.
bool not_periodic(double x) { return !(std::fabs(x) < infinity) || x == 0; }
}  // namespace

double log(double x) { return positive_finite(x) ? wide::log(x).hi : special_log(x); }
double log2(double x) { return positive_finite(x) ? wide::log2(x).hi : special_log(x); }
double log10(double x) { return positive_finite(x) ? wide::log10(x).hi : special_log(x); }
double log1p(double x) {
  if (x > -1 && x < infinity && x != 0) return wide::log1p(x).hi;
  if (x == 0) return x;
  return x == -1 ? -infinity : special_log(x);
}

double sin(double x) {
  if (not_periodic(x)) return x == 0 ? x : x - x;
  return wide::sin(x).hi;
}
double cos(double x) { return std::fabs(x) < infinity ? wide::cos(x).hi : x - x; }
double tan(double x) {
  if (not_periodic(x)) return x == 0 ? x : x - x;
  return wide::tan(x).hi;
}
double sinpi(double x) {
  if (not_periodic(x)) return x == 0 ? x : x - x;
  if (std::trunc(x) == x) return std::copysign(0.0, x);
  if (std::fabs(x) < tiny) return scaled(pi * (x * 0x1p200), -200);
  return wide::sinpi(x).hi;
}
double cospi(double x) {
  if (!(std::fabs(x) < infinity)) return x - x;
  if (std::fabs(x) >= 0x1p53) return 1;
  if (std::trunc(2 * x) == 2 * x && std::trunc(x) != x) return 0;
  return wide::cospi(x).hi;
}

double asin(double x) {
  if (!(std::fabs(x) <= 1) || x == 0) return x == 0 || x != x ? x + x : double_nan;
  return wide::asin(x).hi;
}
double acos(double x) {
  if (!(std::fabs(x) <= 1)) return x != x ? x + x : double_nan;
  return x == 1 ? 0 : wide::acos(x).hi;
}
double atan(double x) { return x == 0 || x != x ? x + x : wide::atan(x).hi; }

double sinh(double x) {
  if (!(std::fabs(x) < infinity) || x == 0) return x + x;
  if (std::fabs(x) < 600) return wide::sinh(x).hi;
  if (std::fabs(x) > 720) return std::copysign(infinity, x);
  const Exponential e = exponential({std::fabs(x), 0});
  return std::copysign(scaled(value(e), e.exponent - 1), x);
}
double cosh(double x) {
  if (!(std::fabs(x) < 720)) return x != x ? x + x : infinity;
  return std::fabs(x) < 600 ? wide::cosh(x).hi : std::fabs(sinh(x));
}
double tanh(double x) { return x == 0 || x != x ? x + x : wide::tanh(x).hi; }
double asinh(double x) {
  if (!(std::fabs(x) < infinity) || x == 0) return x + x;
  return wide::asinh(x).hi;
}
double acosh(double x) {
  if (!(x >= 1 && x < infinity)) return x >= 1 || x != x ? x + x : double_nan;
  return x == 1 ? 0 : wide::acosh(x).hi;
}
double atanh(double x) {
  if (std::fabs(x) < 1 && x != 0) return wide::atanh(x).hi;
  if (x == 0 || x != x) return x + x;
  return std::fabs(x) == 1 ? std::copysign(infinity, x) : double_nan;
}

double rsqrt(double x) {
  if (positive_finite(x)) return wide::rsqrt(x).hi;
  if (x == 0) return std::copysign(infinity, x);
  return x > 0 ? 0 : x != x ? x + x : double_nan;
}
double cbrt(double x) { return std::fabs(x) < infinity && x != 0 ? wide::cbrt(x).hi : x + x; }
double rcbrt(double x) {
  if (!(std::fabs(x) < infinity) || x == 0) return x != x ? x + x : 1 / x;
  return wide::rcbrt(x).hi;
}

double erf(double x) {
  if (x == 0 || x != x) return x + x;
  if (std::fabs(x) < tiny) return scaled(two_over_root_pi * (x * 0x1p200), -200);
  return wide::erf(x).hi;
}
double erfc(double x) {
  if (!(std::fabs(x) < 28)) return x != x ? x + x : x > 0 ? 0 : 2;
  if (x < 0) return wide::erfc(x).hi;
  const Scaled y = wide_erfc(x);
  return scaled(y.v, y.exponent);
}
double sigmoid(double x) {
  if (x != x) return x + x;
  return x < -600 ? exp(x) : wide::sigmoid(x).hi;  // e^x there, less e^(2x)
}

}  // namespace assay::functions
