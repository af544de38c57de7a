// Elementary functions of float32, correctly rounded, and of float64, within 0.5001 units of the last place: the same
// bits on every host, whatever its libm.
//
// Numerics
//   float32  the exact value rounded once, to nearest even, subnormals included. Functions of one argument can be
//            compared with MPFR for all 2^32 arguments (functions_test, label exhaustive). pow, atan2 and hypot
//            decide the few results that are too close to call by exact comparison with the midpoint of two floats.
//   float64  a double-double result, off by less than 2^-90 of it, rounded once, subnormals included: error below
//            0.5 + 2^-30 units of the last place. fmod, remainder and remquo are exact in both formats.
//   needs    rounding to nearest, subnormals kept, no contraction of a*b + c. errno is left alone, and no meaning is in
//            the exceptions that are raised. NaN results are quiet.
//   ends     results for zeros, infinities and at poles are those of C23, Annex F; they stand at each function.
//
// Method: a table and a Taylor polynomial in double; the result is returned if all values within its error round alike
// (A. Ziv, "Fast evaluation of elementary mathematical functions with correctly rounded last bit", 1991), otherwise
// the same in double-double, which all arguments of one float settle. Tables are computed by the compiler or at the
// first call. P. T. P. Tang, "Table-driven implementation of the exponential function in IEEE floating-point
// arithmetic" (1989), and the same for the logarithm (1990), describe the scheme.
#pragma once

namespace assay::functions {

// e^x, 2^x, 10^x. f(-inf) = +0, f(+inf) = +inf, f(±0) = 1.
float exp(float x);
double exp(double x);
float exp2(float x);
double exp2(double x);
float exp10(float x);
double exp10(double x);
// e^x - 1. f(±0) = ±0, f(-inf) = -1, f(+inf) = +inf.
float expm1(float x);
double expm1(double x);

// Logarithms to the bases e, 2 and 10. f(±0) = -inf, f(1) = +0, f(+inf) = +inf, f(x < 0) = NaN.
float log(float x);
double log(double x);
float log2(float x);
double log2(double x);
float log10(float x);
double log10(double x);
// log(1 + x). f(±0) = ±0, f(-1) = -inf, f(+inf) = +inf, f(x < -1) = NaN.
float log1p(float x);
double log1p(double x);

// Of an angle in radians, of any size. sin(±0) = tan(±0) = ±0, cos(±0) = 1; f(±inf) = NaN.
float sin(float x);
double sin(double x);
float cos(float x);
double cos(double x);
float tan(float x);
double tan(double x);
// sin(pi x): ±0 for ±0 and for integers, with the sign of x. cos(pi x): +0 for n + 1/2. f(±inf) = NaN.
float sinpi(float x);
double sinpi(double x);
float cospi(float x);
double cospi(double x);

// asin(±0) = ±0, acos(1) = +0, atan(±0) = ±0, atan(±inf) = ±pi/2; asin and acos of |x| > 1 are NaN.
float asin(float x);
double asin(double x);
float acos(float x);
double acos(double x);
float atan(float x);
double atan(double x);
// The angle of the point (x, y), from -pi to pi, with the sign of y: ±0 for y = ±0 and x >= +0, ±pi for y = ±0 and x
// <= -0; ±pi/2 for x = ±0 or y = ±inf, x finite; ±pi/4 and ±3 pi/4 for two infinities.
float atan2(float y, float x);
double atan2(double y, double x);

// sinh, tanh: f(±0) = ±0; sinh(±inf) = ±inf, tanh(±inf) = ±1; cosh(±0) = 1, cosh(±inf) = +inf.
float sinh(float x);
double sinh(double x);
float cosh(float x);
double cosh(double x);
float tanh(float x);
double tanh(double x);
// asinh(±0) = ±0, asinh(±inf) = ±inf; acosh(1) = +0, acosh(+inf) = +inf, acosh(x < 1) = NaN; atanh(±0) = ±0, atanh(±1)
// = ±inf, atanh(|x| > 1) = NaN.
float asinh(float x);
double asinh(double x);
float acosh(float x);
double acosh(double x);
float atanh(float x);
double atanh(double x);

// x^(-1/2): f(±0) = ±inf, f(+inf) = +0, f(x < 0) = NaN. x^(1/3): f(±0) = ±0, f(±inf) = ±inf. x^(-1/3): f(±0) = ±inf,
// f(±inf) = ±0.
float rsqrt(float x);
double rsqrt(double x);
float cbrt(float x);
double cbrt(double x);
float rcbrt(float x);
double rcbrt(double x);

// 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x: f(±0) = ±0, f(±inf) = ±1; and 1 - erf(x): f(-inf) = 2,
// f(+inf) = +0.
float erf(float x);
double erf(double x);
float erfc(float x);
double erfc(double x);

// 1 / (1 + e^-x): f(±0) = 1/2, f(-inf) = +0, f(+inf) = 1.
float sigmoid(float x);
double sigmoid(double x);

// x^y. 1 for y = ±0 or x = 1, any other argument NaN or not; NaN for finite x < 0 and y no integer. C23, F.10.4.5
// lists the results for zeros and infinities, which hold here.
float pow(float x, float y);
double pow(double x, double y);

// sqrt(x^2 + y^2), without overflow on the way; +inf if one argument is infinite and the other is NaN.
float hypot(float x, float y);
double hypot(double x, double y);

// x - n y, exactly: fmod has |n| = |x / y| rounded towards zero and the sign of x; remainder has n = x / y rounded to
// nearest even, and a zero has the sign of x. x for infinite y; NaN for infinite x and for y = 0. remquo also gives n:
// its sign and its low three bits.
float fmod(float x, float y);
double fmod(double x, double y);
float remainder(float x, float y);
double remainder(double x, double y);
float remquo(float x, float y, int* n);
double remquo(double x, double y, int* n);

// An unevaluated sum, |lo| at most half a unit of hi's last place.
struct DoubleDouble {
  double hi, lo;
};

// Values with a relative error below 2^-90 for finite arguments inside the domain, neither poles nor points where the
// result overflows or is below 2^-900. Slow: some hundred nanoseconds.
namespace wide {
DoubleDouble exp(double x);
DoubleDouble exp2(double x);
DoubleDouble exp10(double x);
DoubleDouble expm1(double x);
DoubleDouble log(double x);
DoubleDouble log2(double x);
DoubleDouble log10(double x);
DoubleDouble log1p(double x);
DoubleDouble sin(double x);
DoubleDouble cos(double x);
DoubleDouble tan(double x);
DoubleDouble sinpi(double x);
DoubleDouble cospi(double x);
DoubleDouble asin(double x);
DoubleDouble acos(double x);
DoubleDouble atan(double x);
DoubleDouble sinh(double x);
DoubleDouble cosh(double x);
DoubleDouble tanh(double x);
DoubleDouble asinh(double x);
DoubleDouble acosh(double x);
DoubleDouble atanh(double x);
DoubleDouble rsqrt(double x);
DoubleDouble cbrt(double x);
DoubleDouble rcbrt(double x);
DoubleDouble erf(double x);
DoubleDouble erfc(double x);
DoubleDouble sigmoid(double x);
}  // namespace wide

// The last resort of pow and atan2, as it would decide for every result: same values, slowly. For finite arguments, x
// > 0 in pow, x and y not zero in atan2.
namespace by_comparison {
float pow(float x, float y);
float atan2(float y, float x);
}  // namespace by_comparison

}  // namespace assay::functions
