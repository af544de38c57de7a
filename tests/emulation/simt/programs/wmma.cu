// nvcuda::wmma in all its shapes, layouts and types, on small integers, whose products every type holds exactly.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <mma.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

using namespace nvcuda;

static int failures = 0;
static void check(bool ok, const char* what, int m, int n, int k) {
  if (ok) return;
  std::printf("wrong: %s, m%dn%dk%d\n", what, m, n, k);
  ++failures;
}
static unsigned random_bits() {
  static unsigned x = 12345;
  x = x * 1664525 + 1013904223;
  return x >> 8;
}

template <class T>
struct Memory {
  using type = T;
};
template <>
struct Memory<wmma::precision::tf32> {
  using type = float;
};

template <class T>
static T from_int(int x) {
  if constexpr (std::is_same_v<T, half>) {
    return __float2half(static_cast<float>(x));
  } else if constexpr (std::is_same_v<T, nv_bfloat16>) {
    return __float2bfloat16(static_cast<float>(x));
  } else {
    return static_cast<T>(x);
  }
}
template <class T>
static int to_int(T x) {
  if constexpr (std::is_same_v<T, half>) {
    return static_cast<int>(__half2float(x));
  } else if constexpr (std::is_same_v<T, nv_bfloat16>) {
    return static_cast<int>(__bfloat162float(x));
  } else {
    return static_cast<int>(x);
  }
}

// D = A B + C by two warps, each a tile; one reads by way of shared memory.
template <int M, int N, int K, class T, class C, class LayoutA, class LayoutB>
__global__ void product(const typename Memory<T>::type* a, unsigned lda, const typename Memory<T>::type* b,
                        unsigned ldb, const C* c, C* d, unsigned ldc, wmma::layout_t layout, bool satf) {
  using Stored = typename Memory<T>::type;
  __shared__ __align__(32) unsigned char copy[4096];
  const unsigned warp = threadIdx.x / 32;
  const unsigned lines = std::is_same_v<LayoutA, wmma::row_major> ? M : K;
  for (unsigned i = threadIdx.x; i < lines * lda; i += blockDim.x) reinterpret_cast<Stored*>(copy)[i] = a[i];
  __syncthreads();
  wmma::fragment<wmma::matrix_a, M, N, K, T, LayoutA> x;
  wmma::fragment<wmma::matrix_b, M, N, K, T, LayoutB> y;
  wmma::fragment<wmma::accumulator, M, N, K, C> sum;
  wmma::load_matrix_sync(x, warp == 0 ? a : reinterpret_cast<const Stored*>(copy), lda);
  wmma::load_matrix_sync(y, b, ldb);
  wmma::load_matrix_sync(sum, c, ldc, layout);
  if constexpr (std::is_same_v<T, wmma::precision::tf32>) {
    for (int i = 0; i < x.num_elements; ++i) x.x[i] = wmma::__float_to_tf32(x.x[i]);
    for (auto& v : y.x) v = wmma::__float_to_tf32(v);
  }
  if constexpr (std::is_same_v<C, int>) {
    wmma::mma_sync(sum, x, y, sum, satf);
  } else {
    wmma::mma_sync(sum, x, y, sum);
  }
  // Elementwise, on fragments of one type.
  wmma::fragment<wmma::accumulator, M, N, K, C> ones;
  wmma::fill_fragment(ones, C(1));
  for (int i = 0; i < sum.num_elements; ++i) {
    if (!satf) sum.x[i] = sum.x[i] + ones.x[i];
  }
  wmma::store_matrix_sync(d + warp * 2048, sum, ldc, layout);
}

