// Inline PTX in a program: operands of all kinds, branches, predicates, macros; ldmatrix, copies that are waited for.
#include <cuda_runtime.h>

#include <cstdint>
#include <cstdio>
#include <cstring>

#define STRING(x) #x
#define LOAD_VECTOR(out, in)                                       \
  asm volatile(                                                    \
      "ld.global.nc.L1::no_allocate.v4.u32 "                       \
      "{%0, %1, %2, %3}, [%4];"                                    \
      : "=r"((out).x), "=r"((out).y), "=r"((out).z), "=r"((out).w) \
      : "l"(in))
#define BINARY(op, d, a, b) asm(STRING(op) ".b32 %0, %1, %2;" : "=r"(d) : "r"(a), "r"(b))

namespace {
int wrong = 0;
void expect(bool holds, const char* what) {
  if (!holds) {
    std::printf("%s\n", what);
    ++wrong;
  }
}
}  // namespace

__device__ __forceinline__ unsigned lane_id() {
  unsigned lane;
  asm("mov.u32 %0, %%laneid;" : "=r"(lane));
  return lane;
}
__device__ __forceinline__ uint32_t shared_u32(const void* p) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(p));
}

template <int Bytes>
__device__ void copy_async(void* to, const void* from, bool use) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], %2, %3;\n" ::"r"(shared_u32(to)), "l"(from), "n"(Bytes),
               "r"(use ? Bytes : 0)
               : "memory");
}

__global__ void scalars(unsigned* out, const uint4* in) {
  unsigned d = 0, e = 7;
  uint4 v;
  LOAD_VECTOR(v, in + threadIdx.x);
  BINARY(xor, d, v.x, v.w);
  // Named operands, a register that is read and written, a loop.
  unsigned sum = 0;
  asm volatile(
      "{\n\t"
      ".reg .pred %%p;\n\t"
      ".reg .u32 i;\n\t"
      "mov.u32 i, 0;\n"
      "AGAIN:\n\t"
      "add.u32 %[sum], %[sum], i; // comment\n\t"
      "add.u32 i, i, 1;\n\t"
      "setp.lt.u32 %%p, i, %[many];\n\t"
      "@%%p bra.uni AGAIN;\n\t"
      "}\n"
      : [sum] "+r"(sum)
      : [many] "r"(e + 3));
  float f = 1.5F, g;
  asm("fma.rn.f32 %0, %1, 0f40000000, %2;" : "=f"(g) : "f"(f), "f"(*(&f)));
  asm volatile("" : "+r"(d));
  uint64_t wide = (uint64_t{1} << 32) - 1;
  asm("{ .reg .u32 lo, hi; mov.b64 {lo, hi}, %1; add.cc.u32 lo, lo, 1; addc.u32 hi, hi, 0; mov.b64 %0, {lo, "
      "hi}; }"
      : "=l"(wide)
      : "l"(wide));
  unsigned short h;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(g));
  unsigned array[2] = {1, 2};
  asm("add.u32 %0, %1, %2;" : "=r"(array[1]) : "r"(array[0]), "r"(static_cast<unsigned>(lane_id() == 5)));
  out[threadIdx.x] = d + sum + (g == 4.5F) + (wide == uint64_t{1} << 32) + (h == 0x4480) + array[1];
}

// Tile i holds 100 i + 8 row + column.
__global__ void tiles(unsigned* out) {
  __shared__ alignas(16) uint16_t tile[4][8][8];
  for (unsigned k = threadIdx.x; k < 256; k += 32)
    tile[k / 64][k / 8 % 8][k % 8] = static_cast<uint16_t>(100 * (k / 64) + k % 64);
  __syncwarp();
  unsigned r[4], t[4], m;
  const uint32_t address = shared_u32(&tile[threadIdx.x / 8][threadIdx.x % 8][0]);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared::cta.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(t[0]), "=r"(t[1]), "=r"(t[2]), "=r"(t[3])
               : "r"(address));
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(m) : "r"(r[0]));
  for (int k = 0; k < 4; ++k) {
    out[threadIdx.x * 9 + k] = r[k];
    out[threadIdx.x * 9 + 4 + k] = t[k];
  }
  out[threadIdx.x * 9 + 8] = m;
  // And back, exchanged.
  asm volatile("stmatrix.sync.aligned.m8n8.x2.shared.b16 [%0], {%1, %2};" ::"r"(address), "r"(r[1]), "r"(r[0])
               : "memory");
  __syncwarp();
  if (tile[0][3][5] != 100 + 29 || tile[1][7][0] != 56) out[0] = 0xDEAD;
}

// Sums of tiles through two buffers. `waits`: as it should be.
__global__ void pipeline(const float* in, float* out, int steps, bool waits) {
  __shared__ alignas(16) float buffer[2][128];
  const unsigned t = threadIdx.x;
  float sum = 0;
  const auto fetch = [&](int step) {
    if (t < 32) copy_async<16>(&buffer[step % 2][4 * t], in + step * 128 + 4 * t, step != 2);
    asm volatile("cp.async.commit_group;" ::: "memory");
  };
  fetch(0);
  for (int step = 0; step < steps; ++step) {
    if (step + 1 < steps) {
      fetch(step + 1);
      if (waits) asm volatile("cp.async.wait_group %0;" ::"n"(1) : "memory");
    } else if (waits) {
      asm volatile("cp.async.wait_all;");
    }
    __syncthreads();
    sum += buffer[step % 2][t];
    __syncthreads();
  }
  out[t] = sum;
}

