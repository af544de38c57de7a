// nvcuda::wmma on random codes: the bits of the imitated GPU's units, by the units' own product of the same matrices.
#include "emulation/units/unit.hpp"
// The programs' headers come after, for they define CUDA's words.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <mma.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

using namespace nvcuda;

static int failures = 0;

template <class T>
struct Memory {
  using type = T;
};
template <>
struct Memory<wmma::precision::tf32> {
  using type = float;
};

// Over K in steps of the fragments' k: the sum stays in the accumulator.
template <int M, int N, int K, class T, class C>
__global__ void product(const typename Memory<T>::type* a, const typename Memory<T>::type* b, const C* c,
                        C* d, int k) {
  wmma::fragment<wmma::matrix_a, M, N, K, T, wmma::row_major> x;
  wmma::fragment<wmma::matrix_b, M, N, K, T, wmma::row_major> y;
  wmma::fragment<wmma::accumulator, M, N, K, C> sum;
  wmma::load_matrix_sync(sum, c, N, wmma::mem_row_major);
  for (int i = 0; i < k; i += K) {
    wmma::load_matrix_sync(x, a + i, static_cast<unsigned>(k));
    wmma::load_matrix_sync(y, b + i * N, N);
    wmma::mma_sync(sum, x, y, sum);
  }
  wmma::store_matrix_sync(d, sum, N, wmma::mem_row_major);
}

template <int M, int N, int K, class T, class C>
static void test(const char* gpu, const char* name, const assay::FormatSpec& factors,
                 const assay::FormatSpec& sums) {
  using Stored = typename Memory<T>::type;
  static const assay::ArithmeticRegistry& units = *[] {
    auto* const registry = new assay::ArithmeticRegistry;
    assay::add_units(*registry);
    return registry;
  }();
  assay::simt::imitate_architecture(gpu);
  const assay::Unit& unit = *assay::as_unit(units.find(name));
  constexpr int k = 2 * K;
  std::vector<Stored> a(M * k), b(k * N);
  std::vector<C> c(M * N), d(M * N), expected(M * N);
  std::mt19937_64 random(99);
  for (const bool special : {false, true}) {
    const auto fill = [&](auto& codes, const assay::FormatSpec& f) {
      for (auto& x : codes) {
        // Near one, for sums in which many terms meet; or any code, NaN and infinities among them.
        const std::uint64_t fraction = random(), one = f == assay::formats::float64   ? 0x3FF
                                                       : f == assay::formats::float16 ? 15
                                                                                      : 127;
        const int places = f.precision - 1, bits = static_cast<int>(8 * sizeof x);
        std::uint64_t code = (fraction & ((std::uint64_t{1} << places) - 1)) |
                             (one - 4 + random() % 8) << places | (random() % 2) << (bits - 1);
        if (special && random() % 8 == 0) code = random();
        std::memcpy(static_cast<void*>(&x), &code, sizeof x);
      }
    };
    fill(a, factors);
    fill(b, factors);
    fill(c, sums);
    product<M, N, K, T, C><<<1, 32>>>(a.data(), b.data(), c.data(), d.data(), k);
    const assay::CodeMatrix A{a.data(), M, k, k, 1, factors}, B{b.data(), k, N, N, 1, factors};
    const assay::CodeMatrix addend{c.data(), M, N, N, 1, sums};
    unit.gemm(A, B, addend, {expected.data(), M, N, N, 1, sums});
    const cudaError_t error = cudaGetLastError();
    if (error == cudaSuccess && std::memcmp(d.data(), expected.data(), d.size() * sizeof(C)) == 0) continue;
    std::printf("wrong: %s on %s: %s\n", name, gpu, cudaGetErrorString(error));
    ++failures;
  }
}

int main() {
  using namespace assay::formats;
  test<16, 16, 16, half, float>("sm_70", "sm70.f16", float16, float32);
  test<16, 16, 16, half, half>("sm_70", "sm70.f16:f16", float16, float16);
  test<32, 8, 16, half, float>("sm_80", "sm80.f16", float16, float32);
  test<16, 16, 16, nv_bfloat16, float>("sm_80", "sm80.bf16", bfloat16, float32);
  test<16, 16, 8, wmma::precision::tf32, float>("sm_80", "sm80.tf32", float32, float32);
  test<8, 32, 16, half, half>("sm_80", "sm80.f16:f16", float16, float16);
  test<8, 32, 16, nv_bfloat16, float>("sm_90", "sm90.bf16", bfloat16, float32);
  test<16, 16, 16, half, float>("sm_90", "sm90.f16", float16, float32);
  test<32, 8, 16, half, half>("sm_90", "sm90.f16:f16", float16, float16);
  test<16, 16, 8, wmma::precision::tf32, float>("sm_90", "sm90.tf32", float32, float32);
  test<8, 8, 4, double, double>("sm_90", "fma_f64", float64, float64);
  test<16, 16, 16, nv_bfloat16, float>("sm_100", "sm100.bf16", bfloat16, float32);

  // What a GPU does not have ends the launch with a message.
  assay::simt::imitate_architecture("sm_75");
  static const nv_bfloat16 x[1024] = {};
  static float y[256];
  product<16, 16, 16, nv_bfloat16, float><<<1, 32>>>(x, x, y, y, 16);
  const std::string why = cudaGetErrorString(cudaGetLastError());
  if (why.find("sm_75 has no matrix unit for bf16 into f32") == std::string::npos) {
    std::printf("wrong: bfloat16 on sm_75: %s\n", why.c_str());
    ++failures;
  }
  return failures == 0 ? 0 : 1;
}
