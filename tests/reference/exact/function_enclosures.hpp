// A second evaluation of the elementary functions of float32, fast enough for all 2^32 arguments, with a proven bound
// of its error. Where all values within the bound round to one float, that is the correct result; elsewhere MPFR
// decides.
//
// It shares no table, constant or polynomial with functions.cpp. Values at 2^11 or 2^12 points of a binade come from
// MPFR, correctly rounded to double; an addition theorem or a Taylor series leads from there to the argument:
//
//   exponentials, sinh, cosh, sin, cos   |x| = (4096 i + j) 2^e: both parts from tables, f(a + b) from f(a), f(b)
//   logarithms    log x = log c + log(1 + t), t = (x - c) / c, c between 1 and x
//   arctangent    atan x = atan c + atan((x - c) / (1 + x c)), 0 <= c <= x
//   erf, erfc     Taylor at c; asin, acos, asinh, acosh, atanh: exact formulas in atan and log1p
//   roots         IEEE 754's square root; one step of Newton's method from the result under test
//
// The error. All of these but sin, cos and tan (below) add terms of one sign only, or subtract at most a tenth, so
// relative errors do not grow; formulas pass on relative errors with a factor of at most 1 (atan, log1p of positive
// arguments). No path has more than 20 roundings of 2^-53, and truncated series leave less than 2^-50: below 2^-48 in
// all. `relative` is sixteen times that. For sin and cos the products of the addition theorem, at most 1, are off by
// 2^-51.
#pragma once

#include <mpfr.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "reference/exact/functions.hpp"

namespace assay::test {

using Mpfr = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t);

struct Pair {
  double a, b;
};

struct Enclosure {
  double value, error;
};
constexpr double relative = 0x1p-44;
inline Enclosure near(double y) { return {y, std::isinf(y) ? 0 : std::fabs(y) * relative}; }

class MpfrNumber {
 public:
  explicit MpfrNumber(mpfr_prec_t precision) { mpfr_init2(value_, precision); }
  ~MpfrNumber() { mpfr_clear(value_); }
  MpfrNumber(const MpfrNumber&) = delete;
  MpfrNumber& operator=(const MpfrNumber&) = delete;
  operator mpfr_ptr() { return value_; }

 private:
  mpfr_t value_;
};

// f(x) correctly rounded to double, in the full range of exponents.
inline double double_of(Mpfr f, double x) {
  thread_local MpfrNumber in(53), out(53);
  mpfr_set_d(in, x, MPFR_RNDN);
  f(out, in, MPFR_RNDN);
  return mpfr_get_d(out, MPFR_RNDN);
}

// A number of 24 bits, rounded already as `ternary` says, rounded into the range of float32, once in all.
inline float round_to_float(mpfr_ptr y, int ternary) {
  const mpfr_exp_t emin = mpfr_get_emin(), emax = mpfr_get_emax();
  mpfr_set_emin(-148);
  mpfr_set_emax(128);
  ternary = mpfr_check_range(y, ternary, MPFR_RNDN);
  mpfr_subnormalize(y, ternary, MPFR_RNDN);
  const float result = mpfr_get_flt(y, MPFR_RNDN);
  mpfr_set_emin(emin);
  mpfr_set_emax(emax);
  return result;
}

// f(x) correctly rounded to float32.
inline float float_of(Mpfr f, float x) {
  thread_local MpfrNumber in(24), out(24);
  mpfr_set_flt(in, x, MPFR_RNDN);
  const int ternary = f(out, in, MPFR_RNDN);
  return round_to_float(out, ternary);
}