template <int M, int N, int K, class T, class C, class LayoutA, class LayoutB>
static void test(const char* what, int magnitude, bool satf = false) {
  using Stored = typename Memory<T>::type;
  constexpr bool a_rows = std::is_same_v<LayoutA, wmma::row_major>;
  constexpr bool b_rows = std::is_same_v<LayoutB, wmma::row_major>;
  const int lda = (a_rows ? K : M) <= 16 ? 16 : 48, ldb = (b_rows ? N : K) <= 16 ? 32 : 48, ldc = 48;
  std::vector<Stored> a(2048), b(2048);
  std::vector<C> c(2048), d(4096);
  const auto draw = [&] {
    const int x = static_cast<int>(random_bits()) % (magnitude + 1);
    return std::is_same_v<T, unsigned char> || random_bits() % 2 == 0 ? x : -x;
  };
  for (auto& x : a) x = from_int<Stored>(draw());
  for (auto& x : b) x = from_int<Stored>(draw());
  for (auto& x : c) x = from_int<C>(satf ? (random_bits() % 2 == 0 ? 0x7FFFFF00 : -0x7FFFFF00) : draw());
  for (const wmma::layout_t layout : {wmma::mem_row_major, wmma::mem_col_major}) {
    product<M, N, K, T, C, LayoutA, LayoutB><<<1, 64>>>(a.data(), static_cast<unsigned>(lda), b.data(),
                                                        static_cast<unsigned>(ldb), c.data(), d.data(),
                                                        static_cast<unsigned>(ldc), layout, satf);
    const cudaError_t error = cudaGetLastError();
    if (error != cudaSuccess) std::printf("%s\n", cudaGetErrorString(error));
    check(error == cudaSuccess, what, M, N, K);
    int wrong = 0;
    for (int i = 0; i < M; ++i) {
      for (int j = 0; j < N; ++j) {
        const auto at = static_cast<unsigned>(layout == wmma::mem_row_major ? i * ldc + j : j * ldc + i);
        long long sum = to_int(c[at]);
        for (int p = 0; p < K; ++p) {
          sum += to_int(a[static_cast<unsigned>(a_rows ? i * lda + p : p * lda + i)]) *
                 to_int(b[static_cast<unsigned>(b_rows ? p * ldb + j : j * ldb + p)]);
        }
        if (satf) {
          sum = sum > 0x7FFFFFFF ? 0x7FFFFFFF : sum < -0x7FFFFFFFLL - 1 ? -0x7FFFFFFFLL - 1 : sum;
        } else {
          sum += 1;
        }
        if (to_int(d[at]) != sum || to_int(d[at + 2048]) != sum) ++wrong;
      }
    }
    check(wrong == 0, what, M, N, K);
  }
}
template <int M, int N, int K, class T, class C>
static void test_layouts(const char* what, int magnitude) {
  test<M, N, K, T, C, wmma::row_major, wmma::row_major>(what, magnitude);
  test<M, N, K, T, C, wmma::row_major, wmma::col_major>(what, magnitude);
  test<M, N, K, T, C, wmma::col_major, wmma::row_major>(what, magnitude);
  test<M, N, K, T, C, wmma::col_major, wmma::col_major>(what, magnitude);
}
template <class T, class C>
static void test_shapes(const char* what, int magnitude, bool satf = false) {
  test<16, 16, 16, T, C, wmma::row_major, wmma::col_major>(what, magnitude, satf);
  test<32, 8, 16, T, C, wmma::col_major, wmma::col_major>(what, magnitude, satf);
  test<8, 32, 16, T, C, wmma::row_major, wmma::row_major>(what, magnitude, satf);
}

// --- less than a byte

template <class T, int K>
__global__ void packed(const unsigned* a, const unsigned* b, int* d, int op) {
  wmma::fragment<wmma::matrix_a, 8, 8, K, T, wmma::row_major> x;
  wmma::fragment<wmma::matrix_b, 8, 8, K, T, wmma::col_major> y;
  wmma::fragment<wmma::accumulator, 8, 8, K, int> sum;
  wmma::load_matrix_sync(x, a, K);
  wmma::load_matrix_sync(y, b, K);
  wmma::fill_fragment(sum, 5);
  if constexpr (K == 128) {
    wmma::experimental::bmma_sync(
        sum, x, y, sum, op == 0 ? wmma::experimental::bmmaBitOpXOR : wmma::experimental::bmmaBitOpAND);
  } else {
    wmma::mma_sync(sum, x, y, sum);
  }
  wmma::store_matrix_sync(d, sum, 8, wmma::mem_row_major);
}

template <class T, int K>
static void test_packed(const char* what, int bits, bool is_signed, int op) {
  unsigned a[32], b[32];
  int d[64];
  for (auto& x : a) x = random_bits() << 16 ^ random_bits();
  for (auto& x : b) x = random_bits() << 16 ^ random_bits();
  packed<T, K><<<1, 32>>>(a, b, d, op);
  check(cudaGetLastError() == cudaSuccess, what, 8, 8, K);
  const auto element = [&](const unsigned* words, int line, int p) {
    const int bit = (line * K + p) * bits;
    const int code = static_cast<int>(words[bit / 32] >> (bit % 32) & ((1U << bits) - 1));
    return is_signed && code >= 8 ? code - 16 : code;
  };
  int wrong = 0;
  for (int i = 0; i < 8; ++i) {
    for (int j = 0; j < 8; ++j) {
      int sum = 5;
      for (int p = 0; p < K; ++p) {
        const int x = element(a, i, p), y = element(b, j, p);
        sum += bits == 1 && op == 0 ? (x != y ? 1 : 0) : x * y;
      }
      if (d[i * 8 + j] != sum) ++wrong;
    }
  }
  check(wrong == 0, what, 8, 8, K);
}

