// Copies that arrive at barriers in shared memory: bulk copies, tensors with a swizzle, groups of bulk stores; barriers
// of some warps; a product of a warpgroup.
#include <cuda.h>
#include <cuda_pipeline.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

namespace {
int wrong = 0;
void expect(bool holds, const char* what) {
  if (!holds) {
    std::printf("%s\n", what);
    ++wrong;
  }
}
bool is_done(const char* what) {
  const cudaError_t error = cudaGetLastError();
  if (error != cudaSuccess) std::printf("%s: %s\n", what, cudaGetErrorString(error));
  wrong += error != cudaSuccess;
  return error == cudaSuccess;
}
}  // namespace

__device__ uint32_t shared_u32(const void* p) { return static_cast<uint32_t>(__cvta_generic_to_shared(p)); }
__device__ void init(uint64_t* barrier, int count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_u32(barrier)), "r"(count));
}
__device__ void expect_bytes(uint64_t* barrier, uint32_t bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_u32(barrier)), "r"(bytes)
               : "memory");
}
__device__ void wait(uint64_t* barrier, int phase) {
  asm volatile(
      "{\n"
      ".reg .pred P1;\n"
      "LAB_WAIT:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 P1, [%0], %1;\n"
      "@P1 bra.uni DONE;\n"
      "bra.uni LAB_WAIT;\n"
      "DONE:\n"
      "}" ::"r"(shared_u32(barrier)),
      "r"(phase)
      : "memory");
}

// Two stages of bulk copies by one thread, doubled, and stored in bulk.
__global__ void bulk(const float* in, float* out, int steps, bool waits) {
  extern __shared__ __align__(128) float stage[];
  __shared__ uint64_t full[2];
  const int t = static_cast<int>(threadIdx.x);
  if (t == 0) {
    init(&full[0], 1);
    init(&full[1], 1);
    asm volatile("fence.mbarrier_init.release.cluster;");
  }
  __syncthreads();
  for (int step = 0; step < steps; ++step) {
    float* const mine = stage + step % 2 * 64;
    if (t == 0) {
      expect_bytes(&full[step % 2], 256);
      asm volatile(
          "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
              shared_u32(mine)),
          "l"(in + 64 * step), "r"(256), "r"(shared_u32(&full[step % 2]))
          : "memory");
    }
    if (waits) wait(&full[step % 2], step / 2 % 2);
    mine[t] *= 2;
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
    __syncthreads();
    if (t == 0) {
      asm volatile("cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], %2;" ::"l"(out + 64 * step),
                   "r"(shared_u32(mine)), "r"(256)
                   : "memory");
      asm volatile("cp.async.bulk.commit_group;");
      asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(0) : "memory");
    }
    __syncthreads();
  }
}

// A box of a tensor: as it lies in shared memory, and back through another map.
__global__ void boxes(const __grid_constant__ CUtensorMap from, const __grid_constant__ CUtensorMap to,
                      unsigned char* raw, int bytes, int x, int y) {
  extern __shared__ __align__(1024) unsigned char tile[];
  __shared__ uint64_t full;
  if (threadIdx.x == 0) {
    init(&full, 1);
    expect_bytes(&full, static_cast<uint32_t>(bytes));
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, "
        "%4}], [%2];" ::"r"(shared_u32(tile)),
        "l"(&from), "r"(shared_u32(&full)), "r"(x), "r"(y)
        : "memory");
  }
  __syncthreads();
  wait(&full, 0);
  for (int k = static_cast<int>(threadIdx.x); k < bytes; k += 32) raw[k] = tile[k];
  __syncthreads();
  if (threadIdx.x == 0) {
    asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%2, %3}], [%1];" ::"l"(&to),
                 "r"(shared_u32(tile)), "r"(0), "r"(0)
                 : "memory");
    asm volatile("cp.async.bulk.commit_group;\n\tcp.async.bulk.wait_group 0;" ::: "memory");
  }
}

