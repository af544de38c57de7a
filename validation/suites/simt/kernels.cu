#include "validation/suites/simt/kernels.hpp"

#include <cuda_fp16.h>
#include <cuda_pipeline.h>
#include <mma.h>
#include <cstddef>
#include <cstring>

namespace assay::suites {
namespace {

constexpr unsigned all_lanes = 0xFFFFFFFF;

// --- sparse times dense, float32 -------------------------------------------------------------------------------------

constexpr int spmm_rows = 8, spmm_columns = 64;

// A warp a row, two columns a lane; entries of the row go through shared memory, 32 at a time.
__global__ void spmm(SpmmOperands o) {
  __shared__ std::int32_t columns[spmm_rows][32];
  __shared__ float values[spmm_rows][32];
  __shared__ std::int32_t lengths[spmm_rows];
  const int lane = static_cast<int>(threadIdx.x), r = static_cast<int>(threadIdx.y);
  const int row = static_cast<int>(blockIdx.x) * spmm_rows + r;
  const int first_column = static_cast<int>(blockIdx.y) * spmm_columns + 2 * lane;
  const int begin = row < o.rows ? o.row_offsets[row] : 0, end = row < o.rows ? o.row_offsets[row + 1] : 0;
  if (lane == 0) lengths[r] = end - begin;
  __syncthreads();
  int longest = 0;
  for (const int length : lengths) longest = max(longest, length);
  float sum[2] = {0, 0};
  for (int base = 0; base < longest; base += 32) {
    const int entry = begin + base + lane;
    columns[r][lane] = entry < end ? o.columns[entry] : 0;
    values[r][lane] = entry < end ? o.values[entry] : 0;
    __syncthreads();
    const int count = min(end - begin - base, 32);
    for (int i = 0; i < count; ++i) {
      const float* const x = o.x + static_cast<std::size_t>(columns[r][i]) * static_cast<std::size_t>(o.n);
      for (int j = 0; j < 2; ++j) {
        if (first_column + j < o.n) sum[j] = fmaf(values[r][i], x[first_column + j], sum[j]);
      }
    }
    __syncthreads();
  }
  for (int j = 0; j < 2; ++j) {
    if (row < o.rows && first_column + j < o.n)
      o.y[static_cast<std::size_t>(row) * static_cast<std::size_t>(o.n) +
          static_cast<std::size_t>(first_column + j)] = fmaxf(sum[j] + o.bias[row], 0.0F);
  }
}

// --- blocks of bf16 on tensor cores ----------------------------------------------------------------------------------

// A warp a row of blocks and 64 columns: X of the next block is copied while this one is multiplied.
__global__ void bsr(BsrOperands o) {
  extern __shared__ std::uint16_t staged[];  // two of 16 x 64
  const int lane = static_cast<int>(threadIdx.x), group = lane / 4, pair = lane % 4;
  const int block_row = static_cast<int>(blockIdx.x), first_column = static_cast<int>(blockIdx.y) * 64;
  const auto n = static_cast<std::size_t>(o.n);
  float d[8][4] = {};
  const int begin = o.row_offsets[block_row], end = o.row_offsets[block_row + 1];
  const auto copy = [&](int block, int buffer) {
    for (int chunk = lane; chunk < 128; chunk += 32) {
      const int row = chunk / 8, column = chunk % 8 * 8;
      __pipeline_memcpy_async(
          staged + buffer * 1024 + row * 64 + column,
          o.x + (static_cast<std::size_t>(o.columns[block]) * 16 + static_cast<std::size_t>(row)) * n +
              static_cast<std::size_t>(first_column + column),
          16);
    }
    __pipeline_commit();
  };
  if (begin < end) copy(begin, 0);
  for (int block = begin; block < end; ++block) {
    const int buffer = (block - begin) % 2;
    if (block + 1 < end) copy(block + 1, 1 - buffer);
    __pipeline_wait_prior(block + 1 < end ? 1 : 0);
    __syncthreads();
    const std::uint16_t* const a = o.values + static_cast<std::size_t>(block) * 256;
    unsigned of_a[4];
    for (int i = 0; i < 4; ++i) {
      const int row = group + 8 * (i % 2), column = 2 * pair + 8 * (i / 2);
      std::memcpy(&of_a[i], a + row * 16 + column, 4);
    }
    for (int tile = 0; tile < 8; ++tile) {
      const std::uint16_t* const x = staged + buffer * 1024 + tile * 8 + group;
      unsigned of_x[2];
      for (int i = 0; i < 2; ++i) {
        const int row = 2 * pair + 8 * i;
        of_x[i] = x[row * 64] | static_cast<unsigned>(x[(row + 1) * 64]) << 16;
      }
      asm volatile(
          "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
          "{%0, %1, %2, %3};"
          : "+f"(d[tile][0]), "+f"(d[tile][1]), "+f"(d[tile][2]), "+f"(d[tile][3])
          : "r"(of_a[0]), "r"(of_a[1]), "r"(of_a[2]), "r"(of_a[3]), "r"(of_x[0]), "r"(of_x[1]));
    }
    __syncthreads();
  }
  for (int tile = 0; tile < 8; ++tile) {
    for (int i = 0; i < 4; ++i) {
      const auto row = static_cast<std::size_t>(block_row * 16 + group + 8 * (i / 2));
      o.y[row * n + static_cast<std::size_t>(first_column + tile * 8 + 2 * pair + i % 2)] = d[tile][i];
    }
  }
}

// --- dense products --------------------------------------------------------------------------------------------------

__global__ void wmma_gemm(GemmOperands o) {
  using namespace nvcuda;
  const auto n = static_cast<unsigned>(o.n), k = static_cast<unsigned>(o.k);
  const std::size_t row = 16 * blockIdx.x, column = 16 * blockIdx.y;
  wmma::fragment<wmma::matrix_a, 16, 16, 16, __half, wmma::row_major> a;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, __half, wmma::row_major> b;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum;
  wmma::load_matrix_sync(sum, o.c + row * n + column, n, wmma::mem_row_major);
  for (std::size_t at = 0; at < k; at += 16) {
    wmma::load_matrix_sync(a, reinterpret_cast<const __half*>(o.a) + row * k + at, k);
    wmma::load_matrix_sync(b, reinterpret_cast<const __half*>(o.b) + at * n + column, n);
    wmma::mma_sync(sum, a, b, sum);
  }
  wmma::store_matrix_sync(o.d + row * n + column, sum, n, wmma::mem_row_major);
}

__global__ void int8_gemm(const std::int8_t* a, const std::int8_t* b, int n, int k, std::int32_t* d) {
  const int lane = static_cast<int>(threadIdx.x), group = lane / 4, four = 4 * (lane % 4);
  const int row = 16 * static_cast<int>(blockIdx.x), column = 8 * static_cast<int>(blockIdx.y);
  int sum[4] = {};
  for (int at = 0; at < k; at += 32) {
    unsigned of_a[4] = {}, of_b[2] = {};
    for (int i = 0; i < 4; ++i)
      std::memcpy(&of_a[i], a + (row + group + 8 * (i % 2)) * k + at + four + 16 * (i / 2), 4);
    for (int i = 0; i < 2; ++i) {
      for (int byte = 0; byte < 4; ++byte) {
        const auto code = static_cast<std::uint8_t>(b[(at + four + 16 * i + byte) * n + column + group]);
        of_b[i] |= static_cast<unsigned>(code) << (8 * byte);
      }
    }
    asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+r"(sum[0]), "+r"(sum[1]), "+r"(sum[2]), "+r"(sum[3])
        : "r"(of_a[0]), "r"(of_a[1]), "r"(of_a[2]), "r"(of_a[3]), "r"(of_b[0]), "r"(of_b[1]));
  }
  for (int i = 0; i < 4; ++i) d[(row + group + 8 * (i / 2)) * n + column + 2 * (lane % 4) + i % 2] = sum[i];
}

// --- reductions ------------------------------------------------------------------------------------------------------

__global__ void row_sums(const float* x, int columns, float* sums) {
  __shared__ float of_warp[32];
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const float* const row = x + static_cast<std::size_t>(blockIdx.x) * static_cast<std::size_t>(columns);
  float sum = 0;
  for (int i = static_cast<int>(threadIdx.x); i < columns; i += static_cast<int>(blockDim.x)) sum += row[i];
  for (int distance = 16; distance > 0; distance /= 2)
    sum += __shfl_down_sync(all_lanes, sum, static_cast<unsigned>(distance));
  if (lane == 0) of_warp[warp] = sum;
  __syncthreads();
  if (warp != 0) return;
  sum = lane < blockDim.x / 32 ? of_warp[lane] : 0;
  for (int distance = 16; distance > 0; distance /= 2)
    sum += __shfl_down_sync(all_lanes, sum, static_cast<unsigned>(distance));
  if (lane == 0) sums[blockIdx.x] = sum;
}

__global__ void histogram(const std::uint8_t* x, int count, int bins, std::int32_t* counts) {
  __shared__ std::int32_t of_block[256];
  for (int i = static_cast<int>(threadIdx.x); i < bins; i += static_cast<int>(blockDim.x)) of_block[i] = 0;
  __syncthreads();
  const int stride = static_cast<int>(blockDim.x * gridDim.x);
  for (int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); i < count; i += stride)
    atomicAdd(&of_block[x[i]], 1);
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < bins; i += static_cast<int>(blockDim.x))
    atomicAdd(&counts[i], of_block[i]);
}

