// CUDA's types of six bits: __nv_fp6_e2m3, __nv_fp6_e3m2, their pairs and quadruples, and the conversions __nv_cvt_*.
// Each element lies in a byte of its own. Conversions are rounded once and saturate.
#pragma once

#include "emulation/simt/include/assay_rounding.h"
#include "emulation/simt/include/assay_small_floats.h"
#include "emulation/simt/include/cuda_bf16.h"
#include "emulation/simt/include/cuda_fp16.h"

#define __CUDA_FP6_H__
#define __CUDA_FP6_HPP__
#define __CUDA_FP6_TYPES_EXIST__

using __nv_fp6_storage_t = unsigned char;
using __nv_fp6x2_storage_t = unsigned short;
using __nv_fp6x4_storage_t = unsigned int;

enum __nv_fp6_interpretation_t { __NV_E2M3, __NV_E3M2 };

inline __nv_fp6_storage_t __nv_cvt_double_to_fp6(double x, __nv_fp6_interpretation_t format,
                                                 cudaRoundMode rounding) {
  const assay_simt::Round round = assay_simt::round_of(rounding);
  return format == __NV_E2M3 ? assay_simt::E2M3::encode(x, true, round)
                             : assay_simt::E3M2::encode(x, true, round);
}
inline __half_raw __nv_cvt_fp6_to_halfraw(__nv_fp6_storage_t x, __nv_fp6_interpretation_t format) {
  return __float2half_rn(format == __NV_E2M3 ? assay_simt::E2M3::to_float(x) : assay_simt::E3M2::to_float(x));
}
inline __nv_fp6_storage_t __nv_cvt_float_to_fp6(float x, __nv_fp6_interpretation_t format,
                                                cudaRoundMode rounding) {
  return __nv_cvt_double_to_fp6(static_cast<double>(assay_simt::canonical(x)), format, rounding);
}
inline __nv_fp6x2_storage_t __nv_cvt_float2_to_fp6x2(float2 x, __nv_fp6_interpretation_t format,
                                                     cudaRoundMode rounding) {
  return static_cast<__nv_fp6x2_storage_t>(__nv_cvt_float_to_fp6(x.x, format, rounding) |
                                           __nv_cvt_float_to_fp6(x.y, format, rounding) << 8);
}
inline __nv_fp6_storage_t __nv_cvt_halfraw_to_fp6(__half_raw x, __nv_fp6_interpretation_t format,
                                                  cudaRoundMode rounding) {
  return __nv_cvt_double_to_fp6(static_cast<double>(assay_simt::Half::to_float(x.x)), format, rounding);
}
inline __nv_fp6x2_storage_t __nv_cvt_halfraw2_to_fp6x2(__half2_raw x, __nv_fp6_interpretation_t format,
                                                       cudaRoundMode rounding) {
  return static_cast<__nv_fp6x2_storage_t>(__nv_cvt_halfraw_to_fp6(__half_raw{x.x}, format, rounding) |
                                           __nv_cvt_halfraw_to_fp6(__half_raw{x.y}, format, rounding) << 8);
}
inline __nv_fp6_storage_t __nv_cvt_bfloat16raw_to_fp6(__nv_bfloat16_raw x, __nv_fp6_interpretation_t format,
                                                      cudaRoundMode rounding) {
  return __nv_cvt_double_to_fp6(
      static_cast<double>(assay_simt::canonical(assay_simt::BFloat16::to_float(x.x))), format, rounding);
}
inline __nv_fp6x2_storage_t __nv_cvt_bfloat16raw2_to_fp6x2(__nv_bfloat162_raw x,
                                                           __nv_fp6_interpretation_t format,
                                                           cudaRoundMode rounding) {
  return static_cast<__nv_fp6x2_storage_t>(
      __nv_cvt_bfloat16raw_to_fp6(__nv_bfloat16_raw{x.x}, format, rounding) |
      __nv_cvt_bfloat16raw_to_fp6(__nv_bfloat16_raw{x.y}, format, rounding) << 8);
}
inline __nv_fp6x2_storage_t __nv_cvt_double2_to_fp6x2(double2 x, __nv_fp6_interpretation_t format,
                                                      cudaRoundMode rounding) {
  return static_cast<__nv_fp6x2_storage_t>(__nv_cvt_double_to_fp6(x.x, format, rounding) |
                                           __nv_cvt_double_to_fp6(x.y, format, rounding) << 8);
}
inline __half2_raw __nv_cvt_fp6x2_to_halfraw2(__nv_fp6x2_storage_t x, __nv_fp6_interpretation_t format) {
  return {__nv_cvt_fp6_to_halfraw(static_cast<__nv_fp6_storage_t>(x), format).x,
          __nv_cvt_fp6_to_halfraw(static_cast<__nv_fp6_storage_t>(x >> 8), format).x};
}

#define ASSAY_BITS 8
#define ASSAY_S __nv_fp6_storage_t
#define ASSAY_S2 __nv_fp6x2_storage_t
#define ASSAY_S4 __nv_fp6x4_storage_t
#define ASSAY_FORMAT assay_simt::E2M3
#define ASSAY_T __nv_fp6_e2m3
#define ASSAY_T2 __nv_fp6x2_e2m3
#define ASSAY_T4 __nv_fp6x4_e2m3
#include "emulation/simt/include/assay_small_float.def"
#define ASSAY_FORMAT assay_simt::E3M2
#define ASSAY_T __nv_fp6_e3m2
#define ASSAY_T2 __nv_fp6x2_e3m2
#define ASSAY_T4 __nv_fp6x4_e3m2
#include "emulation/simt/include/assay_small_float.def"
#undef ASSAY_S4
#undef ASSAY_S2
#undef ASSAY_S
#undef ASSAY_BITS
