// CUDA's small headers, overloads that device code relies on, and functions on vectors that programs bring themselves.
#include <cuComplex.h>
#include <cuda_runtime.h>
#include <device_launch_parameters.h>
#include <host_defines.h>
#include <math.h>
#include <math_constants.h>
#include <sm_60_atomic_functions.h>
#include <vector_functions.h>
#include <vector_types.h>

#include <cmath>
#include <cstdio>
#include <type_traits>

// As the header that many programs copy from one another.
#ifndef __CUDACC__
#error "device code is compiled"
inline float fminf(float a, float b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
#endif
inline __host__ __device__ float3 operator+(float3 a, float3 b) {
  return make_float3(a.x + b.x, a.y + b.y, a.z + b.z);
}
inline __host__ __device__ float3 operator*(float b, float3 a) {
  return make_float3(b * a.x, b * a.y, b * a.z);
}
inline __host__ __device__ float3 make_float3(float s) { return make_float3(s, s, s); }
inline __host__ __device__ float lerp(float a, float b, float t) { return a + t * (b - a); }
inline __device__ __host__ float clamp(float f, float a, float b) { return fmaxf(a, fminf(f, b)); }
inline __host__ __device__ float dot(float3 a, float3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline __host__ __device__ float length(float3 v) { return sqrtf(dot(v, v)); }
inline __host__ __device__ float3 fminf(float3 a, float3 b) {
  return make_float3(fminf(a.x, b.x), fminf(a.y, b.y), fminf(a.z, b.z));
}

static_assert(sizeof(double4) == 32 && alignof(double4) == 16 && alignof(double4_32a) == 32);
static_assert(sizeof(longlong4_16a) == 32 && alignof(longlong4_16a) == 16);
static_assert(sizeof(float3) == 12 && alignof(float3) == 4 && alignof(short4) == 8 && alignof(uchar2) == 2);
static_assert(std::is_same_v<decltype(sqrt(1.0f)), float> && std::is_same_v<decltype(abs(1.0f)), float>);
static_assert(std::is_same_v<decltype(exp(1.0f)), float> && std::is_same_v<decltype(pow(1.0f, 2.0f)), float>);
static_assert(std::is_same_v<decltype(rsqrt(1.0f)), float> && std::is_same_v<decltype(rsqrt(1.0)), double>);
static_assert(std::is_same_v<decltype(abs(-1LL)), long long> && std::is_same_v<decltype(abs(-1)), int>);
static_assert(std::is_same_v<decltype(min(1, 2U)), unsigned> &&
              std::is_same_v<decltype(max(1.0f, 2.0)), double>);
static_assert(std::is_same_v<decltype(max(1UL, 2L)), unsigned long>);
static_assert(std::is_same_v<decltype(min(1LL, 2LL)), long long>);
static_assert(std::is_same_v<decltype(floor(1.5f)), float> &&
              std::is_same_v<decltype(fmin(1.0f, 2.0f)), float>);

__global__ void in_a_kernel(float* out) {
  const float3 v = make_float3(1.0f) + 2.0f * make_float3(0, 0.5f, 1);
  out[0] = length(v);
  out[1] = lerp(1, 3, 0.25f) + clamp(7, 0, 1) + fminf(v, make_float3(1.5f)).z;
  const cuFloatComplex q = cuCdivf(make_cuFloatComplex(1, 2), make_cuFloatComplex(3, -4));
  out[2] = cuCrealf(q) * 25;
  out[3] = cuCimagf(q) * 25;
  const cuDoubleComplex z =
      cuCfma(make_cuDoubleComplex(1, 2), make_cuDoubleComplex(3, 4), make_cuDoubleComplex(5, 6));
  out[4] = static_cast<float>(z.x);
  out[5] = static_cast<float>(z.y);
  out[6] = cuCabsf(make_cuComplex(-3e30f, 4e30f)) / 1e30f;
  out[7] = CUDART_PI_F;
  out[8] = CUDART_INF_F;
  out[9] = static_cast<float>(CUDART_PI_HI + CUDART_PI_LO == CUDART_PI && CUDART_LN2_HI == CUDART_LN2);
  float s = 0, c = 0;
  sincospif(0.5f, &s, &c);
  out[10] = s + c;
  out[11] = static_cast<float>(__float_as_uint(CUDART_NAN_F) == 0x7FFFFFFF && isnan(CUDART_NAN) &&
                               isinf(CUDART_INF));
  float* const mine = new float[3]{1, 2, 3};
  void* const more = malloc(64);
  out[12] = mine[2] + (more != nullptr ? 1.0f : 0.0f);
  delete[] mine;
  free(more);
  __builtin_assume(out != nullptr);
  __nanosleep(100);
  __stcg(out + 13, __ldcg(out + 7));
}

int main() {
  float* out = nullptr;
  cudaMallocManaged(&out, 14 * sizeof(float));
  in_a_kernel<<<1, 1>>>(out);
  int failed = cudaDeviceSynchronize() == cudaSuccess ? 0 : 1;
  // (1 + 2 i) / (3 - 4 i) = (-5 + 10 i) / 25; (1 + 2 i)(3 + 4 i) + 5 + 6 i = 16 i
  const float pi = 3.14159265f;
  const float expected[] = {3.7416575f, 1.5f + 1 + 1.5f, -5, 10, 0, 16, 5, pi, HUGE_VALF, 1, 1, 1, 4, pi};
  for (int i = 0; i < 14; ++i) {
    const float error = out[i] - expected[i];
    if (out[i] == expected[i] || (error < 1e-6f && error > -1e-6f)) continue;
    std::printf("%d: %.9g, not %.9g\n", i, static_cast<double>(out[i]), static_cast<double>(expected[i]));
    failed = 1;
  }
  cudaFree(out);
  return failed;
}
