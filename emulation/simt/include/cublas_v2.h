// A stand-in for cuBLAS, for programs that use it beside kernels of their own: handles, streams, modes and copies work.
// Products and all other arithmetic answer CUBLAS_STATUS_NOT_SUPPORTED and write nothing: cuBLAS does not say in which
// order it adds. Enumerations have cuBLAS's numbers.
#pragma once

#include <cstddef>

#include "emulation/simt/include/cuComplex.h"
#include "emulation/simt/include/cuda_bf16.h"
#include "emulation/simt/include/cuda_fp16.h"
#include "emulation/simt/include/cuda_runtime_api.h"
#include "emulation/simt/include/library_types.h"

// Headers of programs ask whether cuBLAS's own were included.
#define CUBLAS_API_H_
#define CUBLAS_V2_H_
#define CUBLAS_VER_MAJOR 13
#define CUBLAS_VER_MINOR 0
#define CUBLAS_VER_PATCH 0
#define CUBLAS_VERSION (CUBLAS_VER_MAJOR * 10000 + CUBLAS_VER_MINOR * 100 + CUBLAS_VER_PATCH)

enum cublasStatus_t {
  CUBLAS_STATUS_SUCCESS = 0,
  CUBLAS_STATUS_NOT_INITIALIZED = 1,
  CUBLAS_STATUS_ALLOC_FAILED = 3,
  CUBLAS_STATUS_INVALID_VALUE = 7,
  CUBLAS_STATUS_ARCH_MISMATCH = 8,
  CUBLAS_STATUS_MAPPING_ERROR = 11,
  CUBLAS_STATUS_EXECUTION_FAILED = 13,
  CUBLAS_STATUS_INTERNAL_ERROR = 14,
  CUBLAS_STATUS_NOT_SUPPORTED = 15,
  CUBLAS_STATUS_LICENSE_ERROR = 16
};
enum cublasFillMode_t { CUBLAS_FILL_MODE_LOWER, CUBLAS_FILL_MODE_UPPER, CUBLAS_FILL_MODE_FULL };
enum cublasDiagType_t { CUBLAS_DIAG_NON_UNIT, CUBLAS_DIAG_UNIT };
enum cublasSideMode_t { CUBLAS_SIDE_LEFT, CUBLAS_SIDE_RIGHT };
enum cublasOperation_t {
  CUBLAS_OP_N = 0,
  CUBLAS_OP_T = 1,
  CUBLAS_OP_C = 2,
  CUBLAS_OP_HERMITAN = 2,
  CUBLAS_OP_CONJG = 3
};
enum cublasPointerMode_t { CUBLAS_POINTER_MODE_HOST, CUBLAS_POINTER_MODE_DEVICE };
enum cublasAtomicsMode_t { CUBLAS_ATOMICS_NOT_ALLOWED, CUBLAS_ATOMICS_ALLOWED };
enum cublasGemmAlgo_t {
  CUBLAS_GEMM_DFALT = -1,
  CUBLAS_GEMM_DEFAULT = -1,
  CUBLAS_GEMM_ALGO0 = 0,
  CUBLAS_GEMM_ALGO1 = 1,
  CUBLAS_GEMM_ALGO2 = 2,
  CUBLAS_GEMM_ALGO3 = 3,
  CUBLAS_GEMM_ALGO4 = 4,
  CUBLAS_GEMM_ALGO5 = 5,
  CUBLAS_GEMM_ALGO6 = 6,
  CUBLAS_GEMM_ALGO7 = 7,
  CUBLAS_GEMM_ALGO8 = 8,
  CUBLAS_GEMM_ALGO9 = 9,
  CUBLAS_GEMM_ALGO10 = 10,
  CUBLAS_GEMM_ALGO11 = 11,
  CUBLAS_GEMM_ALGO12 = 12,
  CUBLAS_GEMM_ALGO13 = 13,
  CUBLAS_GEMM_ALGO14 = 14,
  CUBLAS_GEMM_ALGO15 = 15,
  CUBLAS_GEMM_ALGO16 = 16,
  CUBLAS_GEMM_ALGO17 = 17,
  CUBLAS_GEMM_ALGO18 = 18,
  CUBLAS_GEMM_ALGO19 = 19,
  CUBLAS_GEMM_ALGO20 = 20,
  CUBLAS_GEMM_ALGO21 = 21,
  CUBLAS_GEMM_ALGO22 = 22,
  CUBLAS_GEMM_ALGO23 = 23,
  CUBLAS_GEMM_DEFAULT_TENSOR_OP = 99,
  CUBLAS_GEMM_DFALT_TENSOR_OP = 99,
  CUBLAS_GEMM_ALGO0_TENSOR_OP = 100,
  CUBLAS_GEMM_ALGO1_TENSOR_OP = 101,
  CUBLAS_GEMM_ALGO2_TENSOR_OP = 102,
  CUBLAS_GEMM_ALGO3_TENSOR_OP = 103,
  CUBLAS_GEMM_ALGO4_TENSOR_OP = 104,
  CUBLAS_GEMM_ALGO5_TENSOR_OP = 105,
  CUBLAS_GEMM_ALGO6_TENSOR_OP = 106,
  CUBLAS_GEMM_ALGO7_TENSOR_OP = 107,
  CUBLAS_GEMM_ALGO8_TENSOR_OP = 108,
  CUBLAS_GEMM_ALGO9_TENSOR_OP = 109,
  CUBLAS_GEMM_ALGO10_TENSOR_OP = 110,
  CUBLAS_GEMM_ALGO11_TENSOR_OP = 111,
  CUBLAS_GEMM_ALGO12_TENSOR_OP = 112,
  CUBLAS_GEMM_ALGO13_TENSOR_OP = 113,
  CUBLAS_GEMM_ALGO14_TENSOR_OP = 114,
  CUBLAS_GEMM_ALGO15_TENSOR_OP = 115,
  CUBLAS_GEMM_AUTOTUNE = 999
};
enum cublasMath_t {
  CUBLAS_DEFAULT_MATH = 0,
  CUBLAS_TENSOR_OP_MATH = 1,
  CUBLAS_PEDANTIC_MATH = 2,
  CUBLAS_TF32_TENSOR_OP_MATH = 3,
  CUBLAS_FP32_EMULATED_BF16X9_MATH = 4,
  CUBLAS_FP64_EMULATED_FIXEDPOINT_MATH = 8,
  CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION = 16
};
enum cublasComputeType_t {
  CUBLAS_COMPUTE_16F = 64,
  CUBLAS_COMPUTE_16F_PEDANTIC = 65,
  CUBLAS_COMPUTE_32F = 68,
  CUBLAS_COMPUTE_32F_PEDANTIC = 69,
  CUBLAS_COMPUTE_64F = 70,
  CUBLAS_COMPUTE_64F_PEDANTIC = 71,
  CUBLAS_COMPUTE_32I = 72,
  CUBLAS_COMPUTE_32I_PEDANTIC = 73,
  CUBLAS_COMPUTE_32F_FAST_16F = 74,
  CUBLAS_COMPUTE_32F_FAST_16BF = 75,
  CUBLAS_COMPUTE_32F_FAST_TF32 = 77,
  CUBLAS_COMPUTE_32F_EMULATED_16BFX9 = 78,
  CUBLAS_COMPUTE_64F_EMULATED_FIXEDPOINT = 79
};
using cublasDataType_t = cudaDataType;