// What MPFR lacks, correctly rounded too.
inline int mpfr_sigmoid(mpfr_ptr y, mpfr_srcptr x, mpfr_rnd_t rounding) {
  if (mpfr_nan_p(x)) return mpfr_set(y, x, rounding);
  if (mpfr_cmp_si(x, 100'000) > 0) return mpfr_set_ui(y, 1, rounding) + 1;  // a little less than 1
  if (mpfr_cmp_si(x, -100'000) < 0) return mpfr_exp(y, x, rounding);        // a little less than that
  if (mpfr_regular_p(x) && mpfr_get_exp(x) < -1000) return mpfr_set_d(y, 0.5, rounding) - mpfr_sgn(x);
  for (mpfr_prec_t precision = mpfr_get_prec(y) + 40;; precision *= 2) {
    MpfrNumber t(precision);
    mpfr_neg(t, x, MPFR_RNDN);
    mpfr_exp(t, t, MPFR_RNDN);
    mpfr_add_ui(t, t, 1, MPFR_RNDN);
    mpfr_ui_div(t, 1, t, MPFR_RNDN);  // off by less than three units of the last place
    if (mpfr_zero_p(x) || mpfr_can_round(t, precision - 3, MPFR_RNDN, rounding, mpfr_get_prec(y)))
      return mpfr_set(y, t, rounding);
  }
}
inline int mpfr_rcbrt(mpfr_ptr y, mpfr_srcptr x, mpfr_rnd_t rounding) {
  return mpfr_rootn_si(y, x, -3, rounding);
}

// Both halves of an argument's significand: |x| = (4096 i + j) 2^e, with functions a and b of each, for one sign and
// exponent at a time.
class Halves {
 public:
  Halves(Mpfr a, Mpfr b) : a_(a), b_(b) {}
  struct Both {
    const Pair &upper, &lower;
  };
  Both at(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t key = bits >> 23, exponent = key & 255;
    if (key != key_) fill(key);
    const std::uint32_t m = (bits & 0x7FFFFF) | (exponent == 0 ? 0 : 0x800000);
    return {upper_[m >> 12], lower_[m & 4095]};
  }

 private:
  void fill(std::uint32_t key) {
    key_ = key;
    const int exponent = static_cast<int>(key & 255), e = (exponent == 0 ? 1 : exponent) - 150;
    const double sign = key > 255 ? -1 : 1;
    const std::size_t first = exponent == 0 ? 0 : 2048, last = exponent == 0 ? 2048 : 4096;
    for (std::size_t i = first; i < last; ++i)
      upper_[i] = values(std::ldexp(sign * static_cast<double>(i), e + 12));
    for (std::size_t j = 0; j < 4096; ++j) lower_[j] = values(std::ldexp(sign * static_cast<double>(j), e));
  }
  Pair values(double x) const { return {double_of(a_, x), b_ == nullptr ? 0 : double_of(b_, x)}; }

  Mpfr a_, b_;
  std::uint32_t key_ = ~0U;
  std::array<Pair, 4096> upper_{}, lower_{};
};

// Values at 2^11 points of each binade that is asked for; c is the point next to x towards zero, or away from it.
class Cells {
 public:
  explicit Cells(Mpfr f, bool away = false) : f_(f), away_(away) {}
  struct Cell {
    double c, value;
  };
  const Cell& at(double x) {
    const auto bits = std::bit_cast<std::uint64_t>(x);
    auto& binade = binades_[bits >> 52];
    if (!binade) fill(bits >> 52);
    return (*binade)[bits >> 41 & 2047];
  }

 private:
  using Binade = std::array<Cell, 2048>;
  void fill(std::size_t key) {
    binades_[key] = std::make_unique<Binade>();
    for (std::uint64_t i = 0; i < 2048; ++i) {
      const double c = std::bit_cast<double>((std::uint64_t{key} << 52) + ((i + (away_ ? 1 : 0)) << 41));
      (*binades_[key])[i] = {c, double_of(f_, c)};
    }
  }
  Mpfr f_;
  bool away_;
  std::array<std::unique_ptr<Binade>, 4096> binades_;
};

// log(1 + t), |t| <= 2^-11; the next term is below 2^-57 t.
inline double log1p_series(double t) {
  return t * (1 - t * (1.0 / 2 - t * (1.0 / 3 - t * (1.0 / 4 - t * (1.0 / 5)))));
}

template <Mpfr f>
Pair log_parts(double x) {  // f(c), log(1 + t)
  thread_local Cells below(f, true), above(f);
  const Cells::Cell& cell = x < 1 ? below.at(x) : above.at(x);
  return {cell.value, log1p_series((x - cell.c) / cell.c)};
}
inline double log_of(double x) {
  const Pair p = log_parts<mpfr_log>(x);
  return p.a + p.b;
}
inline double log1p_of(double x) {  // x > -1/2, or a float: 1 + x is exact below -1/2
  if (x <= -0.5) return log_of(1 + x);
  thread_local Cells cells(mpfr_log1p);
  const Cells::Cell& cell = cells.at(x);
  return cell.value + log1p_series((x - cell.c) / (1 + cell.c));
}
inline double atan_of(double x) {  // x >= 0
  thread_local Cells cells(mpfr_atan);
  const Cells::Cell& cell = cells.at(x);
  const double t = (x - cell.c) / (1 + x * cell.c), s = t * t;
  return cell.value + t * (1 - s * (1.0 / 3 - s * (1.0 / 5)));
}
inline double sqrt_of(double x) { return std::sqrt(x); }

inline int mpfr_gauss(mpfr_ptr y, mpfr_srcptr x,
                      mpfr_rnd_t rounding) {  // 2 / sqrt(pi) e^(-x^2), within an ulp
  MpfrNumber t(120), u(120);
  mpfr_sqr(t, x, MPFR_RNDN);
  mpfr_neg(t, t, MPFR_RNDN);
  mpfr_exp(t, t, MPFR_RNDN);
  mpfr_const_pi(u, MPFR_RNDN);
  mpfr_rec_sqrt(u, u, MPFR_RNDN);
  mpfr_mul(t, t, u, MPFR_RNDN);
  return mpfr_mul_ui(y, t, 2, rounding);
}
// What erf gains from c to x, for x < 16. With g(n) the Taylor coefficients of e^(-2cs - s^2), h = x - c and u = 2ch
// <= 2^-3.6, |g(n)| h^n <= u^n sum over i of 1 / ((n - 2i)! i!) where c >= 1/2: below 2^-51 at n = 12. (Below 1/2, h <
// 2^-12.)
inline double erf_gain(double x) {
  thread_local Cells cells(mpfr_gauss);
  const Cells::Cell& cell = cells.at(x);
  const double c = cell.c, h = x - c;
  double g = 1, before = 0, power = 1, sum = 1;
  for (int n = 1; n < 12; ++n) {
    const double next = -2 * (c * g + before) / n;
    before = g;
    g = next;
    power *= h;
    sum += g * power / (n + 1);
  }
  return cell.value * h * sum;
}
inline double erfc_of(double x) {  // x >= 0
  if (x >= 16) return 0;           // below 2^-150
  thread_local Cells cells(mpfr_erfc);
  return cells.at(x).value - erf_gain(x);
}

inline double with_sign(double y, float x) { return std::copysign(y, static_cast<double>(x)); }
inline double magnitude(float x) { return static_cast<double>(std::fabs(x)); }

template <Mpfr f>
Enclosure product_of_halves(float x) {
  if (x >= 256) return near(std::numeric_limits<double>::infinity());
  thread_local Halves halves(f, nullptr);
  const auto [upper, lower] = halves.at(x);
  return near(upper.a * lower.a);
}

inline Enclosure expm1_enclosure(float x) {
  if (x >= 256) return near(std::numeric_limits<double>::infinity());
  thread_local Halves halves(mpfr_expm1, mpfr_exp);
  const auto [upper, lower] = halves.at(x);
  return near(upper.a + lower.a * upper.b);
}
inline Enclosure sigmoid_enclosure(float x) {
  const double e = product_of_halves<mpfr_exp>(-x).value;
  return near(1 / (1 + e));
}

inline Pair hyperbolic(float x) {
  if (std::fabs(x) >= 256)
    return {with_sign(std::numeric_limits<double>::infinity(), x), std::numeric_limits<double>::infinity()};
  thread_local Halves halves(mpfr_sinh, mpfr_cosh);
  const auto [upper, lower] = halves.at(x);
  return {upper.a * lower.b + upper.b * lower.a, upper.b * lower.b + upper.a * lower.a};
}
inline Enclosure sinh_enclosure(float x) { return near(hyperbolic(x).a); }
inline Enclosure cosh_enclosure(float x) { return near(hyperbolic(x).b); }
inline Enclosure tanh_enclosure(float x) {
  if (std::fabs(x) >= 16) return near(with_sign(1 - 0x1p-30, x));  // rounds as all values from 1 - 2^-26 to 1
  const Pair p = hyperbolic(x);
  return near(p.a / p.b);
}

// Absolute errors: products of numbers up to 1, each off by 2^-53.5 relatively at most.
template <Mpfr sine, Mpfr cosine>
Pair circular(float x) {
  thread_local Halves halves(sine, cosine);
  const auto [upper, lower] = halves.at(x);
  return {upper.a * lower.b + upper.b * lower.a, upper.b * lower.b - upper.a * lower.a};
}
constexpr double absolute = 0x1p-48;
inline Enclosure sin_enclosure(float x) {
  const double y = circular<mpfr_sin, mpfr_cos>(x).a;
  return std::fabs(x) < 0.75f ? near(y) : Enclosure{y, absolute};  // terms of one sign there
}
inline Enclosure cos_enclosure(float x) { return {circular<mpfr_sin, mpfr_cos>(x).b, absolute}; }
inline Enclosure tan_enclosure(float x) {
  const Pair p = circular<mpfr_sin, mpfr_cos>(x);
  const double y = p.a / p.b;
  if (std::fabs(x) < 0.75f) return near(y);
  // |(s + d) / (c + d') - s / c| <= 2 d (1 / |c| + |s| / c^2) for d <= |c| / 2
  const double c = std::fabs(p.b);
  return {y, c < 0x1p-30 ? std::numeric_limits<double>::infinity()
                         : 2 * absolute * (1 / c + std::fabs(p.a) / (c * c))};
}
// Multiples of 1/2 have results 0, 1 and -1, which are exact; MPFR's zeros have the sign that IEEE 754 wants.
inline bool half_integer(float x) { return std::fabs(x) >= 0x1p23f || std::trunc(2 * x) == 2 * x; }
inline Enclosure sinpi_enclosure(float x) {
  if (half_integer(x)) {
    const double quadrant = std::fmod(2 * magnitude(x), 4);
    return {with_sign(quadrant == 1   ? 1
                      : quadrant == 3 ? -1
                                      : 0,
                      quadrant == 2 || quadrant == 0 ? x
                      : (quadrant == 1) == (x > 0)   ? 1.0f
                                                     : -1.0f),
            0};
  }
  const double y = circular<mpfr_sinpi, mpfr_cospi>(x).a;
  return std::fabs(x) < 0.25f ? near(y) : Enclosure{y, absolute};
}
inline Enclosure cospi_enclosure(float x) {
  if (half_integer(x)) {
    const double quadrant = std::fmod(2 * magnitude(x), 4);
    return {quadrant == 0 ? 1.0 : quadrant == 2 ? -1.0 : 0.0, 0};
  }
  return {circular<mpfr_sinpi, mpfr_cospi>(x).b, absolute};
}

inline Enclosure log_enclosure(float x) { return near(log_of(static_cast<double>(x))); }
inline Enclosure log2_enclosure(float x) {
  const Pair p = log_parts<mpfr_log2>(static_cast<double>(x));
  return near(p.a + p.b * 1.4426950408889634);
}
inline Enclosure log10_enclosure(float x) {
  const Pair p = log_parts<mpfr_log10>(static_cast<double>(x));
  return near(p.a + p.b * 0.43429448190325183);
}
inline Enclosure log1p_enclosure(float x) { return near(log1p_of(static_cast<double>(x))); }

inline Enclosure asin_enclosure(float x) {
  const double a = magnitude(x);
  return near(with_sign(atan_of(a / sqrt_of((1 - a) * (1 + a))), x));
}
inline Enclosure acos_enclosure(float x) {
  const double a = static_cast<double>(x);
  return near(2 * atan_of(sqrt_of((1 - a) / (1 + a))));
}
inline Enclosure atan_enclosure(float x) { return near(with_sign(atan_of(magnitude(x)), x)); }
inline Enclosure asinh_enclosure(float x) {
  const double a = magnitude(x), s = a * a;
  return near(with_sign(log1p_of(a + s / (1 + sqrt_of(1 + s))), x));
}
inline Enclosure acosh_enclosure(float x) {
  const double t = static_cast<double>(x) - 1;
  return near(log1p_of(t + sqrt_of(t * (t + 2))));
}
inline Enclosure atanh_enclosure(float x) {
  const double a = magnitude(x);
  return near(with_sign(log1p_of(2 * a / (1 - a)) / 2, x));
}
inline Enclosure erf_enclosure(float x) {
  if (std::fabs(x) >= 8) return near(with_sign(1 - 0x1p-30, x));
  thread_local Cells cells(mpfr_erf);
  const double a = magnitude(x);
  return near(with_sign(cells.at(a).value + erf_gain(a), x));
}
inline Enclosure erfc_enclosure(float x) {
  const double y = erfc_of(magnitude(x));
  return near(x < 0 ? 2 - y : y);
}
inline Enclosure rsqrt_enclosure(float x) { return near(1 / sqrt_of(static_cast<double>(x))); }

// From y near the root: with x = y^3 (1 + r), the root is y (1 + r / 3 - r^2 / 9), and r is known within 2^-51.
// Too far from the root, whatever y is, MPFR decides.
inline Enclosure cbrt_enclosure(float x) {
  const double y = static_cast<double>(functions::cbrt(x)), a = static_cast<double>(x);
  const double r = (a - y * y * y) / (y * y * y);
  if (!(std::fabs(r) < 0x1p-22)) return {y, std::numeric_limits<double>::infinity()};
  return {y * (1 + (r / 3 - r * r / 9)), std::fabs(y) * relative};
}
inline Enclosure rcbrt_enclosure(float x) {  // x y^3 = 1 - r, and the root is y (1 + r / 3 + 2 r^2 / 9)
  const double y = static_cast<double>(functions::rcbrt(x)), a = static_cast<double>(x);
  const double r = 1 - a * (y * y * y);
  if (!(std::fabs(r) < 0x1p-22)) return {y, std::numeric_limits<double>::infinity()};
  return {y * (1 + (r / 3 + 2 * r * r / 9)), std::fabs(y) * relative};
}

struct FloatFunction {
  std::string name;
  float (*function)(float);
  Mpfr mpfr;
  Enclosure (*enclosure)(float);
  float low, high;  // the domain, without its ends; outside and at the ends MPFR decides
};

inline const std::vector<FloatFunction>& float_functions() {
  constexpr float inf = std::numeric_limits<float>::infinity();
  namespace f = functions;
  static const std::vector<FloatFunction> list{
      {"exp", f::exp, mpfr_exp, product_of_halves<mpfr_exp>, -inf, inf},
      {"exp2", f::exp2, mpfr_exp2, product_of_halves<mpfr_exp2>, -inf, inf},
      {"exp10", f::exp10, mpfr_exp10, product_of_halves<mpfr_exp10>, -inf, inf},
      {"expm1", f::expm1, mpfr_expm1, expm1_enclosure, -inf, inf},
      {"log", f::log, mpfr_log, log_enclosure, 0, inf},
      {"log2", f::log2, mpfr_log2, log2_enclosure, 0, inf},
      {"log10", f::log10, mpfr_log10, log10_enclosure, 0, inf},
      {"log1p", f::log1p, mpfr_log1p, log1p_enclosure, -1, inf},
      {"sin", f::sin, mpfr_sin, sin_enclosure, -inf, inf},
      {"cos", f::cos, mpfr_cos, cos_enclosure, -inf, inf},
      {"tan", f::tan, mpfr_tan, tan_enclosure, -inf, inf},
      {"sinpi", f::sinpi, mpfr_sinpi, sinpi_enclosure, -inf, inf},
      {"cospi", f::cospi, mpfr_cospi, cospi_enclosure, -inf, inf},
      {"asin", f::asin, mpfr_asin, asin_enclosure, -1, 1},
      {"acos", f::acos, mpfr_acos, acos_enclosure, -1, 1},
      {"atan", f::atan, mpfr_atan, atan_enclosure, -inf, inf},
      {"sinh", f::sinh, mpfr_sinh, sinh_enclosure, -inf, inf},
      {"cosh", f::cosh, mpfr_cosh, cosh_enclosure, -inf, inf},
      {"tanh", f::tanh, mpfr_tanh, tanh_enclosure, -inf, inf},
      {"asinh", f::asinh, mpfr_asinh, asinh_enclosure, -inf, inf},
      {"acosh", f::acosh, mpfr_acosh, acosh_enclosure, 1, inf},
      {"atanh", f::atanh, mpfr_atanh, atanh_enclosure, -1, 1},
      {"rsqrt", f::rsqrt, mpfr_rec_sqrt, rsqrt_enclosure, 0, inf},
      {"cbrt", f::cbrt, mpfr_cbrt, cbrt_enclosure, -inf, inf},
      {"rcbrt", f::rcbrt, mpfr_rcbrt, rcbrt_enclosure, -inf, inf},
      {"erf", f::erf, mpfr_erf, erf_enclosure, -inf, inf},
      {"erfc", f::erfc, mpfr_erfc, erfc_enclosure, -inf, inf},
      {"sigmoid", f::sigmoid, mpfr_sigmoid, sigmoid_enclosure, -inf, inf},
  };
  return list;
}

// The correctly rounded f(x), x neither NaN nor outside the domain nor zero; `hard` if MPFR had to decide.
inline float correct_result(const FloatFunction& f, float x, bool& hard) {
  const Enclosure e = f.enclosure(x);
  hard = false;
  if (e.error == 0) return static_cast<float>(e.value);
  const float low = static_cast<float>(e.value - e.error), high = static_cast<float>(e.value + e.error);
  hard = std::bit_cast<std::uint32_t>(low) != std::bit_cast<std::uint32_t>(high) || low != low;
  return hard ? float_of(f.mpfr, x) : low;
}

}  // namespace assay::test