__global__ void filled(int* ok) {
  wmma::fragment<wmma::matrix_a, 8, 8, 32, wmma::experimental::precision::s4, wmma::row_major> x;
  wmma::fragment<wmma::matrix_b, 8, 8, 128, wmma::experimental::precision::b1, wmma::col_major> y;
  wmma::fill_fragment(x, -3);
  wmma::fill_fragment(y, 1U);
  static_assert(x.num_elements == 8 && x.num_storage_elements == 1);
  static_assert(y.num_elements == 32 && y.num_storage_elements == 1);
  if (x.x[0] != static_cast<int>(0xDDDDDDDDU) || y.x[0] != 0xFFFFFFFFU) atomicExch(ok, 0);
}

// --- what goes wrong

__global__ void half_a_warp(float* d) {
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum;
  wmma::fill_fragment(sum, 0.0F);
  if (threadIdx.x % 32 < 16) wmma::store_matrix_sync(d, sum, 16, wmma::mem_row_major);
  __syncthreads();
}
__global__ void odd_stride(half* a) {
  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> x;
  wmma::load_matrix_sync(x, a, 18);
}
__global__ void own_addresses(half* a) {
  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> x;
  wmma::load_matrix_sync(x, a + threadIdx.x, 16);
}
__global__ void saturated_floats() {
  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> x;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::row_major> y;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum;
  wmma::fill_fragment(x, __float2half(0.0F));
  wmma::fill_fragment(y, __float2half(0.0F));
  wmma::fill_fragment(sum, 0.0F);
  wmma::mma_sync(sum, x, y, sum, true);
}

static void check_failure(const char* what, const char* part) {
  const cudaError_t error = cudaGetLastError();
  const std::string text = cudaGetErrorString(error);
  cudaDeviceReset();
  if (error == cudaErrorLaunchFailure && text.find(part) != std::string::npos) return;
  std::printf("wrong: %s gives \"%s\"\n", what, text.c_str());
  ++failures;
}

static void check_tf32() {
  // To the nearest of 10 fraction bits, ties away from zero.
  const unsigned pairs[][2] = {{0x3F800FFF, 0x3F800000}, {0x3F801000, 0x3F802000}, {0xBF801000, 0xBF802000},
                               {0x3F803000, 0x3F804000}, {0x00000FFF, 0x00000000}, {0x00001000, 0x00002000},
                               {0x7F7FFFFF, 0x7F800000}, {0xFF800000, 0xFF800000}, {0x80000000, 0x80000000}};
  for (const auto& [from, to] : pairs) {
    float x = 0;
    std::memcpy(&x, &from, 4);
    const float y = wmma::__float_to_tf32(x);
    unsigned got = 0;
    std::memcpy(&got, &y, 4);
    if (got != to) {
      std::printf("wrong: tf32 of %08x is %08x\n", from, got);
      ++failures;
    }
  }
}

int main() {
  test_layouts<16, 16, 16, half, float>("half, float", 16);
  test_shapes<half, float>("half, float", 16);
  test_shapes<half, half>("half, half", 8);
  test_shapes<nv_bfloat16, float>("bfloat16", 100);
  test_shapes<signed char, int>("signed char", 127);
  test_shapes<unsigned char, int>("unsigned char", 255);
  test_shapes<signed char, int>("signed char, saturated", 127, true);
  test_layouts<16, 16, 8, wmma::precision::tf32, float>("tf32", 1000);
  test_layouts<8, 8, 4, double, double>("double", 10000);
  test_packed<wmma::experimental::precision::s4, 32>("s4", 4, true, 0);
  test_packed<wmma::experimental::precision::u4, 32>("u4", 4, false, 0);
  test_packed<wmma::experimental::precision::b1, 128>("b1, xor", 1, false, 0);
  test_packed<wmma::experimental::precision::b1, 128>("b1, and", 1, false, 1);
  int ok = 1;
  filled<<<1, 32>>>(&ok);
  check(cudaGetLastError() == cudaSuccess && ok == 1, "fill_fragment", 8, 8, 32);
  check_tf32();

  std::vector<float> d(256);
  std::vector<half> a(1024);
  half_a_warp<<<1, 32>>>(d.data());
  check_failure("half a warp", "32 of 32 threads wait, 16 at a barrier and 16 in a warp operation");
  half_a_warp<<<1, 16>>>(d.data());
  check_failure("a small warp", "fewer than 32 threads");
  odd_stride<<<1, 32>>>(a.data());
  check_failure("an odd stride", "a stride of 18 elements");
  own_addresses<<<1, 32>>>(a.data());
  check_failure("addresses of lanes", "different operands");
  saturated_floats<<<1, 32>>>();
  check_failure("saturated floats", "saturation");
  return failures == 0 ? 0 : 1;
}