struct cublasContext {
  cudaStream_t stream = nullptr;
  cublasPointerMode_t pointers = CUBLAS_POINTER_MODE_HOST;
  cublasAtomicsMode_t atomics = CUBLAS_ATOMICS_NOT_ALLOWED;
  cublasMath_t math = CUBLAS_DEFAULT_MATH;
  int multiprocessors = 0;
};
using cublasHandle_t = cublasContext*;

inline cublasStatus_t cublasCreate(cublasHandle_t* handle) {
  if (handle == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  *handle = new cublasContext;
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasDestroy(cublasHandle_t handle) {
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasGetVersion(cublasHandle_t, int* version) {
  *version = CUBLAS_VERSION;
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void*, std::size_t) {
  return handle == nullptr ? CUBLAS_STATUS_NOT_INITIALIZED : CUBLAS_STATUS_SUCCESS;
}
#define ASSAY_SIMT_MEMBER(name, member, type)                                 \
  inline cublasStatus_t cublasSet##name(cublasHandle_t handle, type value) {  \
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;              \
    handle->member = value;                                                   \
    return CUBLAS_STATUS_SUCCESS;                                             \
  }                                                                           \
  inline cublasStatus_t cublasGet##name(cublasHandle_t handle, type* value) { \
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;              \
    if (value == nullptr) return CUBLAS_STATUS_INVALID_VALUE;                 \
    *value = handle->member;                                                  \
    return CUBLAS_STATUS_SUCCESS;                                             \
  }
ASSAY_SIMT_MEMBER(Stream, stream, cudaStream_t)
ASSAY_SIMT_MEMBER(PointerMode, pointers, cublasPointerMode_t)
ASSAY_SIMT_MEMBER(AtomicsMode, atomics, cublasAtomicsMode_t)
ASSAY_SIMT_MEMBER(MathMode, math, cublasMath_t)
ASSAY_SIMT_MEMBER(SmCountTarget, multiprocessors, int)
#undef ASSAY_SIMT_MEMBER

inline const char* cublasGetStatusName(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS: return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_ALLOC_FAILED: return "CUBLAS_STATUS_ALLOC_FAILED";
    case CUBLAS_STATUS_INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_ARCH_MISMATCH: return "CUBLAS_STATUS_ARCH_MISMATCH";
    case CUBLAS_STATUS_MAPPING_ERROR: return "CUBLAS_STATUS_MAPPING_ERROR";
    case CUBLAS_STATUS_EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
    case CUBLAS_STATUS_INTERNAL_ERROR: return "CUBLAS_STATUS_INTERNAL_ERROR";
    case CUBLAS_STATUS_NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
    case CUBLAS_STATUS_LICENSE_ERROR: return "CUBLAS_STATUS_LICENSE_ERROR";
  }
  return "unknown status";
}
inline const char* cublasGetStatusString(cublasStatus_t status) { return cublasGetStatusName(status); }

