// Sums of products of f32, which no compiler may merge.
#pragma once

#include "emulation/simt/f32.hpp"

namespace f32_kernels {
using assay::simt::f32;

template <class T>
__host__ __device__ T polynomial(T x, T y, T z) {
  T sum = x * y + z;
  sum -= y * z;
  sum = z - sum * x;
  sum += y / (x + T(3.0F));
  return sum * sum - -x * z;
}
}  // namespace f32_kernels

// One thread a number.
__global__ void of_f32(const float* x, int n, float* out) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  using f32_kernels::f32;
  if (i + 2 < n) out[i] = static_cast<float>(f32_kernels::polynomial<f32>(x[i], x[i + 1], x[i + 2]));
}
