// D = A B, dense and row-major: bf16 operands, sums in float32, D in float32 or bf16. The sparse kernels' baseline.
//
// Numerics: the bits of the bf16 matrix unit of the GPU that it runs on (emulation/units: sm80.bf16, sm90.bf16, ...),
// as gemm() of that unit gives them.
//   order   a sum starts at +0 and takes k in chunks of 16, ascending, an mma each; K is filled up with +0 to a
//           multiple of 16. No split of K: no size of a tile and no schedule changes a bit.
//   output  float32: the sum; bf16: the sum rounded to nearest even. A NaN is 0x7FFFFFFF, of bf16 0x7FFF.
//
// A block computes 128 x 128 of D: 2 m n k flops in all; it reads 512 k bytes of A and B by cp.async in stages of 32 of
// k, 64 KiB of shared memory in all. A warp reads 3072 bytes of it for 65536 flops.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "gpu/kernels/bf16_tiles.cuh"
#include "gpu/kernels/launch.cuh"

namespace assay::gpu {

struct GemmBf16Config {
  static constexpr int m = 128, n = 128, k = 32;  // of a block, and of a stage
  static constexpr int warps_m = 2, warps_n = 4;
  static constexpr int stages = 4;
  static constexpr int threads = 32 * warps_m * warps_n;
  static constexpr int group = 8;  // rows of tiles that run together, for the L2 cache
  static constexpr std::size_t bytes_a = std::size_t{m} * k * 2, bytes_b = std::size_t{k} * n * 2;
  static constexpr std::size_t shared_bytes = stages * (bytes_a + bytes_b);

