// Functions of the C library as CUDA programs have them here: in place of the host's for every program that is linked
// with this, host code included. Those of float are correctly rounded (reference/exact/functions.hpp), so a program has
// the same bits on every host; those of double stay the host's.
#include <cmath>

#include "emulation/simt/block.hpp"
#include "emulation/simt/include/math_functions.h"
#include "reference/exact/functions.hpp"

namespace {

template <class T>
T minimum_number(T a, T b) {
  if (a != a) return b != b ? assay_simt::canonical(b) : b;
  return a < b || b != b || (a == b && std::signbit(a)) ? a : b;
}
template <class T>
T maximum_number(T a, T b) {
  if (a != a) return b != b ? assay_simt::canonical(b) : b;
  return a > b || b != b || (a == b && !std::signbit(a)) ? a : b;
}

}  // namespace

namespace functions = assay::functions;

extern "C" {

// The C library may return either zero, and leaves the sign of a NaN open. These are what IEEE 754-2019 calls
// minimumNumber and maximumNumber, as on the hardware.
float fminf(float a, float b) noexcept { return minimum_number(a, b); }
float fmaxf(float a, float b) noexcept { return maximum_number(a, b); }
double fmin(double a, double b) noexcept { return minimum_number(a, b); }
double fmax(double a, double b) noexcept { return maximum_number(a, b); }

#define ASSAY_SIMT_UNARY(name) \
  float name##f(float x) noexcept { return functions::name(x); }
ASSAY_SIMT_UNARY(exp)
ASSAY_SIMT_UNARY(exp2)
ASSAY_SIMT_UNARY(exp10)
ASSAY_SIMT_UNARY(expm1)
ASSAY_SIMT_UNARY(log)
ASSAY_SIMT_UNARY(log2)
ASSAY_SIMT_UNARY(log10)
ASSAY_SIMT_UNARY(log1p)
ASSAY_SIMT_UNARY(sin)
ASSAY_SIMT_UNARY(cos)
ASSAY_SIMT_UNARY(tan)
ASSAY_SIMT_UNARY(asin)
ASSAY_SIMT_UNARY(acos)
ASSAY_SIMT_UNARY(atan)
ASSAY_SIMT_UNARY(sinh)
ASSAY_SIMT_UNARY(cosh)
ASSAY_SIMT_UNARY(tanh)
ASSAY_SIMT_UNARY(asinh)
ASSAY_SIMT_UNARY(acosh)
ASSAY_SIMT_UNARY(atanh)
ASSAY_SIMT_UNARY(cbrt)
ASSAY_SIMT_UNARY(erf)
ASSAY_SIMT_UNARY(erfc)
#undef ASSAY_SIMT_UNARY
float powf(float x, float y) noexcept { return functions::pow(x, y); }
float atan2f(float y, float x) noexcept { return functions::atan2(y, x); }
float hypotf(float x, float y) noexcept { return functions::hypot(x, y); }
void sincosf(float x, float* sine, float* cosine) noexcept {
  *sine = functions::sin(x);
  *cosine = functions::cos(x);
}

}  // extern "C"
