// pow, atan2 and hypot.
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "reference/exact/function_first_steps.hpp"
#include "reference/exact/function_integers.hpp"
#include "reference/exact/function_kernels.hpp"
#include "reference/exact/functions.hpp"

namespace assay::functions {

using namespace detail;

namespace {

// The two floats around a positive v, where it is within 2^-40 of it, and the point halfway between them. A float of
// 2^128 is infinity.
struct Choice {
  float lower, upper;
  double middle;
};
double finite_value(float x) { return x < float_infinity ? as_double(x) : 0x1p128; }
Choice choice(Wide v) {
  Choice c{};
  const float nearest_float = rounded(v);
  const double d = finite_value(nearest_float);
  const auto code = std::bit_cast<std::uint32_t>(nearest_float);
  const bool above = v.hi > d || (v.hi == d && v.lo >= 0);
  if (above && nearest_float < float_infinity) {
    c.lower = nearest_float;
    c.upper = std::bit_cast<float>(code + 1);
  } else {
    c.upper = nearest_float;
    c.lower = std::bit_cast<float>(code - 1);
  }
  c.middle = 0.5 * finite_value(c.lower) + 0.5 * finite_value(c.upper);
  return c;
}

// Double-double results of pow and atan2 are off by less than 2^-90; the rest is left to a comparison.
bool settled(Wide v, float& result) {
  const double margin = v.hi * 0x1p-80;
  result = rounded(v - margin);
  return result == rounded(v + margin);
}

// What y is as an exponent of a negative base.
enum class Parity { none, even, odd };
Parity parity(double y) {
  if (std::trunc(y) != y) return Parity::none;
  return std::trunc(y / 2) == y / 2 ? Parity::even : Parity::odd;
}

// Results of pow without a computation: C23, F.10.4.5.
template <class T>
bool special_power(T x, T y, T& result) {
  constexpr T inf = std::numeric_limits<T>::infinity();
  result = 1;
  if (y == 0 || x == 1) return true;
  result = x + y;
  if (result != result && (x != x || y != y)) return true;
  if (std::fabs(y) == inf) {
    result = std::fabs(x) == 1 ? T{1} : (std::fabs(x) > 1) == (y > 0) ? inf : T{0};
    return true;
  }
  const Parity p = parity(static_cast<double>(y));
  if (x == 0 || std::fabs(x) == inf) {
    result = (x == 0) == (y < 0) ? inf : T{0};
    if (p == Parity::odd) result = std::copysign(result, x);
    return true;
  }
  result = std::numeric_limits<T>::quiet_NaN();
  return x < 0 && p == Parity::none;
}

// log x^y in double-double; x positive, finite and not 1.
Wide wide_log_power(double x, double y) { return wide::log(x) * y; }

}  // namespace

namespace by_comparison {

float pow(float x, float y) {
  const double base = as_double(x), exponent = as_double(y);
  if (x == 1 || y == 0) return 1;
  const Wide t = wide_log_power(base, exponent);
  if (t.hi > 89) return float_infinity;
  if (t.hi < -105) return 0;
  if (double exact = 0; integers::exact_power(base, exponent, exact)) return static_cast<float>(exact);
  const Choice c = choice(scaled_value(exponential(t)));
  return integers::power_above(base, exponent, c.middle) ? c.upper : c.lower;
}

}  // namespace by_comparison

float pow(float x, float y) {
  float result;
  if (special_power(x, y, result)) return result;
  const bool negative = x < 0 && parity(as_double(y)) == Parity::odd;
  const double base = as_double(std::fabs(x));
  if (base == 1) return negative ? -1.0f : 1.0f;
  const double t = as_double(y) * fast_log(base);
  if (t > 89) {
    result = float_infinity;
  } else if (t < -105) {
    result = 0;
  } else if (!settled(fast_exp(t), result, 0x1p-43)) {  // 105 times the error of the logarithm
    if (!settled(scaled_value(exponential(wide_log_power(base, as_double(y)))), result))
      result = by_comparison::pow(std::fabs(x), y);
  }
  return negative ? -result : result;
}

double pow(double x, double y) {
  double result = 0;
  if (special_power(x, y, result)) return result;
  const bool negative = x < 0 && parity(y) == Parity::odd;
  const double base = std::fabs(x);
  if (base == 1) return negative ? -1 : 1;
  const Wide l = wide::log(base);
  const double t = y * l.hi;
  if (t > 720) {
    result = infinity;
  } else if (t < -760) {
    result = 0;
  } else if (std::fabs(t) < 0x1p-60) {
    result = 1;
  } else {
    const Exponential e = exponential(l * y);
    result = scaled(value(e), e.exponent);
  }
  return negative ? -result : result;
}

namespace {

// The angle of (x, y), both not zero, y > 0 taken.
Wide wide_angle(double y, double x) {
  const Wide a = wide_arctangent(Wide{std::fabs(y), 0} / Wide{std::fabs(x), 0});
  return x > 0 ? a : pi - a;
}

template <class T>
bool special_angle(T y, T x, T& result) {
  constexpr T inf = std::numeric_limits<T>::infinity();
  const bool left = std::signbit(x);
  if (x != x || y != y) {
    result = x + y;
  } else if (y == 0) {
    result = left ? static_cast<T>(pi.hi) : T{0};
  } else if (std::fabs(y) == inf) {
    result = static_cast<T>(std::fabs(x) < inf ? half_pi.hi : left ? 3 * pi.hi / 4 : pi.hi / 4);
  } else if (x == 0) {
    result = static_cast<T>(half_pi.hi);
  } else if (std::fabs(x) == inf) {
    result = left ? static_cast<T>(pi.hi) : T{0};
  } else {
    return false;
  }
  if (result == result) result = std::copysign(result, y);
  return true;
}

}  // namespace

namespace by_comparison {

float atan2(float y, float x) {
  const double a = as_double(std::fabs(y)), b = as_double(x);
  const double t = a / std::fabs(b);
  const Wide v = wide_angle(a, b);
  float result;
  if (t < 0x1p-40 &&
      x > 0) {  // the angle is below t, by less than t 2^-81; other t differ from the middle by 2^-49
    const Choice c = choice(v);
    result = a > c.middle * b ? c.upper : c.lower;
  } else if (t < 0x1p-40 || t > 0x1p40) {  // next to pi or pi/2, which are far from all middles
    result = rounded(v);
  } else {
    const Choice c = choice(v);
    result = integers::angle_above(a, b, c.middle) ? c.upper : c.lower;
  }
  return std::copysign(result, y);
}

}  // namespace by_comparison

float atan2(float y, float x) {
  float result;
  if (special_angle(y, x, result)) return result;
  const double a = as_double(std::fabs(y)), b = as_double(std::fabs(x));
  const double angle = fast_arctangent(a / b);
  if (settled(x > 0 ? angle : pi.hi - angle, result)) return std::copysign(result, y);
  if (settled(wide_angle(a, as_double(x)), result)) return std::copysign(result, y);
  return by_comparison::atan2(y, x);
}

double atan2(double y, double x) {
  double result = 0;
  if (special_angle(y, x, result)) return result;
  int ey = 0, ex = 0;
  const double my = std::frexp(std::fabs(y), &ey), mx = std::frexp(std::fabs(x), &ex);
  const int k = ey - ex;
  if (k > 200) return std::copysign(half_pi.hi, y);
  if (k < -200) {
    if (x < 0) return std::copysign(pi.hi, y);
    return std::copysign(scaled(Wide{my, 0} / Wide{mx, 0}, k), y);
  }
  return std::copysign(wide_angle(std::ldexp(my, k), std::copysign(mx, x)).hi, y);
}

namespace {
template <class T>
bool special_hypot(T x, T y, T& result) {
  constexpr T inf = std::numeric_limits<T>::infinity();
  result = inf;
  if (std::fabs(x) == inf || std::fabs(y) == inf) return true;
  result = x + y;
  return result != result;
}
}  // namespace

float hypot(float x, float y) {
  float result;
  if (special_hypot(x, y, result)) return result;
  const Wide s = two_sum(as_double(x) * as_double(x), as_double(y) * as_double(y));  // exact
  const double root = std::sqrt(s.hi);
  if (settled(root, result)) return result;
  const Choice c = choice({root, 0});
  const double square = c.middle * c.middle;  // exact, 50 bits
  if (square == s.hi && s.lo == 0) return static_cast<float>(c.middle);
  return square < s.hi || (square == s.hi && s.lo > 0) ? c.upper : c.lower;
}

double hypot(double x, double y) {
  double result = 0;
  if (special_hypot(x, y, result)) return result;
  double a = std::fabs(x), b = std::fabs(y);
  if (a < b) std::swap(a, b);
  if (b == 0 || b < a * 0x1p-60) return a;
  int e = 0;
  a = std::frexp(a, &e);
  b = std::ldexp(b, -e);
  return scaled(square_root(two_product(a, a) + two_product(b, b)), e);
}

}  // namespace assay::functions
