// CUDA's type of four bits: __nv_fp4_e2m1, its pair in a byte, its quadruple, and the conversions __nv_cvt_*.
// Conversions are rounded once and saturate.
#pragma once

#include "emulation/simt/include/assay_rounding.h"
#include "emulation/simt/include/assay_small_floats.h"
#include "emulation/simt/include/cuda_bf16.h"
#include "emulation/simt/include/cuda_fp16.h"

#define __CUDA_FP4_H__
#define __CUDA_FP4_HPP__
#define __CUDA_FP4_TYPES_EXIST__

using __nv_fp4_storage_t = unsigned char;
using __nv_fp4x2_storage_t = unsigned char;
using __nv_fp4x4_storage_t = unsigned short;

enum __nv_fp4_interpretation_t { __NV_E2M1 };

inline __nv_fp4_storage_t __nv_cvt_double_to_fp4(double x, __nv_fp4_interpretation_t,
                                                 cudaRoundMode rounding) {
  return assay_simt::E2M1::encode(x, true, assay_simt::round_of(rounding));
}
inline __half_raw __nv_cvt_fp4_to_halfraw(__nv_fp4_storage_t x, __nv_fp4_interpretation_t) {
  return __float2half_rn(assay_simt::E2M1::to_float(x));
}
inline __nv_fp4_storage_t __nv_cvt_float_to_fp4(float x, __nv_fp4_interpretation_t format,
                                                cudaRoundMode rounding) {
  return __nv_cvt_double_to_fp4(static_cast<double>(assay_simt::canonical(x)), format, rounding);
}
inline __nv_fp4x2_storage_t __nv_cvt_float2_to_fp4x2(float2 x, __nv_fp4_interpretation_t format,
                                                     cudaRoundMode rounding) {
  return static_cast<__nv_fp4x2_storage_t>(__nv_cvt_float_to_fp4(x.x, format, rounding) |
                                           __nv_cvt_float_to_fp4(x.y, format, rounding) << 4);
}
inline __nv_fp4_storage_t __nv_cvt_halfraw_to_fp4(__half_raw x, __nv_fp4_interpretation_t format,
                                                  cudaRoundMode rounding) {
  return __nv_cvt_double_to_fp4(static_cast<double>(assay_simt::Half::to_float(x.x)), format, rounding);
}
inline __nv_fp4x2_storage_t __nv_cvt_halfraw2_to_fp4x2(__half2_raw x, __nv_fp4_interpretation_t format,
                                                       cudaRoundMode rounding) {
  return static_cast<__nv_fp4x2_storage_t>(__nv_cvt_halfraw_to_fp4(__half_raw{x.x}, format, rounding) |
                                           __nv_cvt_halfraw_to_fp4(__half_raw{x.y}, format, rounding) << 4);
}
inline __nv_fp4_storage_t __nv_cvt_bfloat16raw_to_fp4(__nv_bfloat16_raw x, __nv_fp4_interpretation_t format,
                                                      cudaRoundMode rounding) {
  return __nv_cvt_double_to_fp4(
      static_cast<double>(assay_simt::canonical(assay_simt::BFloat16::to_float(x.x))), format, rounding);
}
inline __nv_fp4x2_storage_t __nv_cvt_bfloat16raw2_to_fp4x2(__nv_bfloat162_raw x,
                                                           __nv_fp4_interpretation_t format,
                                                           cudaRoundMode rounding) {
  return static_cast<__nv_fp4x2_storage_t>(
      __nv_cvt_bfloat16raw_to_fp4(__nv_bfloat16_raw{x.x}, format, rounding) |
      __nv_cvt_bfloat16raw_to_fp4(__nv_bfloat16_raw{x.y}, format, rounding) << 4);
}
inline __nv_fp4x2_storage_t __nv_cvt_double2_to_fp4x2(double2 x, __nv_fp4_interpretation_t format,
                                                      cudaRoundMode rounding) {
  return static_cast<__nv_fp4x2_storage_t>(__nv_cvt_double_to_fp4(x.x, format, rounding) |
                                           __nv_cvt_double_to_fp4(x.y, format, rounding) << 4);
}
inline __half2_raw __nv_cvt_fp4x2_to_halfraw2(__nv_fp4x2_storage_t x, __nv_fp4_interpretation_t format) {
  return {__nv_cvt_fp4_to_halfraw(static_cast<__nv_fp4_storage_t>(x & 0xFU), format).x,
          __nv_cvt_fp4_to_halfraw(static_cast<__nv_fp4_storage_t>(x >> 4), format).x};
}

#define ASSAY_BITS 4
#define ASSAY_S __nv_fp4_storage_t
#define ASSAY_S2 __nv_fp4x2_storage_t
#define ASSAY_S4 __nv_fp4x4_storage_t
#define ASSAY_FORMAT assay_simt::E2M1
#define ASSAY_T __nv_fp4_e2m1
#define ASSAY_T2 __nv_fp4x2_e2m1
#define ASSAY_T4 __nv_fp4x4_e2m1
#include "emulation/simt/include/assay_small_float.def"
#undef ASSAY_S4
#undef ASSAY_S2
#undef ASSAY_S
#undef ASSAY_BITS