// Copies of n elements with their distances, and of columns.
inline cublasStatus_t assay_simt_cublas_copy(void* to, std::size_t to_pitch, const void* from,
                                             std::size_t from_pitch, std::size_t width, std::size_t height,
                                             cudaMemcpyKind kind) {
  const cudaError_t error = cudaMemcpy2D(to, to_pitch, from, from_pitch, width, height, kind);
  return error == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_MAPPING_ERROR;
}
#define ASSAY_SIMT_COPIES(way, kind)                                                                     \
  inline cublasStatus_t cublas##way##Vector(int n, int bytes, const void* from, int from_step, void* to, \
                                            int to_step) {                                               \
    if (n < 0 || bytes <= 0 || from_step <= 0 || to_step <= 0) return CUBLAS_STATUS_INVALID_VALUE;       \
    const auto size = static_cast<std::size_t>(bytes);                                                   \
    return assay_simt_cublas_copy(to, static_cast<std::size_t>(to_step) * size, from,                    \
                                  static_cast<std::size_t>(from_step) * size, size,                      \
                                  static_cast<std::size_t>(n), kind);                                    \
  }                                                                                                      \
  inline cublasStatus_t cublas##way##Matrix(int rows, int columns, int bytes, const void* from,          \
                                            int from_rows, void* to, int to_rows) {                      \
    if (rows < 0 || columns < 0 || bytes <= 0 || from_rows < rows || to_rows < rows)                     \
      return CUBLAS_STATUS_INVALID_VALUE;                                                                \
    const auto size = static_cast<std::size_t>(bytes);                                                   \
    return assay_simt_cublas_copy(                                                                       \
        to, static_cast<std::size_t>(to_rows) * size, from, static_cast<std::size_t>(from_rows) * size,  \
        static_cast<std::size_t>(rows) * size, static_cast<std::size_t>(columns), kind);                 \
  }