// Producer warps arrive, consumer warps wait: barriers of 64 of 128 threads, and one after copies.
__global__ void warps(int* out, const int* in) {
  __shared__ int value[2][32];
  __shared__ alignas(8) __mbarrier_t copied;
  const int warp = static_cast<int>(threadIdx.x / 32), lane = static_cast<int>(threadIdx.x % 32);
  if (threadIdx.x == 0) __mbarrier_init(&copied, 64);
  __syncthreads();
  if (warp < 2) {
    __pipeline_memcpy_async(&value[warp][lane], in + threadIdx.x, 4);
    __pipeline_arrive_on(&copied);
    while (!__mbarrier_test_wait_parity(&copied, false)) {
    }
    value[warp][lane] += 1000;
    asm volatile("bar.arrive %0, 64;" ::"r"(1 + warp) : "memory");
  } else {
    asm volatile("barrier.sync %0, %1;" ::"r"(warp - 1), "n"(64) : "memory");
    out[(warp - 2) * 32 + lane] = value[warp - 2][lane];
  }
}

// Both interfaces of cuda_pipeline.h: groups that are waited for in order, zeros at an end, and a token of a barrier.
__global__ void primitives(int* out, const int4* in) {
  __shared__ int4 group[3][32];
  __shared__ __mbarrier_t met;
  const unsigned t = threadIdx.x;
  if (t == 0) __mbarrier_init(&met, 32);
  for (int k = 0; k < 2; ++k) {
    group[k][t] = make_int4(-1, -1, -1, -1);
    __pipeline_memcpy_async(&group[k][t], in + t, 16, k == 0 ? 0 : 8);
    __pipeline_commit();
  }
  __pipeline_wait_prior(1);
  int sum = group[0][t].w + group[1][t].w;  // the second is not there yet
  __pipeline_wait_prior(0);
  sum = 10 * sum + group[1][t].w + group[1][t].y;
  nvcuda::experimental::pipeline pipe;
  nvcuda::experimental::memcpy_async(group[2][t], in[31 - t], pipe);
  pipe.commit_and_wait();
  const __mbarrier_token_t token = __mbarrier_arrive(&met);
  while (!__mbarrier_try_wait(&met, token, 100)) {
  }
  out[t] = 1000 * sum + group[2][(t + 1) % 32].x;
}

// Returns where a barrier waits for ever.
__global__ void stuck() {
  __shared__ uint64_t barrier;
  init(&barrier, 2);
  expect_bytes(&barrier, 16);
  wait(&barrier, 0);
}

__device__ uint64_t descriptor(const void* p, int leading, int stride, int swizzle) {
  const auto field = [](uint32_t x) { return static_cast<uint64_t>((x & 0x3FFFF) >> 4); };
  return field(shared_u32(p)) | field(static_cast<uint32_t>(leading)) << 16 |
         field(static_cast<uint32_t>(stride)) << 32 | static_cast<uint64_t>(swizzle) << 62;
}

// D (64 x 64) = A (64 x 64) B (64 x 64) + D, bf16, in K steps of 16; A and B K-major, in rows of 128 bytes, swizzled.
__global__ void warpgroup(const __grid_constant__ CUtensorMap a_map,
                          const __grid_constant__ CUtensorMap b_map, float* d) {
  extern __shared__ __align__(1024) unsigned char tiles[];
  __shared__ uint64_t full;
  unsigned char *a = tiles, *b = tiles + 64 * 128;
  if (threadIdx.x == 0) {
    init(&full, 1);
    expect_bytes(&full, 2 * 64 * 128);
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %3}], "
        "[%2];" ::"r"(shared_u32(a)),
        "l"(&a_map), "r"(shared_u32(&full)), "r"(0)
        : "memory");
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %3}], "
        "[%2];" ::"r"(shared_u32(b)),
        "l"(&b_map), "r"(shared_u32(&full)), "r"(0)
        : "memory");
  }
  __syncthreads();
  wait(&full, 0);
  float c[32] = {};
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
  for (int k = 0; k < 4; ++k) {
    const uint64_t da = descriptor(a + 32 * k, 1, 1024, 1), db = descriptor(b + 32 * k, 1, 1024, 1);
    asm volatile(
        "{\n"
        ".reg .pred p;\n"
        "setp.ne.b32 p, %34, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
        "%32, %33, p, 1, 1, 0, 0;\n"
        "}\n"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]), "+f"(c[4]), "+f"(c[5]), "+f"(c[6]), "+f"(c[7]),
          "+f"(c[8]), "+f"(c[9]), "+f"(c[10]), "+f"(c[11]), "+f"(c[12]), "+f"(c[13]), "+f"(c[14]),
          "+f"(c[15]), "+f"(c[16]), "+f"(c[17]), "+f"(c[18]), "+f"(c[19]), "+f"(c[20]), "+f"(c[21]),
          "+f"(c[22]), "+f"(c[23]), "+f"(c[24]), "+f"(c[25]), "+f"(c[26]), "+f"(c[27]), "+f"(c[28]),
          "+f"(c[29]), "+f"(c[30]), "+f"(c[31])
        : "l"(da), "l"(db), "r"(k));
  }
  asm volatile("wgmma.commit_group.sync.aligned;\nwgmma.wait_group.sync.aligned 0;" ::: "memory");
  // The manual's: row 16 warp + lane / 4 + 8 (i / 2 % 2), column 8 (i / 4) + 2 (lane % 4) + i % 2.
  const int warp = static_cast<int>(threadIdx.x / 32), lane = static_cast<int>(threadIdx.x % 32);
  for (int i = 0; i < 32; ++i)
    d[(16 * warp + lane / 4 + 8 * (i / 2 % 2)) * 64 + 8 * (i / 4) + 2 * (lane % 4) + i % 2] = c[i];
}

