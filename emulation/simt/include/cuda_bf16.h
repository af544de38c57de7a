// CUDA's bfloat16: __nv_bfloat16, __nv_bfloat162, their conversions, arithmetic, comparisons and functions.
//
// Conversions and arithmetic are rounded once and give the hardware's bits; the one NaN of results is 0x7FFF, and a
// conversion to float keeps a NaN's bits. Functions such as hexp are the host's of doubles, rounded to bfloat16;
// the approximate htanh_approx is htanh.
#pragma once

#include "emulation/simt/include/cuda_fp16.h"

#define __CUDA_BF16_H__
#define __CUDA_BF16_HPP__
#define __CUDA_BF16_TYPES_EXIST__

#ifndef __CUDA_NO_BFLOAT16_OPERATORS__
#define ASSAY_OPERATORS 1
#endif
#ifndef __CUDA_NO_BFLOAT162_OPERATORS__
#define ASSAY_OPERATORS2 1
#endif
#ifndef __CUDA_NO_BFLOAT16_CONVERSIONS__
#define ASSAY_CONVERSIONS 1
#define ASSAY_CONVERSIONS_OF_OTHER 1
#endif
#define ASSAY_OTHER __half
#define ASSAY_FORMAT BFloat16
#define ASSAY_T __nv_bfloat16
#define ASSAY_T2 __nv_bfloat162
#define ASSAY_NAME bfloat16
#define ASSAY_NAME2 bfloat162
#include "emulation/simt/include/assay_float16.def"
#undef ASSAY_OTHER

#ifndef __CUDA_NO_BFLOAT16_CONVERSIONS__
constexpr __nv_bfloat16::__nv_bfloat16(__half x)
    : __x(assay_simt::BFloat16::from_float(assay_simt::value_of(x))) {}
#endif
#ifndef __CUDA_NO_HALF_CONVERSIONS__
constexpr __half::__half(__nv_bfloat16 x) : __x(assay_simt::Half::from_float(assay_simt::value_of(x))) {}
#endif

#ifndef CUDA_NO_BFLOAT16
using nv_bfloat16 = __nv_bfloat16;
using nv_bfloat162 = __nv_bfloat162;
#endif

#define CUDART_INF_BF16 __ushort_as_bfloat16(static_cast<unsigned short>(0x7F80U))
#define CUDART_NAN_BF16 __ushort_as_bfloat16(static_cast<unsigned short>(0x7FFFU))
#define CUDART_MIN_DENORM_BF16 __ushort_as_bfloat16(static_cast<unsigned short>(0x0001U))
#define CUDART_MAX_NORMAL_BF16 __ushort_as_bfloat16(static_cast<unsigned short>(0x7F7FU))
#define CUDART_NEG_ZERO_BF16 __ushort_as_bfloat16(static_cast<unsigned short>(0x8000U))
#define CUDART_ZERO_BF16 __ushort_as_bfloat16(static_cast<unsigned short>(0x0000U))
#define CUDART_ONE_BF16 __ushort_as_bfloat16(static_cast<unsigned short>(0x3F80U))