__global__ void product(float* d, const uint32_t* a, const uint32_t* b) {
  float c[4] = {1, 2, 3, 4};
  const unsigned t = threadIdx.x;
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};\n"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[4 * t]), "r"(a[4 * t + 1]), "r"(a[4 * t + 2]), "r"(a[4 * t + 3]), "r"(b[2 * t]),
        "r"(b[2 * t + 1]));
  for (int k = 0; k < 4; ++k) d[4 * t + k] = c[k];
}

__global__ void not_ptx() {
  unsigned x;
  asm volatile(STRING(frobnicate) ".u32 %0, 1;" : "=r"(x));
}

int main() {
  unsigned *out = nullptr, host[32 * 9];
  uint4* in = nullptr;
  cudaMalloc(&out, sizeof host);
  cudaMalloc(&in, 32 * sizeof(uint4));
  for (unsigned k = 0; k < 32; ++k) in[k] = make_uint4(k, 0, 0, 1000 * k);
  scalars<<<1, 32>>>(out, in);
  expect(cudaGetLastError() == cudaSuccess, cudaGetErrorString(cudaPeekAtLastError()));
  for (unsigned k = 0; k < 32; ++k)
    expect(out[k] == (k ^ 1000 * k) + 45 + 3 + 1 + (k == 5 ? 1 : 0), "scalars");

  tiles<<<1, 32>>>(out);
  expect(cudaGetLastError() == cudaSuccess, cudaGetErrorString(cudaPeekAtLastError()));
  for (unsigned k = 0; k < 32; ++k) {
    for (unsigned tile = 0; tile < 4; ++tile) {
      // The manual: row k / 4, columns 2 (k % 4) and the next; transposed with row and column exchanged.
      const unsigned row = k / 4, column = 2 * (k % 4);
      const unsigned straight = 100 * tile + 8 * row + column, across = 100 * tile + 8 * column + row;
      expect(out[9 * k + tile] == (straight | (straight + 1) << 16), "ldmatrix");
      expect(out[9 * k + 4 + tile] == (across | (across + 8) << 16), "ldmatrix.trans");
    }
    expect(out[9 * k + 8] == out[9 * k + 4], "movmatrix");
  }

  float *numbers = nullptr, *sums = nullptr;
  constexpr int steps = 5;
  cudaMalloc(&numbers, steps * 128 * sizeof(float));
  cudaMalloc(&sums, 128 * sizeof(float));
  for (int k = 0; k < steps * 128; ++k) numbers[k] = static_cast<float>(k);
  for (const bool waits : {true, false}) {
    pipeline<<<1, 128>>>(numbers, sums, steps, waits);
    expect(cudaGetLastError() == cudaSuccess, "pipeline");
    int right = 0;
    for (int t = 0; t < 128; ++t) {
      float sum = 0;
      for (int step = 0; step < steps; ++step) sum += step == 2 ? 0 : static_cast<float>(step * 128 + t);
      right += sums[t] == sum;
    }
    expect(right == (waits ? 128 : 0),
           waits ? "copies that are waited for" : "copies that are not waited for are stale");
  }

  // A: ones in row r's first element, times r; B: column n has n in every row.
  uint32_t *a = nullptr, *b = nullptr;
  cudaMalloc(&a, 128 * sizeof(uint32_t));
  cudaMalloc(&b, 64 * sizeof(uint32_t));
  const auto bf16 = [](float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, 4);
    return bits >> 16;
  };
  for (int t = 0; t < 32; ++t) {
    for (int r = 0; r < 4; ++r) {
      const int row = t / 4 + 8 * (r % 2), k = 2 * (t % 4) + 8 * (r / 2);
      a[4 * t + r] = bf16(static_cast<float>(row + k)) | bf16(static_cast<float>(row + k + 1)) << 16;
    }
    for (int r = 0; r < 2; ++r) {
      const int column = t / 4, k = 2 * (t % 4) + 8 * r;
      b[2 * t + r] = bf16(static_cast<float>(column - k)) | bf16(static_cast<float>(column - k - 1)) << 16;
    }
  }
  float* d = nullptr;
  cudaMalloc(&d, 128 * sizeof(float));
  product<<<1, 32>>>(d, a, b);
  expect(cudaGetLastError() == cudaSuccess, cudaGetErrorString(cudaPeekAtLastError()));
  for (int t = 0; t < 32; ++t) {
    for (int e = 0; e < 4; ++e) {
      const int row = t / 4 + 8 * (e / 2), column = 2 * (t % 4) + e % 2;
      int sum = e + 1;
      for (int k = 0; k < 16; ++k) sum += (row + k) * (column - k);
      expect(d[4 * t + e] == static_cast<float>(sum), "mma");
    }
  }

  not_ptx<<<1, 1>>>();
  expect(cudaGetLastError() == cudaErrorLaunchFailure, "an unknown instruction fails");
  const char* const why = cudaGetErrorString(cudaErrorLaunchFailure);
  expect(std::strstr(why, "frobnicate.u32") != nullptr && std::strstr(why, "ptx.cu") != nullptr, why);
  return wrong == 0 ? 0 : 1;
}
