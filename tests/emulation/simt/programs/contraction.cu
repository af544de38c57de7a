// What is rounded by itself stays so where the compiler contracts, and there alone the plain sum of a product does not.
#include <cuda_runtime.h>

#include <cmath>
#include <cstdio>
#include <vector>

#include "tests/emulation/simt/f32_kernels.cuh"

#define KERNEL(name, T, sum)                                               \
  __global__ void name(const T* x, int n, T* out) {                        \
    const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); \
    if (i + 2 >= n) return;                                                \
    const T a = x[i], b = x[i + 1], c = x[i + 2];                          \
    out[i] = sum;                                                          \
  }
KERNEL(plain, float, a* b + c)
KERNEL(of_intrinsics, float, __fadd_rn(__fmul_rn(a, b), c))
KERNEL(product, float, __fmul_rn(a, b) + c)
KERNEL(sum_of_product, float, __fadd_rn(a* b, c))
KERNEL(difference, float, __fsub_rn(a* b, -c))
KERNEL(fused, float, fmaf(a, b, c))
KERNEL(of_doubles, double, __dadd_rn(__dmul_rn(a, b), c))
KERNEL(double_sum, double, __dadd_rn(a* b, c))
KERNEL(double_difference, double, __dsub_rn(c, -(a* b)))
KERNEL(double_product, double, __dmul_rn(a, b) + c)
KERNEL(double_upward, double, __dadd_ru(a* b, c))
KERNEL(double_downward, double, __dsub_rd(c, -(a* b)))

constexpr int n = 1024;
int failures = 0;

template <class T>
std::vector<T> numbers() {
  std::vector<T> x;
  unsigned long long state = 7;
  for (int i = 0; i < n; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    x.push_back(static_cast<T>(static_cast<long long>(state) >> 10) / static_cast<T>(1LL << 53));
  }
  return x;
}
template <class T>
T exact_product_then(T a, T b, T c, T (*finish)(T, T)) {
  volatile T product = a * b;
  return finish(product, c);
}
template <class T>
T sum_of(T a, T b) {
  return a + b;
}
// The next double upward where the sum was rounded down, by its error, which is a double.
double sum_upward(double a, double b) {
  volatile double sum = a + b, part = sum - a, rest = sum - part;
  volatile double left = a - rest, right = b - part;
  return left + right > 0 ? std::nextafter(sum, INFINITY) : static_cast<double>(sum);
}
double sum_downward(double a, double b) { return -sum_upward(-a, -b); }

template <class T>
int count(void (*kernel)(const T*, int, T*), T (*finish)(T, T)) {
  const std::vector<T> host = numbers<T>();
  T *x, *out;
  cudaMallocManaged(&x, n * sizeof(T));
  cudaMallocManaged(&out, n * sizeof(T));
  for (int i = 0; i < n; ++i) x[i] = host[static_cast<std::size_t>(i)];
  kernel<<<4, 256>>>(x, n, out);
  cudaDeviceSynchronize();
  int others = 0;
  for (int i = 0; i + 2 < n; ++i) {
    volatile T want = exact_product_then(x[i], x[i + 1], x[i + 2], finish);
    others += out[i] != want;
  }
  cudaFree(x);
  cudaFree(out);
  return others;
}
void expect(bool right, const char* what, int others) {
  if (right) return;
  std::printf("%s: %d of %d differ from two roundings\n", what, others, n - 2);
  ++failures;
}
#define TWO_ROUNDINGS(kernel, T, finish)         \
  {                                              \
    const int others = count<T>(kernel, finish); \
    expect(others == 0, #kernel, others);        \
  }

int main() {
  TWO_ROUNDINGS(of_intrinsics, float, sum_of<float>)
  TWO_ROUNDINGS(product, float, sum_of<float>)
  TWO_ROUNDINGS(sum_of_product, float, sum_of<float>)
  TWO_ROUNDINGS(difference, float, sum_of<float>)
  TWO_ROUNDINGS(of_doubles, double, sum_of<double>)
  TWO_ROUNDINGS(double_sum, double, sum_of<double>)
  TWO_ROUNDINGS(double_difference, double, sum_of<double>)
  TWO_ROUNDINGS(double_product, double, sum_of<double>)
  TWO_ROUNDINGS(double_upward, double, sum_upward)
  TWO_ROUNDINGS(double_downward, double, sum_downward)
  const int one_rounding = count<float>(fused, sum_of<float>),
            as_it_stands = count<float>(plain, sum_of<float>);
  expect(one_rounding > n / 8, "fused", one_rounding);
#ifdef ASSAY_SIMT_CONTRACTS
  expect(as_it_stands == one_rounding, "plain", as_it_stands);
#else
  expect(as_it_stands == 0, "plain", as_it_stands);
#endif

  // f32 against the same polynomial in volatile steps.
  const std::vector<float> host = numbers<float>();
  float *x, *out;
  cudaMallocManaged(&x, n * sizeof(float));
  cudaMallocManaged(&out, n * sizeof(float));
  for (int i = 0; i < n; ++i) x[i] = host[static_cast<std::size_t>(i)];
  of_f32<<<4, 256>>>(x, n, out);
  cudaDeviceSynchronize();
  int others = 0, on_the_host = 0;
  for (int i = 0; i + 2 < n; ++i) {
    const float a = x[i], b = x[i + 1], c = x[i + 2];
    volatile float t = a * b;
    volatile float sum = t + c;
    t = b * c;
    sum = sum - t;
    t = sum * a;
    sum = c - t;
    t = a + 3.0F;
    t = b / t;
    sum = sum + t;
    sum = sum * sum;
    t = -a * c;
    sum = sum - t;
    others += out[i] != sum;
    on_the_host += static_cast<float>(f32_kernels::polynomial<assay::simt::f32>(a, b, c)) != sum;
  }
  expect(others == 0, "f32", others);
  expect(on_the_host == 0, "f32 on the host", on_the_host);
  return failures == 0 ? 0 : 1;
}
