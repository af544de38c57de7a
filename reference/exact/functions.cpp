// The functions of one argument in float32.
#include "reference/exact/functions.hpp"

#include <bit>
#include <cmath>
#include <cstdint>

#include "reference/exact/function_first_steps.hpp"

namespace assay::functions {

using namespace detail;

float exp(float x) {
  if (!(std::fabs(x) < 104)) {
    if (x != x) return x + x;
    return x > 0 ? float_infinity : 0.0f;
  }
  float result;
  if (settled(fast_exp(as_double(x)), result)) return result;
  return rounded(wide::exp(as_double(x)));
}

float exp2(float x) {
  if (!(std::fabs(x) < 151)) {
    if (x != x) return x + x;
    return x > 0 ? float_infinity : 0.0f;
  }
  const Nearest k = nearest(as_double(x) * 64);
  float result;
  if (settled(value(with_table(k, (as_double(x) - k.value * (1.0 / 64)) * ln2.hi)), result)) return result;
  return rounded(wide::exp2(as_double(x)));  // 2^-150, halfway between two floats, is exact there
}

float exp10(float x) {
  if (!(std::fabs(x) < 46)) {
    if (x != x) return x + x;
    return x > 0 ? float_infinity : 0.0f;
  }
  const Nearest k = nearest(as_double(x) * (64 * ln10.hi * log2_e.hi));
  const double n = k.value * (1.0 / 64);
  float result;
  if (settled(value(with_table(k, ((as_double(x) - n * log10_2_1) - n * log10_2_2) * ln10.hi)), result))
    return result;
  return rounded(wide::exp10(as_double(x)));
}

float expm1(float x) {
  if (!(std::fabs(x) < 104) || x == 0) {
    if (x != x || x == 0) return x + x;
    return x > 0 ? float_infinity : -1.0f;
  }
  float result;
  if (settled(fast_expm1(as_double(x)), result)) return result;
  return rounded(wide::expm1(as_double(x)));
}

namespace {
// The logarithm of zero, a negative number, infinity or NaN.
float special_log(float x) {
  if (x == 0) return -float_infinity;
  return x > 0 || x != x ? x + x : float_nan;
}
inline bool positive_finite(float x) { return std::bit_cast<std::uint32_t>(x) - 1 < 0x7F7FFFFF; }
}  // namespace

float log(float x) {
  if (!positive_finite(x)) return special_log(x);
  float result;
  if (settled(fast_log(as_double(x)), result)) return result;
  return rounded(wide::log(as_double(x)));
}

float log2(float x) {
  if (!positive_finite(x)) return special_log(x);
  float result;
  if (settled(fast_log(as_double(x)) * log2_e.hi, result)) return result;
  return rounded(wide::log2(as_double(x)));
}

float log10(float x) {
  if (!positive_finite(x)) return special_log(x);
  float result;
  if (settled(fast_log(as_double(x)) * log10_e.hi, result)) return result;
  return rounded(wide::log10(as_double(x)));
}

float log1p(float x) {
  if (!(x > -1 && x < float_infinity) || x == 0) {
    if (x == 0) return x;
    return x == -1 ? -float_infinity : special_log(x);
  }
  float result;
  if (settled(fast_log1p(as_double(x)), result)) return result;
  return rounded(wide::log1p(as_double(x)));
}

namespace {
// x if it is zero or NaN, NaN if it is infinite.
inline bool not_periodic(float x) { return !(std::fabs(x) < float_infinity) || x == 0; }
}  // namespace

float sin(float x) {
  if (not_periodic(x)) return x == 0 ? x : x - x;
  const FastQuadrant a = fast_quadrant(x);
  float result;
  if (settled(fast_sine_in_quadrant(a.q, a.r), result)) return result;
  return rounded(wide::sin(as_double(x)));
}

float cos(float x) {
  if (!(std::fabs(x) < float_infinity)) return x - x;
  const FastQuadrant a = fast_quadrant(x);
  float result;
  if (settled(fast_sine_in_quadrant(a.q + 1, a.r), result)) return result;
  return rounded(wide::cos(as_double(x)));
}

float tan(float x) {
  if (not_periodic(x)) return x == 0 ? x : x - x;
  const FastQuadrant a = fast_quadrant(x);
  const double s = fast_sine(a.r), c = fast_cosine(a.r);
  float result;
  if (settled((a.q & 1) == 0 ? s / c : -c / s, result)) return result;
  return rounded(wide::tan(as_double(x)));
}

float sinpi(float x) {
  if (not_periodic(x)) return x == 0 ? x : x - x;
  const double a = as_double(x);
  if (std::fabs(x) >= 0x1p23f) return std::copysign(0.0f, x);
  const Nearest q = nearest(2 * a);
  const double r = a - q.value / 2;
  if (r == 0 && q.integer % 2 == 0) return std::copysign(0.0f, x);
  float result;
  if (settled(fast_sine_in_quadrant(q.integer, r * pi.hi), result)) return result;
  return rounded(wide::sinpi(a));
}

float cospi(float x) {
  if (!(std::fabs(x) < float_infinity)) return x - x;
  const double a = as_double(x);
  if (std::fabs(x) >= 0x1p24f) return 1;
  const Nearest q = nearest(2 * a);
  const double r = a - q.value / 2;
  if (r == 0 && q.integer % 2 != 0) return 0;
  float result;
  if (settled(fast_sine_in_quadrant(q.integer + 1, r * pi.hi), result)) return result;
  return rounded(wide::cospi(a));
}

float asin(float x) {
  if (!(std::fabs(x) <= 1) || x == 0) return x == 0 || x != x ? x + x : float_nan;
  const double a = as_double(std::fabs(x));
  float result;
  if (settled(std::copysign(fast_arctangent(a / std::sqrt((1 - a) * (1 + a))), as_double(x)), result))
    return result;
  return rounded(wide::asin(as_double(x)));
}

float acos(float x) {
  if (!(std::fabs(x) <= 1)) return x != x ? x + x : float_nan;
  if (x == 1) return 0;
  const double a = as_double(x);
  float result;
  if (settled(2 * fast_arctangent(std::sqrt((1 - a) / (1 + a))), result)) return result;
  return rounded(wide::acos(a));
}

float atan(float x) {
  if (x != x || x == 0) return x + x;
  float result;
  if (settled(std::copysign(fast_arctangent(as_double(std::fabs(x))), as_double(x)), result)) return result;
  return rounded(wide::atan(as_double(x)));
}

float sinh(float x) {
  if (!(std::fabs(x) < 90) || x == 0) return x == 0 || x != x ? x + x : std::copysign(float_infinity, x);
  const double e = fast_expm1(as_double(std::fabs(x)));
  float result;
  if (settled(std::copysign(0.5 * (e + e / (e + 1)), as_double(x)), result)) return result;
  return rounded(wide::sinh(as_double(x)));
}

float cosh(float x) {
  if (!(std::fabs(x) < 90)) return x != x ? x + x : float_infinity;
  const double e = fast_exp(as_double(std::fabs(x)));
  float result;
  if (settled(0.5 * (e + 1 / e), result)) return result;
  return rounded(wide::cosh(as_double(x)));
}

float tanh(float x) {
  if (!(std::fabs(x) < 10) || x == 0) return x == 0 || x != x ? x + x : std::copysign(1.0f, x);
  const double e = fast_expm1(2 * as_double(std::fabs(x)));
  float result;
  if (settled(std::copysign(e / (e + 2), as_double(x)), result)) return result;
  return rounded(wide::tanh(as_double(x)));
}

float asinh(float x) {
  if (!(std::fabs(x) < float_infinity) || x == 0) return x + x;
  const double a = as_double(std::fabs(x)), s = a * a;
  float result;
  if (settled(std::copysign(fast_log1p(a + s / (1 + std::sqrt(1 + s))), as_double(x)), result)) return result;
  return rounded(wide::asinh(as_double(x)));
}

float acosh(float x) {
  if (!(x >= 1 && x < float_infinity)) return x > 0 && !(x < 1) ? x : x != x ? x + x : float_nan;
  if (x == 1) return 0;
  const double t = as_double(x) - 1;
  float result;
  if (settled(fast_log1p(t + std::sqrt(t * (t + 2))), result)) return result;
  return rounded(wide::acosh(as_double(x)));
}

float atanh(float x) {
  if (!(std::fabs(x) < 1) || x == 0) {
    if (x == 0 || x != x) return x + x;
    return std::fabs(x) == 1 ? std::copysign(float_infinity, x) : float_nan;
  }
  const double a = as_double(std::fabs(x));
  float result;
  if (settled(std::copysign(0.5 * fast_log1p(2 * a / (1 - a)), as_double(x)), result)) return result;
  return rounded(wide::atanh(as_double(x)));
}

float rsqrt(float x) {
  if (!positive_finite(x)) {
    if (x == 0) return std::copysign(float_infinity, x);
    return x > 0 ? 0.0f : x != x ? x + x : float_nan;
  }
  float result;
  if (settled(1 / std::sqrt(as_double(x)), result)) return result;
  return rounded(wide::rsqrt(as_double(x)));
}

float sigmoid(float x) {
  if (!(std::fabs(x) < 104)) {
    if (x != x) return x + x;
    return x > 0 ? 1.0f : 0.0f;
  }
  float result;
  if (settled(1 / (1 + fast_exp(-as_double(x))), result)) return result;
  return rounded(wide::sigmoid(as_double(x)));
}

float cbrt(float x) {
  if (!(std::fabs(x) < float_infinity) || x == 0) return x + x;
  float result;
  if (settled(std::copysign(near_cube_root(as_double(std::fabs(x))), as_double(x)), result)) return result;
  return rounded(wide::cbrt(as_double(x)));
}

float rcbrt(float x) {
  if (!(std::fabs(x) < float_infinity) || x == 0) return x != x ? x + x : 1 / x;
  float result;
  if (settled(std::copysign(1 / near_cube_root(as_double(std::fabs(x))), as_double(x)), result))
    return result;
  return rounded(wide::rcbrt(as_double(x)));
}

float erf(float x) {
  if (!(std::fabs(x) < 5) || x == 0) return x == 0 || x != x ? x + x : std::copysign(1.0f, x);
  const FastErrorFunction a = fast_error_function(as_double(std::fabs(x)));
  float result;
  if (settled(std::copysign(a.entry.erf - a.change, as_double(x)), result)) return result;
  return rounded(wide::erf(as_double(x)));
}

float erfc(float x) {
  if (!(std::fabs(x) < 10.2f)) return x != x ? x + x : x > 0 ? 0.0f : 2.0f;
  const FastErrorFunction a = fast_error_function(as_double(std::fabs(x)));
  const double y = a.entry.erfc + a.change;
  float result;
  if (settled(x < 0 ? 2 - y : y, result, erfc_error)) return result;
  return rounded(wide::erfc(as_double(x)));
}

}  // namespace assay::functions
