// CUDA's types of eight bits: __nv_fp8_e4m3, __nv_fp8_e5m2, their pairs and quadruples, and the conversions __nv_cvt_*.
//
// Conversions are rounded once, and give the hardware's bits. Not here: conversions of the scales __nv_fp8_e8m0 from
// integers, to integers, and to __half.
#pragma once

#include <cassert>

#include "emulation/simt/include/assay_rounding.h"
#include "emulation/simt/include/assay_small_floats.h"
#include "emulation/simt/include/cuda_bf16.h"
#include "emulation/simt/include/cuda_fp16.h"

#define __CUDA_FP8_H__
#define __CUDA_FP8_HPP__
#define __CUDA_FP8_TYPES_EXIST__

using __nv_fp8_storage_t = unsigned char;
using __nv_fp8x2_storage_t = unsigned short;
using __nv_fp8x4_storage_t = unsigned int;

enum __nv_saturation_t { __NV_NOSAT, __NV_SATFINITE };
enum __nv_fp8_interpretation_t { __NV_E4M3, __NV_E5M2 };

inline __nv_fp8_storage_t __nv_cvt_double_to_fp8(double x, __nv_saturation_t saturate,
                                                 __nv_fp8_interpretation_t format) {
  return format == __NV_E4M3 ? assay_simt::E4M3::encode(x, saturate == __NV_SATFINITE)
                             : assay_simt::E5M2::encode(x, saturate == __NV_SATFINITE);
}
inline __half_raw __nv_cvt_fp8_to_halfraw(__nv_fp8_storage_t x, __nv_fp8_interpretation_t format) {
  return __float2half_rn(format == __NV_E4M3 ? assay_simt::E4M3::to_float(x) : assay_simt::E5M2::to_float(x));
}
inline __nv_fp8_storage_t __nv_cvt_float_to_fp8(float x, __nv_saturation_t saturate,
                                                __nv_fp8_interpretation_t format) {
  return __nv_cvt_double_to_fp8(static_cast<double>(assay_simt::canonical(x)), saturate, format);
}
inline __nv_fp8x2_storage_t __nv_cvt_float2_to_fp8x2(float2 x, __nv_saturation_t saturate,
                                                     __nv_fp8_interpretation_t format) {
  return static_cast<__nv_fp8x2_storage_t>(__nv_cvt_float_to_fp8(x.x, saturate, format) |
                                           __nv_cvt_float_to_fp8(x.y, saturate, format) << 8);
}
inline __nv_fp8_storage_t __nv_cvt_halfraw_to_fp8(__half_raw x, __nv_saturation_t saturate,
                                                  __nv_fp8_interpretation_t format) {
  return __nv_cvt_double_to_fp8(static_cast<double>(assay_simt::Half::to_float(x.x)), saturate, format);
}
inline __nv_fp8x2_storage_t __nv_cvt_halfraw2_to_fp8x2(__half2_raw x, __nv_saturation_t saturate,
                                                       __nv_fp8_interpretation_t format) {
  return static_cast<__nv_fp8x2_storage_t>(__nv_cvt_halfraw_to_fp8(__half_raw{x.x}, saturate, format) |
                                           __nv_cvt_halfraw_to_fp8(__half_raw{x.y}, saturate, format) << 8);
}
inline __nv_fp8_storage_t __nv_cvt_bfloat16raw_to_fp8(__nv_bfloat16_raw x, __nv_saturation_t saturate,
                                                      __nv_fp8_interpretation_t format) {
  return __nv_cvt_double_to_fp8(
      static_cast<double>(assay_simt::canonical(assay_simt::BFloat16::to_float(x.x))), saturate, format);
}
inline __nv_fp8x2_storage_t __nv_cvt_bfloat16raw2_to_fp8x2(__nv_bfloat162_raw x, __nv_saturation_t saturate,
                                                           __nv_fp8_interpretation_t format) {
  return static_cast<__nv_fp8x2_storage_t>(
      __nv_cvt_bfloat16raw_to_fp8(__nv_bfloat16_raw{x.x}, saturate, format) |
      __nv_cvt_bfloat16raw_to_fp8(__nv_bfloat16_raw{x.y}, saturate, format) << 8);
}
inline __nv_fp8x2_storage_t __nv_cvt_double2_to_fp8x2(double2 x, __nv_saturation_t saturate,
                                                      __nv_fp8_interpretation_t format) {
  return static_cast<__nv_fp8x2_storage_t>(__nv_cvt_double_to_fp8(x.x, saturate, format) |
                                           __nv_cvt_double_to_fp8(x.y, saturate, format) << 8);
}
inline __half2_raw __nv_cvt_fp8x2_to_halfraw2(__nv_fp8x2_storage_t x, __nv_fp8_interpretation_t format) {
  return {__nv_cvt_fp8_to_halfraw(static_cast<__nv_fp8_storage_t>(x), format).x,
          __nv_cvt_fp8_to_halfraw(static_cast<__nv_fp8_storage_t>(x >> 8), format).x};
}

