// CUDA's half precision: __half, __half2, their conversions, arithmetic, comparisons and functions.
//
// Conversions and arithmetic are rounded once and give the hardware's bits; the one NaN of results is 0x7FFF. Functions
// such as hexp are the host's of doubles, rounded to half. The approximate htanh_approx is htanh.
#pragma once

#include <type_traits>

#include "emulation/simt/include/assay_narrow.h"
#include "emulation/simt/include/device_functions.h"
#include "emulation/simt/include/vector_types.h"

#define __CUDA_FP16_H__
#define __CUDA_FP16_HPP__
#define __CUDA_FP16_TYPES_EXIST__

#ifndef __CUDA_NO_HALF_OPERATORS__
#define ASSAY_OPERATORS 1
#endif
#ifndef __CUDA_NO_HALF2_OPERATORS__
#define ASSAY_OPERATORS2 1
#endif
#ifndef __CUDA_NO_HALF_CONVERSIONS__
#define ASSAY_CONVERSIONS 1
#define ASSAY_CONVERSIONS_OF_OTHER 1
#endif
struct __nv_bfloat16;
#define ASSAY_OTHER __nv_bfloat16
#define ASSAY_FORMAT Half
#define ASSAY_T __half
#define ASSAY_T2 __half2
#define ASSAY_NAME half
#define ASSAY_NAME2 half2
#include "emulation/simt/include/assay_float16.def"
#undef ASSAY_OTHER

#ifndef CUDA_NO_HALF
using half = __half;
using half2 = __half2;
using __nv_half = __half;
using __nv_half2 = __half2;
using __nv_half_raw = __half_raw;
using __nv_half2_raw = __half2_raw;
using nv_half = __half;
using nv_half2 = __half2;
#endif

#define CUDART_INF_FP16 __ushort_as_half(static_cast<unsigned short>(0x7C00U))
#define CUDART_NAN_FP16 __ushort_as_half(static_cast<unsigned short>(0x7FFFU))
#define CUDART_MIN_DENORM_FP16 __ushort_as_half(static_cast<unsigned short>(0x0001U))
#define CUDART_MAX_NORMAL_FP16 __ushort_as_half(static_cast<unsigned short>(0x7BFFU))
#define CUDART_NEG_ZERO_FP16 __ushort_as_half(static_cast<unsigned short>(0x8000U))
#define CUDART_ZERO_FP16 __ushort_as_half(static_cast<unsigned short>(0x0000U))
#define CUDART_ONE_FP16 __ushort_as_half(static_cast<unsigned short>(0x3C00U))
