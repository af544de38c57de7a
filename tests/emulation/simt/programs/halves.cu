// Half, bfloat16 and eight-bit types as kernels use them: shared arrays, shuffles, atomics, pairs, mixed expressions.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>
#include <cuda_runtime.h>

#include <cstdio>
#include <type_traits>

__device__ __half half_total;
__device__ __nv_bfloat162 pair_total;

// What may be written, and of which type it is.
template <class A, class B>
concept Multiplies = requires(A a, B b) {
  a* b;
};
static_assert(std::is_same_v<decltype(half() * half()), half> &&
              std::is_same_v<decltype(half2() + half2()), half2>);
static_assert(std::is_convertible_v<float, half> && std::is_convertible_v<half, float>);
static_assert(std::is_convertible_v<int, half> && std::is_convertible_v<half, unsigned>);
static_assert(std::is_convertible_v<__half_raw, half> && !std::is_convertible_v<float, __nv_fp8_e4m3>);
// CUDA's compiler calls these ambiguous, too.
static_assert(!Multiplies<half, float> && !Multiplies<float, __nv_bfloat16>);
template <class Pair>
concept IsSetByBraces = requires(Pair a) {
  a = {};
  a = {a.y, a.x};
  a = static_cast<__half2_raw>(half2());
};
static_assert(IsSetByBraces<half2>);
static_assert(std::is_trivially_copyable_v<half2> && sizeof(__nv_fp8x4_e5m2) == 4 &&
              alignof(__nv_bfloat162) == 4);

template <class T>
__device__ T sum_of_warp(T x) {
  for (int offset = 16; offset > 0; offset /= 2) x += __shfl_xor_sync(0xFFFFFFFF, x, offset);
  return x;
}

__global__ void of_halves(const half* in, float* out) {
  __shared__ half tile[64];
  const int t = threadIdx.x;
  tile[t] = __ldg(in + t);
  __syncthreads();
  const half other = tile[63 - t];
  half sum = tile[t] + other;
  sum = __hfma(sum, half(2.0f), __float2half(0.5f));
  atomicAdd(&half_total, half(1));
  atomicAdd(&pair_total, __floats2bfloat162_rn(1.0f, 2.0f));
  out[t] = sum;
  const half warp = sum_of_warp(half(1.0f));
  if (t == 0) {
    half h = 1;
    h *= half(3);
    ++h;
    h = -h;
    out[64] = (float)h;
    out[65] = warp;
    out[66] = h < half(0) ? 1.0f : 0.0f;
    out[67] = float(__nv_bfloat16(h)) + static_cast<float>(__nv_fp8_e4m3(1.0625f));
    const half2 p = __halves2half2(h, 2), q = p * p - __half2half2(1);
    out[68] = __low2float(q);
    out[69] = __high2float(q);
    out[70] = __heq2_mask(p, p) == 0xFFFFFFFF && __hbgt2(q, p) && p == p ? 1 : 0;
    const float2 f = __half22float2(h2sqrt(__floats2half2_rn(9, 2)));
    out[71] = f.x;
    out[72] = f.y;
    out[73] = __hisnan(hlog(half(-1))) && __half2int_rn(half(2.5f)) == 2 && (int)half(2.9f) == 2 ? 1 : 0;
    // (2 + i)(3 + 4 i) + 1
    const half2 z = __hcmadd(__floats2half2_rn(2, 1), __floats2half2_rn(3, 4), __floats2half2_rn(1, 0));
    out[74] = __low2float(z);
    out[75] = __high2float(z);
  }
}

int main() {
  half* in = nullptr;
  float* out = nullptr;
  cudaMallocManaged(&in, 64 * sizeof(half));
  cudaMallocManaged(&out, 80 * sizeof(float));
  for (int i = 0; i < 64; ++i) in[i] = i;
  half_total = 0;
  pair_total = __float2bfloat162_rn(0);
  of_halves<<<1, 64>>>(in, out);
  int failed = cudaDeviceSynchronize() == cudaSuccess ? 0 : 1;
  const auto expect = [&](int at, float value) {
    if (out[at] == value) return;
    std::printf("%d: %g, not %g\n", at, static_cast<double>(out[at]), static_cast<double>(value));
    failed = 1;
  };
  for (int i = 0; i < 64; ++i) expect(i, 126.5f);
  const float one[] = {-4, 32, 1, -3, 15, 3, 1, 3, 1.4140625f, 1, 3, 11};
  for (int i = 0; i < 12; ++i) expect(64 + i, one[i]);
  if (static_cast<float>(half_total) != 64 || __low2float(pair_total) != 64 ||
      __high2float(pair_total) != 128) {
    std::printf("atomics\n");
    failed = 1;
  }
  cudaFree(in);
  cudaFree(out);
  return failed;
}
