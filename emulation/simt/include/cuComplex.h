// CUDA's complex numbers. The formulas are the documented ones, rounded operation by operation: a GPU's compiler may
// fuse their products and sums unless it is told -fmad=false.
#pragma once

#include <cmath>

#include "emulation/simt/include/vector_types.h"

using cuFloatComplex = float2;
using cuDoubleComplex = double2;
using cuComplex = cuFloatComplex;

namespace assay_simt {

// Scaled, so that nothing overflows or vanishes in between.
template <class C, class T>
C complex_quotient(C x, C y, T one) {
  const T scale = one / (std::fabs(y.x) + std::fabs(y.y));
  const T xr = x.x * scale, xi = x.y * scale, yr = y.x * scale, yi = y.y * scale;
  const T reciprocal = one / ((yr * yr) + (yi * yi));
  return {((xr * yr) + (xi * yi)) * reciprocal, ((xi * yr) - (xr * yi)) * reciprocal};
}
template <class C, class T>
T complex_length(C x, T one, T huge) {
  const T a = std::fabs(x.x), b = std::fabs(x.y);
  const T v = a > b ? a : b, w = a > b ? b : a;
  const T ratio = w / v;
  const T length = v * std::sqrt(one + ratio * ratio);
  return v == 0 || v > huge || w > huge ? v + w : length;
}

}  // namespace assay_simt

#define ASSAY_COMPLEX(f, C, T, Name, huge)                                                        \
  inline T cuCreal##f(C x) { return x.x; }                                                        \
  inline T cuCimag##f(C x) { return x.y; }                                                        \
  inline C make_##Name(T r, T i) { return {r, i}; }                                               \
  inline C cuConj##f(C x) { return {x.x, -x.y}; }                                                 \
  inline C cuCadd##f(C x, C y) { return {x.x + y.x, x.y + y.y}; }                                 \
  inline C cuCsub##f(C x, C y) { return {x.x - y.x, x.y - y.y}; }                                 \
  inline C cuCmul##f(C x, C y) { return {(x.x * y.x) - (x.y * y.y), (x.x * y.y) + (x.y * y.x)}; } \
  inline C cuCdiv##f(C x, C y) { return assay_simt::complex_quotient(x, y, T{1}); }               \
  inline T cuCabs##f(C x) { return assay_simt::complex_length(x, T{1}, T{huge}); }                \
  /* x y + d, products of the real part of x first. */                                            \
  inline C cuCfma##f(C x, C y, C d) {                                                             \
    return {-(x.y * y.y) + ((x.x * y.x) + d.x), (x.y * y.x) + ((x.x * y.y) + d.y)};               \
  }
ASSAY_COMPLEX(f, cuFloatComplex, float, cuFloatComplex, 3.402823466e38F)
ASSAY_COMPLEX(, cuDoubleComplex, double, cuDoubleComplex, 1.79769313486231570e+308)
#undef ASSAY_COMPLEX
inline cuComplex make_cuComplex(float r, float i) { return {r, i}; }
inline cuDoubleComplex cuComplexFloatToDouble(cuFloatComplex c) {
  return {static_cast<double>(c.x), static_cast<double>(c.y)};
}
inline cuFloatComplex cuComplexDoubleToFloat(cuDoubleComplex c) {
  return {static_cast<float>(c.x), static_cast<float>(c.y)};
}