int main() {
  constexpr int steps = 5;
  float *in = nullptr, *out = nullptr;
  cudaMalloc(&in, 64 * steps * sizeof(float));
  cudaMalloc(&out, 64 * steps * sizeof(float));
  for (int k = 0; k < 64 * steps; ++k) in[k] = static_cast<float>(k);
  for (const bool waits : {true, false}) {
    std::memset(out, 0, 64 * steps * sizeof(float));
    // A barrier that nobody asks does not go on, so no stage comes twice.
    bulk<<<1, 64, 512>>>(in, out, waits ? steps : 2, waits);
    is_done("bulk");
    int right = 0;
    for (int k = 0; k < 64 * steps; ++k) right += out[k] == static_cast<float>(2 * k);
    expect(waits ? right == 64 * steps : right < 64, "bulk copies");
  }

  // Boxes that lie half outside; 128 bytes of 2-byte numbers are 64.
  PFN_cuTensorMapEncodeTiled encode = nullptr;
  cudaDriverEntryPointQueryResult found;
  expect(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", reinterpret_cast<void**>(&encode), 12000,
                                          cudaEnableDefault, &found) == cudaSuccess &&
             found == cudaDriverEntryPointSuccess && encode == &cuTensorMapEncodeTiled,
         "the driver's function");
  constexpr int width = 104, height = 24;
  uint16_t *tensor = nullptr, *copy = nullptr;
  unsigned char* raw = nullptr;
  cudaMalloc(&tensor, width * height * 2);
  cudaMalloc(&copy, 64 * 16 * 2);
  cudaMalloc(&raw, 64 * 16 * 2);
  for (int k = 0; k < width * height; ++k) tensor[k] = static_cast<uint16_t>(k + 1);
  const cuuint32_t ones[] = {1, 1};
  const auto map_of = [&](void* data, cuuint64_t columns, cuuint64_t rows, cuuint32_t box_x, cuuint32_t box_y,
                          CUtensorMapSwizzle swizzle, CUtensorMap* map) {
    const cuuint64_t sizes[] = {columns, rows}, strides[] = {columns * 2};
    const cuuint32_t box[] = {box_x, box_y};
    return encode(map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, data, sizes, strides, box, ones,
                  CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle, CU_TENSOR_MAP_L2_PROMOTION_NONE,
                  CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  };
  for (const int swizzle : {0, 1, 2, 3}) {
    const int columns = swizzle == 0 ? 64 : 8 << swizzle, rows = 16, bytes = columns * rows * 2;
    CUtensorMap from, to;
    expect(map_of(tensor, width, height, static_cast<cuuint32_t>(columns), rows,
                  static_cast<CUtensorMapSwizzle>(swizzle), &from) == CUDA_SUCCESS,
           "a tensor map");
    expect(map_of(copy, static_cast<cuuint64_t>(columns), rows, static_cast<cuuint32_t>(columns), rows,
                  static_cast<CUtensorMapSwizzle>(swizzle), &to) == CUDA_SUCCESS,
           "a tensor map");
    for (const int x : {0, 8, 80, -3}) {
      const int y = 12;
      boxes<<<1, 32, 2048>>>(from, to, raw, bytes, x, y);
      if (!is_done("boxes")) return 1;
      int bad = 0;
      for (int r = 0; r < rows; ++r) {
        for (int c = 0; c < columns; ++c) {
          const bool inside = x + c >= 0 && x + c < width && y + r < height;
          const uint16_t value = inside ? tensor[(y + r) * width + x + c] : 0;
          // Pieces of 16 bytes: the piece's number within its 128 bytes is exchanged by that of the 128 bytes.
          const int linear = r * columns * 2 + c * 2, line = linear / 128;
          const int mask = swizzle == 0 ? 0 : (1 << swizzle) - 1;
          const int byte = 128 * line + ((linear % 128 / 16) ^ (line & mask)) * 16 + linear % 16;
          uint16_t got;
          std::memcpy(&got, raw + byte, 2);
          bad += got != value;
          bad += copy[r * columns + c] != value;
        }
      }
      expect(bad == 0, "a box");
    }
  }
  CUtensorMap refused;
  expect(map_of(tensor, width, height, 128, 16, CU_TENSOR_MAP_SWIZZLE_128B, &refused) ==
             CUDA_ERROR_INVALID_VALUE,
         "more than a swizzle has");
  expect(map_of(tensor, width - 1, height, 64, 16, CU_TENSOR_MAP_SWIZZLE_NONE, &refused) ==
             CUDA_ERROR_INVALID_VALUE,
         "a stride of no 16 bytes");

  int numbers[64], *ints = nullptr, *results = nullptr;
  cudaMalloc(&ints, sizeof numbers);
  cudaMalloc(&results, sizeof numbers);
  for (int k = 0; k < 64; ++k) ints[k] = k;
  warps<<<1, 128>>>(results, ints);
  is_done("warps");
  for (int k = 0; k < 64; ++k) expect(results[k] == 1000 + k, "barriers of some warps");

  int4* quads = nullptr;
  cudaMalloc(&quads, 32 * sizeof(int4));
  for (int k = 0; k < 32; ++k) quads[k] = make_int4(k, k + 1, k + 2, k + 3);
  primitives<<<1, 32>>>(results, quads);
  is_done("primitives");
  for (int k = 0; k < 32; ++k)
    expect(results[k] == 1000 * (10 * (k + 3 - 1) + k + 1) + (31 - (k + 1) % 32), "pipeline primitives");

  // A and B K-major: rows of A, columns of B; small integers, so that every order gives the exact sum.
  uint16_t *a = nullptr, *b = nullptr;
  float* d = nullptr;
  cudaMalloc(&a, 64 * 64 * 2);
  cudaMalloc(&b, 64 * 64 * 2);
  cudaMalloc(&d, 64 * 64 * sizeof(float));
  const auto bf16 = [](int x) {
    const auto f = static_cast<float>(x);
    uint32_t bits;
    std::memcpy(&bits, &f, 4);
    return static_cast<uint16_t>(bits >> 16);
  };
  const auto a_of = [](int row, int k) { return (row * 7 + k * 3) % 31 - 15; };
  const auto b_of = [](int k, int column) { return (column * 5 + k * 11) % 29 - 14; };
  for (int r = 0; r < 64; ++r) {
    for (int k = 0; k < 64; ++k) {
      a[r * 64 + k] = bf16(a_of(r, k));
      b[r * 64 + k] = bf16(b_of(k, r));
    }
  }
  CUtensorMap a_map, b_map;
  map_of(a, 64, 64, 64, 64, CU_TENSOR_MAP_SWIZZLE_128B, &a_map);
  map_of(b, 64, 64, 64, 64, CU_TENSOR_MAP_SWIZZLE_128B, &b_map);
  warpgroup<<<1, 128, 2 * 64 * 128>>>(a_map, b_map, d);
  is_done("warpgroup");
  int bad = 0;
  for (int r = 0; r < 64; ++r) {
    for (int c = 0; c < 64; ++c) {
      int sum = 0;
      for (int k = 0; k < 64; ++k) sum += a_of(r, k) * b_of(k, c);
      bad += d[r * 64 + c] != static_cast<float>(sum);
    }
  }
  expect(bad == 0, "wgmma");

  stuck<<<1, 1>>>();
  expect(cudaGetLastError() == cudaErrorLaunchFailure, "a barrier that waits for ever");
  expect(std::strstr(cudaGetErrorString(cudaErrorLaunchFailure), "mbarrier") != nullptr, "which says so");
  return wrong == 0 ? 0 : 1;
}
