// Votes, matches, reductions, atomics and bit operations, against loops on the host.
#include <cuda_runtime.h>

#include <cstdio>

__device__ unsigned counter = 0;
__device__ int lock_of_all = 0, guarded = 0;

__global__ void of_a_warp(unsigned* out) {
  const unsigned t = threadIdx.x;
  const unsigned full = 0xFFFFFFFF;
  unsigned right = 0;
  right += __ballot_sync(full, t % 2 == 0) == 0x55555555U;
  right += __any_sync(full, t == 9) != 0 && __any_sync(full, t == 32) == 0;
  right += __all_sync(full, t < 32) != 0 && __all_sync(full, t < 31) == 0;
  right += __match_any_sync(full, t / 8) == 0xFFU << t / 8 * 8;
  int same = 0;
  right += __match_all_sync(full, 5U, &same) == full && same == 1;
  right += __match_all_sync(full, t, &same) == 0 && same == 0;
  right += __reduce_add_sync(full, static_cast<int>(t)) == 496;
  right += __reduce_max_sync(full, t) == 31 && __reduce_min_sync(full, -static_cast<int>(t)) == -31;
  right += __reduce_xor_sync(full, 1U << t) == full && __reduce_and_sync(full, t | 64U) == 64U;
  right += __shfl_xor_sync(full, t, 5) == (t ^ 5U) && __shfl_up_sync(full, t, 1) == (t == 0 ? 0 : t - 1);
  if (t % 4 == 1) {
    right += __activemask() == 0x22222222U;
  } else {
    right += __activemask() == 0xDDDDDDDDU;
  }
  __syncwarp();
  out[t] = right;
}

__global__ void of_the_grid() {
  atomicInc(&counter, 99);
  // A lock that every thread takes in turn.
  while (atomicCAS(&lock_of_all, 0, 1) != 0) {
  }
  ++guarded;
  atomicExch(&lock_of_all, 0);
}

__global__ void bits(unsigned* out) {
  const unsigned x = 0x12345678;
  out[0] = __popc(x) == 13 && __popcll(0xF0F0ULL) == 8 && __clz(1) == 31 && __clz(0) == 32 && __ffs(8) == 4;
  out[1] = __brev(x) == 0x1E6A2C48U && __byte_perm(x, 0x9ABCDEF0, 0x4321) == 0xF0123456U;
  out[2] = __umulhi(0x80000000U, 6U) == 3U && __mulhi(-2, 1 << 30) == -1 && __mul24(0xFFFFFF, 7) == -7;
  out[3] = __funnelshift_l(x, 0xABCD, 8) == 0xABCD12U && __float_as_uint(1.0F) == 0x3F800000U;
  out[4] = __fmaf_rn(0x1.000002p0F, 0x1.000002p0F, -0x1.000004p0F) == 0x1p-46F && min(3, -4) == -4 &&
           max(2U, 7U) == 7U;
}

int main() {
  unsigned* out = nullptr;
  cudaMallocManaged(&out, 32 * sizeof(unsigned));
  of_a_warp<<<1, 32>>>(out);
  int failed = cudaDeviceSynchronize() == cudaSuccess ? 0 : 1;
  for (int t = 0; t < 32; ++t) {
    if (out[t] == 11) continue;
    std::printf("lane %d: %u of 11 right\n", t, out[t]);
    failed = 1;
  }
  of_the_grid<<<7, 50>>>();
  if (cudaDeviceSynchronize() != cudaSuccess || counter != 350 % 100 || guarded != 350) {
    std::printf("counter %u, guarded %d\n", counter, guarded);
    failed = 1;
  }
  bits<<<1, 1>>>(out);
  for (int i = 0; i < 5; ++i) {
    if (out[i] == 1) continue;
    std::printf("bits: row %d\n", i);
    failed = 1;
  }
  cudaFree(out);
  return failed;
}