// --- scales ----------------------------------------------------------------------------------------------------------

// Rounded toward zero or up, as CUDA demands.
inline __nv_fp8_storage_t __nv_cvt_double_to_e8m0(double x, __nv_saturation_t saturate,
                                                  cudaRoundMode rounding) {
  assert(rounding == cudaRoundZero || rounding == cudaRoundPosInf);
  return assay_simt::E8M0::encode(x, saturate == __NV_SATFINITE, rounding == cudaRoundPosInf);
}
inline __nv_fp8_storage_t __nv_cvt_float_to_e8m0(float x, __nv_saturation_t saturate,
                                                 cudaRoundMode rounding) {
  return __nv_cvt_double_to_e8m0(static_cast<double>(x), saturate, rounding);
}
inline __nv_fp8_storage_t __nv_cvt_bfloat16raw_to_e8m0(__nv_bfloat16_raw x, __nv_saturation_t saturate,
                                                       cudaRoundMode rounding) {
  return __nv_cvt_float_to_e8m0(assay_simt::BFloat16::to_float(x.x), saturate, rounding);
}
inline __nv_fp8x2_storage_t __nv_cvt_double2_to_e8m0x2(double2 x, __nv_saturation_t saturate,
                                                       cudaRoundMode rounding) {
  return static_cast<__nv_fp8x2_storage_t>(__nv_cvt_double_to_e8m0(x.x, saturate, rounding) |
                                           __nv_cvt_double_to_e8m0(x.y, saturate, rounding) << 8);
}
inline __nv_fp8x2_storage_t __nv_cvt_float2_to_e8m0x2(float2 x, __nv_saturation_t saturate,
                                                      cudaRoundMode rounding) {
  return __nv_cvt_double2_to_e8m0x2({static_cast<double>(x.x), static_cast<double>(x.y)}, saturate, rounding);
}
inline __nv_fp8x2_storage_t __nv_cvt_bfloat162raw_to_e8m0x2(__nv_bfloat162_raw x, __nv_saturation_t saturate,
                                                            cudaRoundMode rounding) {
  return __nv_cvt_float2_to_e8m0x2({assay_simt::BFloat16::to_float(x.x), assay_simt::BFloat16::to_float(x.y)},
                                   saturate, rounding);
}
inline __nv_bfloat16_raw __nv_cvt_e8m0_to_bf16raw(__nv_fp8_storage_t x) {
  return {static_cast<unsigned short>(x == 0xFF ? 0x7FFF : x == 0 ? 0x0040 : x << 7)};
}
inline __nv_bfloat162_raw __nv_cvt_e8m0x2_to_bf162raw(__nv_fp8x2_storage_t x) {
  return {__nv_cvt_e8m0_to_bf16raw(static_cast<__nv_fp8_storage_t>(x)).x,
          __nv_cvt_e8m0_to_bf16raw(static_cast<__nv_fp8_storage_t>(x >> 8)).x};
}

struct __nv_fp8_e8m0 {
  __nv_fp8_storage_t __x;
  __nv_fp8_e8m0() = default;
  explicit __nv_fp8_e8m0(double x) : __x(assay_simt::E8M0::encode(x, true, true)) {}
  explicit __nv_fp8_e8m0(float x) : __nv_fp8_e8m0(static_cast<double>(x)) {}
  explicit __nv_fp8_e8m0(__half x) : __nv_fp8_e8m0(assay_simt::value_of(x)) {}
  explicit __nv_fp8_e8m0(__nv_bfloat16 x) : __nv_fp8_e8m0(assay_simt::value_of(x)) {}
  explicit operator __nv_bfloat16() const { return __nv_cvt_e8m0_to_bf16raw(__x); }
  explicit operator float() const {
    return __x == 0xFF ? std::bit_cast<float>(0x7FFFFFFFU)
                       : assay_simt::BFloat16::to_float(__nv_cvt_e8m0_to_bf16raw(__x).x);
  }
  explicit operator double() const { return static_cast<double>(static_cast<float>(*this)); }
};

#define ASSAY_BITS 8
#define ASSAY_S __nv_fp8_storage_t
#define ASSAY_S2 __nv_fp8x2_storage_t
#define ASSAY_S4 __nv_fp8x4_storage_t
#define ASSAY_FORMAT assay_simt::E4M3
#define ASSAY_T __nv_fp8_e4m3
#define ASSAY_T2 __nv_fp8x2_e4m3
#define ASSAY_T4 __nv_fp8x4_e4m3
#include "emulation/simt/include/assay_small_float.def"
#define ASSAY_FORMAT assay_simt::E5M2
#define ASSAY_T __nv_fp8_e5m2
#define ASSAY_T2 __nv_fp8x2_e5m2
#define ASSAY_T4 __nv_fp8x4_e5m2
#include "emulation/simt/include/assay_small_float.def"
#undef ASSAY_S4
#undef ASSAY_S2
#undef ASSAY_S
#undef ASSAY_BITS