// --- faults ----------------------------------------------------------------------------------------------------------

__global__ void divergent_barrier() {
  if (threadIdx.x < 32) {
    __syncwarp();
    while (__shfl_sync(all_lanes, 1, 0) != 1) {
    }
    asm volatile("bar.sync 1, 64;");
  } else {
    __syncthreads();
  }
}

// The upper lanes never come to what the lower ones wait for.
__global__ void wrong_mask(int* out) {
  if (threadIdx.x < 16)
    *out = __shfl_sync(all_lanes, static_cast<int>(threadIdx.x), 0);
  else
    __syncthreads();
}

__global__ void late_copy(const std::uint32_t* x, std::uint32_t* stale, std::uint32_t* waited) {
  __shared__ std::uint32_t copy[32];
  copy[threadIdx.x] = 7;
  __pipeline_memcpy_async(&copy[threadIdx.x], &x[threadIdx.x], 4);
  __pipeline_commit();
  stale[threadIdx.x] = copy[threadIdx.x];
  __pipeline_wait_prior(0);
  waited[threadIdx.x] = copy[threadIdx.x];
}

unsigned parts(std::int32_t whole, std::int32_t part) {
  return static_cast<unsigned>((whole + part - 1) / part);
}

}  // namespace

std::string launch_spmm(const SpmmOperands& o, const simt::LaunchOptions& options) {
  return simt::launch(
      dim3(parts(o.rows, spmm_rows), parts(o.n, spmm_columns)), dim3(32, spmm_rows), 0, [&] { spmm(o); },
      options);
}
std::string launch_bsr(const BsrOperands& o, const simt::LaunchOptions& options) {
  return simt::launch(
      dim3(static_cast<unsigned>(o.block_rows), parts(o.n, 64)), dim3(32), 4096, [&] { bsr(o); }, options);
}
std::string launch_wmma(const GemmOperands& o, const simt::LaunchOptions& options) {
  return simt::launch(
      dim3(parts(o.m, 16), parts(o.n, 16)), dim3(32), 0, [&] { wmma_gemm(o); }, options);
}
std::string launch_row_sums(const float* x, std::int32_t rows, std::int32_t columns, float* sums,
                            const simt::LaunchOptions& options) {
  return simt::launch(
      dim3(static_cast<unsigned>(rows)), dim3(256), 0, [&] { row_sums(x, columns, sums); }, options);
}
std::string launch_int8(const std::int8_t* a, const std::int8_t* b, std::int32_t m, std::int32_t n,
                        std::int32_t k, std::int32_t* d, const simt::LaunchOptions& options) {
  return simt::launch(
      dim3(parts(m, 16), parts(n, 8)), dim3(32), 0, [&] { int8_gemm(a, b, n, k, d); }, options);
}
std::string launch_histogram(const std::uint8_t* x, std::int32_t count, std::int32_t bins,
                             std::int32_t* counts, const simt::LaunchOptions& options) {
  return simt::launch(
      dim3(5), dim3(96), 0, [&] { histogram(x, count, bins, counts); }, options);
}
std::string launch_divergent_barrier(const simt::LaunchOptions& options) {
  return simt::launch(
      dim3(1), dim3(64), 0, [] { divergent_barrier(); }, options);
}
std::string launch_wrong_mask(const simt::LaunchOptions& options) {
  int out = 0;
  return simt::launch(
      dim3(1), dim3(32), 0, [&] { wrong_mask(&out); }, options);
}
std::string launch_copy(const std::uint32_t* x, std::uint32_t* stale, std::uint32_t* waited,
                        const simt::LaunchOptions& options) {
  return simt::launch(
      dim3(1), dim3(32), 0, [&] { late_copy(x, stale, waited); }, options);
}

}  // namespace assay::suites