  static_assert(m % (16 * warps_m) == 0 && n % (16 * warps_n) == 0, "a warp has whole fragments");
  static_assert(k % bf16_tiles::chunk == 0, "a stage is whole chunks of k");
  static_assert(stages >= 2, "a stage is loaded while another is multiplied");
  static_assert(m * k / bf16_tiles::piece % threads == 0 && k * n / bf16_tiles::piece % threads == 0,
                "all threads load the same number of pieces");
  static_assert(shared_bytes <= 99 * 1024, "the stages fit in the shared memory of every GPU from sm_80 on");
};

// Arrays of the device; strides are of rows, in numbers. Out: float, or std::uint16_t for bf16.
template <class Out>
struct GemmBf16 {
  std::size_t m = 0, n = 0, k = 0;
  const std::uint16_t* a = nullptr;  // m x k
  std::size_t a_stride = 0;
  const std::uint16_t* b = nullptr;  // k x n
  std::size_t b_stride = 0;
  Out* d = nullptr;  // m x n
  std::size_t d_stride = 0;
};

namespace gemm_bf16_kernels {

using Config = GemmBf16Config;
using namespace bf16_tiles;

__host__ __device__ constexpr std::size_t tiles(std::size_t size, int of) {
  return (size + static_cast<std::size_t>(of) - 1) / static_cast<std::size_t>(of);
}

// `rows` x (8 `pieces`) of a matrix from (row, column) on.
template <class S, int rows, int pieces>
__device__ inline void load_tile(std::uint32_t to, const Source& from, std::size_t row, std::size_t column,
                                 std::size_t all_rows, std::size_t all_columns) {
#pragma unroll
  for (int i = 0; i < rows * pieces / Config::threads; ++i) {
    const int at = i * Config::threads + static_cast<int>(threadIdx.x), r = at / pieces, p = at % pieces;
    const std::size_t x = row + static_cast<std::size_t>(r), y = column + static_cast<std::size_t>(p * piece);
    const std::ptrdiff_t left =
        x < all_rows ? static_cast<std::ptrdiff_t>(all_columns) - static_cast<std::ptrdiff_t>(y) : 0;
    load_piece(to + at_piece<pieces>(r, p), from, x, y, S::numbers(left));
  }
}

template <class Out, class S>
__global__ void __launch_bounds__(Config::threads) multiply(GemmBf16<Out> o) {
  extern __shared__ __align__(128) unsigned char bf16_stages[];
  constexpr int pieces_a = Config::k / piece, pieces_b = Config::n / piece;
  constexpr int blocks_m = Config::m / Config::warps_m / 16, pairs_n = Config::n / Config::warps_n / 16;
  constexpr auto stage_bytes = static_cast<std::uint32_t>(Config::bytes_a + Config::bytes_b);

  // Blocks that run together take tiles of few rows and few columns.
  const std::size_t tiles_m = tiles(o.m, Config::m), tiles_n = tiles(o.n, Config::n);
  const std::size_t of_group = Config::group * tiles_n, first = blockIdx.x / of_group * Config::group,
                    within = blockIdx.x % of_group,
                    height = tiles_m - first < Config::group ? tiles_m - first : Config::group;
  const std::size_t row0 = (first + within % height) * Config::m, column0 = within / height * Config::n;

  const Source a{o.a, o.a_stride, at_pieces(o.a, o.a_stride)}, b{o.b, o.b_stride, at_pieces(o.b, o.b_stride)};
  const std::uint32_t stages = shared_address(bf16_stages);
  const auto load = [&](std::size_t t) {
    const std::uint32_t to = stages + static_cast<std::uint32_t>(t % Config::stages) * stage_bytes;
    load_tile<S, Config::m, pieces_a>(to, a, row0, t * Config::k, o.m, o.k);
    load_tile<S, Config::k, pieces_b>(to + static_cast<std::uint32_t>(Config::bytes_a), b, t * Config::k,
                                      column0, o.k, o.n);
  };

  const std::size_t steps = tiles(o.k, Config::k);
  for (std::size_t t = 0; t + 1 < Config::stages; ++t) {
    if (t < steps) load(t);
    cp_async_commit();
  }
  const int warp = static_cast<int>(threadIdx.x / 32), lane = static_cast<int>(threadIdx.x % 32);
  const int row = warp / Config::warps_n * 16 * blocks_m, column = warp % Config::warps_n * 16 * pairs_n;
  float sums[blocks_m][2 * pairs_n][4] = {};
  for (std::size_t t = 0; t < steps; ++t) {
    S::template wait<Config::stages - 2>();
    // The stage is there for all threads, and all have multiplied the one that is loaded next.
    __syncthreads();
    if (t + Config::stages - 1 < steps) load(t + Config::stages - 1);
    cp_async_commit();
    const std::uint32_t from = stages + static_cast<std::uint32_t>(t % Config::stages) * stage_bytes;
    const std::size_t left = o.k - t * Config::k;
    const int chunks = left < Config::k ? static_cast<int>(tiles(left, chunk)) : Config::k / chunk;
#pragma unroll
    for (int i = 0; i < Config::k / chunk; ++i) {
      if (i < chunks)
        multiply_chunk<S, pieces_a, pieces_b, blocks_m, pairs_n>(
            sums, from, from + static_cast<std::uint32_t>(Config::bytes_a), row, column,
            chunk * S::place_of(i, chunks));
    }
  }

  const Alignment at(o.d, o.d_stride);
#pragma unroll
  for (int m = 0; m < blocks_m; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const std::size_t r = row0 + static_cast<std::size_t>(row + 16 * m + 8 * half + lane / 4);
#pragma unroll
      for (int n = 0; n < 2 * pairs_n; n += 2) {
        const float v[] = {
            bf16_tiles::one_nan(sums[m][n][2 * half]), bf16_tiles::one_nan(sums[m][n][2 * half + 1]),
            bf16_tiles::one_nan(sums[m][n + 1][2 * half]), bf16_tiles::one_nan(sums[m][n + 1][2 * half + 1])};
        store_sixteen(r < o.m ? o.d + r * o.d_stride : nullptr,
                      column0 + static_cast<std::size_t>(column + 8 * n), o.n, v, at);
      }
    }
  }
}

inline void require_stride(std::size_t stride, std::size_t columns, std::size_t rows, const char* what) {
  if (rows > 1 && stride < columns)
    throw ContractError(std::string("gemm_bf16: ") + what + " has rows of " + std::to_string(columns) +
                        ", and a stride of " + std::to_string(stride));
}

template <class S, class Out>
void launch(const GemmBf16<Out>& o, cudaStream_t stream) {
  require_array(o.a, o.m * o.k, sizeof(std::uint16_t), "gemm_bf16: a");
  require_array(o.b, o.k * o.n, sizeof(std::uint16_t), "gemm_bf16: b");
  require_array(o.d, o.m * o.n, sizeof(Out), "gemm_bf16: d");
  require_stride(o.a_stride, o.k, o.m, "a");
  require_stride(o.b_stride, o.n, o.k, "b");
  require_stride(o.d_stride, o.n, o.m, "d");
  if (o.m == 0 || o.n == 0) return;
  const unsigned blocks = blocks_in_x(tiles(o.m, Config::m) * tiles(o.n, Config::n), "gemm_bf16");
  allow_shared(&multiply<Out, S>, Config::shared_bytes);
  multiply<Out, S><<<blocks, Config::threads, Config::shared_bytes, stream>>>(o);
  ASSAY_CUDA(cudaGetLastError());
}

}  // namespace gemm_bf16_kernels

template <class Out>
void gemm_bf16(const GemmBf16<Out>& o, cudaStream_t stream) {
  gemm_bf16_kernels::launch<bf16_tiles::Steps>(o, stream);
}

}  // namespace assay::gpu
