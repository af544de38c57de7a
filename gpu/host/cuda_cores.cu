// Multiply-add chains on the CUDA cores, from plain C++. Compiled once for each set of flags in
// cuda_core_operations.def, ASSAY_CUDA_BUILD being the set's name: what the compiler makes of a * b + c is the
// question.
//
// Numerics
//   acc = c; acc = a[i] * b[i] + acc for i = 0 .. k - 1. Whether that is one rounding or two, and whether subnormals
//   are flushed, is up to the flags, the type and the architecture.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstring>

#include "gpu/host/cuda_launch.cuh"

namespace assay::gpu::ASSAY_CUDA_BUILD {

// Not in the unnamed namespace: a build that has no operation of a type would be warned of it.
template <class T>
struct Bits;
template <>
struct Bits<float> {
  static __device__ float value(std::uint64_t word) { return __uint_as_float(static_cast<unsigned>(word)); }
  static __device__ std::uint64_t word(float x) { return __float_as_uint(x); }
};
template <>
struct Bits<__nv_bfloat16> {
  static __device__ __nv_bfloat16 value(std::uint64_t word) {
    return __ushort_as_bfloat16(static_cast<unsigned short>(word));
  }
  static __device__ std::uint64_t word(__nv_bfloat16 x) { return __bfloat16_as_ushort(x); }
};
template <>
struct Bits<__half> {
  static __device__ __half value(std::uint64_t word) {
    return __ushort_as_half(static_cast<unsigned short>(word));
  }
  static __device__ std::uint64_t word(__half x) { return __half_as_ushort(x); }
};

namespace {

template <class T>
__global__ void multiply_add(DevicePointers p, std::size_t rows, int k) {
  const std::size_t row = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (row >= rows) return;
  T acc = Bits<T>::value(p.c[row]);
  for (int i = 0; i < k; ++i) {
    acc = Bits<T>::value(p.a[row * k + i]) * Bits<T>::value(p.b[row * k + i]) + acc;
  }
  p.d[row] = Bits<T>::word(acc);
}

// Operations of other builds are not this one's: `build` in the list names a class of its own here.
struct contracted;
struct separate;
struct contracted_ftz;
struct separate_ftz;
template <class A, class B>
constexpr bool same = false;
template <class A>
constexpr bool same<A, A> = true;

// A template, so that what `if constexpr` leaves out is not compiled.
template <class This>
bool launch(CudaCore operation, std::size_t rows, int k, const DevicePointers& p) {
  constexpr unsigned threads = 128;
  [[maybe_unused]] const auto blocks = static_cast<unsigned>((rows + threads - 1) / threads);
  switch (operation) {
#define CUDA_CORE(id, build, type, format)                 \
  case CudaCore::id:                                       \
    if constexpr (same<build, This>) {                     \
      multiply_add<type><<<blocks, threads>>>(p, rows, k); \
      return true;                                         \
    }                                                      \
    return false;
#include "gpu/host/cuda_core_operations.def"
  }
  return false;
}

}  // namespace

bool launch_cuda_core(CudaCore operation, std::size_t rows, int k, const DevicePointers& p) {
  return launch<ASSAY_CUDA_BUILD>(operation, rows, k, p);
}

}  // namespace assay::gpu::ASSAY_CUDA_BUILD
