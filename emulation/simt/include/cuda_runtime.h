// CUDA's own header, for CUDA programs that run on the CPU: qualifiers, built-in variables, device functions and the
// runtime API. What is not here is not part of the dialect, and a program that uses it does not compile.
#pragma once

#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "emulation/simt/include/vector_types.h"

#define __global__
#define __host__
#define __device__
#define __constant__ static
#define __managed__
#define __shared__ static thread_local
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __restrict__ __restrict
#define CUDART_VERSION 13000
#define CUDART_CB
// Headers of programs ask whether CUDA's own were included.
#define __CUDA_RUNTIME_H__
#define __CUDA_RUNTIME_API_H__
#define __DRIVER_TYPES_H__
#define __VECTOR_TYPES_H__
#define __VECTOR_FUNCTIONS_H__
#define __HOST_DEFINES_H__
// Thrust's algorithms on device memory run as host code (thrust/system/cpp/memory_resource.h beside this file).
#ifndef THRUST_DEVICE_SYSTEM
#define THRUST_DEVICE_SYSTEM 4  // THRUST_DEVICE_SYSTEM_CPP
#endif

constexpr int warpSize = 32;

#include "emulation/simt/include/assay_ptx.h"
#include "emulation/simt/include/assay_simt.h"
#include "emulation/simt/include/cuda_launch.h"
#include "emulation/simt/include/cuda_runtime_api.h"
#include "emulation/simt/include/device_functions.h"
#include "emulation/simt/include/nv_atomic_functions.h"