ASSAY_SIMT_COPIES(Set, cudaMemcpyHostToDevice)
ASSAY_SIMT_COPIES(Get, cudaMemcpyDeviceToHost)
#undef ASSAY_SIMT_COPIES

#define ASSAY_SIMT_NO_PRODUCT(name)                          \
  template <class... Arguments>                              \
  cublasStatus_t name(cublasHandle_t, const Arguments&...) { \
    return CUBLAS_STATUS_NOT_SUPPORTED;                      \
  }
ASSAY_SIMT_NO_PRODUCT(cublasSgemm)
ASSAY_SIMT_NO_PRODUCT(cublasSgemmStridedBatched)
ASSAY_SIMT_NO_PRODUCT(cublasSgemmBatched)
ASSAY_SIMT_NO_PRODUCT(cublasSgemv)
ASSAY_SIMT_NO_PRODUCT(cublasStrsm)
ASSAY_SIMT_NO_PRODUCT(cublasStrmm)
ASSAY_SIMT_NO_PRODUCT(cublasSsymm)
ASSAY_SIMT_NO_PRODUCT(cublasSsyrk)
ASSAY_SIMT_NO_PRODUCT(cublasSsyr2k)
ASSAY_SIMT_NO_PRODUCT(cublasSsyrkx)
ASSAY_SIMT_NO_PRODUCT(cublasSgeam)
ASSAY_SIMT_NO_PRODUCT(cublasSaxpy)
ASSAY_SIMT_NO_PRODUCT(cublasSscal)
ASSAY_SIMT_NO_PRODUCT(cublasScopy)
ASSAY_SIMT_NO_PRODUCT(cublasSswap)
ASSAY_SIMT_NO_PRODUCT(cublasSgetrfBatched)
ASSAY_SIMT_NO_PRODUCT(cublasSgetrsBatched)
ASSAY_SIMT_NO_PRODUCT(cublasSgetriBatched)
ASSAY_SIMT_NO_PRODUCT(cublasSmatinvBatched)
ASSAY_SIMT_NO_PRODUCT(cublasSdgmm)
ASSAY_SIMT_NO_PRODUCT(cublasSsymv)
ASSAY_SIMT_NO_PRODUCT(cublasStrsv)
ASSAY_SIMT_NO_PRODUCT(cublasStrmv)
ASSAY_SIMT_NO_PRODUCT(cublasSgbmv)
ASSAY_SIMT_NO_PRODUCT(cublasSrot)
ASSAY_SIMT_NO_PRODUCT(cublasDgemm)
ASSAY_SIMT_NO_PRODUCT(cublasDgemmStridedBatched)
ASSAY_SIMT_NO_PRODUCT(cublasDgemmBatched)
ASSAY_SIMT_NO_PRODUCT(cublasDgemv)
ASSAY_SIMT_NO_PRODUCT(cublasDtrsm)
ASSAY_SIMT_NO_PRODUCT(cublasDtrmm)
ASSAY_SIMT_NO_PRODUCT(cublasDsymm)
ASSAY_SIMT_NO_PRODUCT(cublasDsyrk)
ASSAY_SIMT_NO_PRODUCT(cublasDsyr2k)
ASSAY_SIMT_NO_PRODUCT(cublasDsyrkx)
ASSAY_SIMT_NO_PRODUCT(cublasDgeam)
ASSAY_SIMT_NO_PRODUCT(cublasDaxpy)
ASSAY_SIMT_NO_PRODUCT(cublasDscal)
ASSAY_SIMT_NO_PRODUCT(cublasDcopy)
ASSAY_SIMT_NO_PRODUCT(cublasDswap)
ASSAY_SIMT_NO_PRODUCT(cublasDgetrfBatched)
ASSAY_SIMT_NO_PRODUCT(cublasDgetrsBatched)
ASSAY_SIMT_NO_PRODUCT(cublasDgetriBatched)
ASSAY_SIMT_NO_PRODUCT(cublasDmatinvBatched)
ASSAY_SIMT_NO_PRODUCT(cublasDdgmm)
ASSAY_SIMT_NO_PRODUCT(cublasDsymv)
ASSAY_SIMT_NO_PRODUCT(cublasDtrsv)
ASSAY_SIMT_NO_PRODUCT(cublasDtrmv)
ASSAY_SIMT_NO_PRODUCT(cublasDgbmv)
ASSAY_SIMT_NO_PRODUCT(cublasDrot)
ASSAY_SIMT_NO_PRODUCT(cublasCgemm)
ASSAY_SIMT_NO_PRODUCT(cublasCgemmStridedBatched)
ASSAY_SIMT_NO_PRODUCT(cublasCgemmBatched)
ASSAY_SIMT_NO_PRODUCT(cublasCgemv)
ASSAY_SIMT_NO_PRODUCT(cublasCtrsm)
ASSAY_SIMT_NO_PRODUCT(cublasCtrmm)
ASSAY_SIMT_NO_PRODUCT(cublasCsymm)
ASSAY_SIMT_NO_PRODUCT(cublasCsyrk)
ASSAY_SIMT_NO_PRODUCT(cublasCsyr2k)
ASSAY_SIMT_NO_PRODUCT(cublasCsyrkx)
ASSAY_SIMT_NO_PRODUCT(cublasCgeam)
ASSAY_SIMT_NO_PRODUCT(cublasCaxpy)
ASSAY_SIMT_NO_PRODUCT(cublasCscal)
ASSAY_SIMT_NO_PRODUCT(cublasCcopy)
ASSAY_SIMT_NO_PRODUCT(cublasCswap)
ASSAY_SIMT_NO_PRODUCT(cublasCgetrfBatched)
ASSAY_SIMT_NO_PRODUCT(cublasCgetrsBatched)
ASSAY_SIMT_NO_PRODUCT(cublasCgetriBatched)
ASSAY_SIMT_NO_PRODUCT(cublasCmatinvBatched)
ASSAY_SIMT_NO_PRODUCT(cublasCdgmm)
ASSAY_SIMT_NO_PRODUCT(cublasCsymv)
ASSAY_SIMT_NO_PRODUCT(cublasCtrsv)
ASSAY_SIMT_NO_PRODUCT(cublasCtrmv)
ASSAY_SIMT_NO_PRODUCT(cublasCgbmv)
ASSAY_SIMT_NO_PRODUCT(cublasCrot)
ASSAY_SIMT_NO_PRODUCT(cublasZgemm)
ASSAY_SIMT_NO_PRODUCT(cublasZgemmStridedBatched)
ASSAY_SIMT_NO_PRODUCT(cublasZgemmBatched)
ASSAY_SIMT_NO_PRODUCT(cublasZgemv)
ASSAY_SIMT_NO_PRODUCT(cublasZtrsm)
ASSAY_SIMT_NO_PRODUCT(cublasZtrmm)
ASSAY_SIMT_NO_PRODUCT(cublasZsymm)
ASSAY_SIMT_NO_PRODUCT(cublasZsyrk)
ASSAY_SIMT_NO_PRODUCT(cublasZsyr2k)
ASSAY_SIMT_NO_PRODUCT(cublasZsyrkx)
ASSAY_SIMT_NO_PRODUCT(cublasZgeam)
ASSAY_SIMT_NO_PRODUCT(cublasZaxpy)
ASSAY_SIMT_NO_PRODUCT(cublasZscal)
ASSAY_SIMT_NO_PRODUCT(cublasZcopy)
ASSAY_SIMT_NO_PRODUCT(cublasZswap)
ASSAY_SIMT_NO_PRODUCT(cublasZgetrfBatched)
ASSAY_SIMT_NO_PRODUCT(cublasZgetrsBatched)
ASSAY_SIMT_NO_PRODUCT(cublasZgetriBatched)
ASSAY_SIMT_NO_PRODUCT(cublasZmatinvBatched)
ASSAY_SIMT_NO_PRODUCT(cublasZdgmm)
ASSAY_SIMT_NO_PRODUCT(cublasZsymv)
ASSAY_SIMT_NO_PRODUCT(cublasZtrsv)
ASSAY_SIMT_NO_PRODUCT(cublasZtrmv)
ASSAY_SIMT_NO_PRODUCT(cublasZgbmv)
ASSAY_SIMT_NO_PRODUCT(cublasZrot)
ASSAY_SIMT_NO_PRODUCT(cublasSdot)
ASSAY_SIMT_NO_PRODUCT(cublasDdot)
ASSAY_SIMT_NO_PRODUCT(cublasCdotu)
ASSAY_SIMT_NO_PRODUCT(cublasCdotc)
ASSAY_SIMT_NO_PRODUCT(cublasZdotu)
ASSAY_SIMT_NO_PRODUCT(cublasZdotc)
ASSAY_SIMT_NO_PRODUCT(cublasSnrm2)
ASSAY_SIMT_NO_PRODUCT(cublasDnrm2)
ASSAY_SIMT_NO_PRODUCT(cublasScnrm2)
ASSAY_SIMT_NO_PRODUCT(cublasDznrm2)
ASSAY_SIMT_NO_PRODUCT(cublasSasum)
ASSAY_SIMT_NO_PRODUCT(cublasDasum)
ASSAY_SIMT_NO_PRODUCT(cublasScasum)
ASSAY_SIMT_NO_PRODUCT(cublasDzasum)
ASSAY_SIMT_NO_PRODUCT(cublasIsamax)
ASSAY_SIMT_NO_PRODUCT(cublasIdamax)
ASSAY_SIMT_NO_PRODUCT(cublasIcamax)
ASSAY_SIMT_NO_PRODUCT(cublasIzamax)
ASSAY_SIMT_NO_PRODUCT(cublasIsamin)
ASSAY_SIMT_NO_PRODUCT(cublasIdamin)
ASSAY_SIMT_NO_PRODUCT(cublasSger)
ASSAY_SIMT_NO_PRODUCT(cublasDger)
ASSAY_SIMT_NO_PRODUCT(cublasCgeru)
ASSAY_SIMT_NO_PRODUCT(cublasCgerc)
ASSAY_SIMT_NO_PRODUCT(cublasZgeru)
ASSAY_SIMT_NO_PRODUCT(cublasZgerc)
ASSAY_SIMT_NO_PRODUCT(cublasChemm)
ASSAY_SIMT_NO_PRODUCT(cublasZhemm)
ASSAY_SIMT_NO_PRODUCT(cublasCherk)
ASSAY_SIMT_NO_PRODUCT(cublasZherk)
ASSAY_SIMT_NO_PRODUCT(cublasHgemm)
ASSAY_SIMT_NO_PRODUCT(cublasHgemmStridedBatched)
ASSAY_SIMT_NO_PRODUCT(cublasHgemmBatched)
ASSAY_SIMT_NO_PRODUCT(cublasGemmEx)
ASSAY_SIMT_NO_PRODUCT(cublasGemmStridedBatchedEx)
ASSAY_SIMT_NO_PRODUCT(cublasGemmBatchedEx)
ASSAY_SIMT_NO_PRODUCT(cublasSgemmEx)
ASSAY_SIMT_NO_PRODUCT(cublasCgemmEx)
ASSAY_SIMT_NO_PRODUCT(cublasDotEx)
ASSAY_SIMT_NO_PRODUCT(cublasDotcEx)
ASSAY_SIMT_NO_PRODUCT(cublasAxpyEx)
ASSAY_SIMT_NO_PRODUCT(cublasScalEx)
ASSAY_SIMT_NO_PRODUCT(cublasNrm2Ex)
ASSAY_SIMT_NO_PRODUCT(cublasCgemm3m)
ASSAY_SIMT_NO_PRODUCT(cublasZgemm3m)
#undef ASSAY_SIMT_NO_PRODUCT
