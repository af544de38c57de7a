// Y = relu(A X + bias), A block-sparse with blocks of 16, 32 or 64, by mma.sync: sm_80 and later.
//
// Numerics: those of bsr_bf16.cuh.
//
// A block of threads computes a row of blocks by 128 columns. It walks the list of the row in stages of 64 of k (4, 2
// or 1 blocks), loaded by cp.async three ahead, their column indices one more. Of a stored block of side s by 128
// columns: 256 s^2 flops, 2 s^2 bytes of A and 256 s of X, which come from the L2 cache where several rows of blocks
// read them: 14, 26 and 43 flops a byte for s of 16, 32 and 64. Shared memory: 4 stages of 16 KiB and 128 s bytes, 72
// to 96 KiB.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "gpu/kernels/bf16_tiles.cuh"
#include "gpu/kernels/bsr_bf16.cuh"
#include "gpu/kernels/launch.cuh"

namespace assay::gpu {

template <int side>
struct SpmmBsrMmaConfig {
  static constexpr int block = side;
  // Columns of a block of threads, k of a stage. X is fetched for `side` rows: the wider a tile, the less A weighs.
  static constexpr int n = side == 64 ? 128 : 256, k = side == 64 ? 64 : 32;
  static constexpr int stages = 4;
  static constexpr int warps_m = side == 64 ? 2 : 1, warps_n = 4;
  static constexpr int threads = 32 * warps_m * warps_n;
  static constexpr int blocks_of_stage = k / side;
  static constexpr std::size_t bytes_a = std::size_t{side} * k * 2, bytes_x = std::size_t{k} * n * 2;
  static constexpr std::size_t shared_bytes = stages * (bytes_a + bytes_x);

  static_assert(side == 16 || side == 32 || side == 64, "blocks have 16, 32 or 64 rows and columns");
  static_assert(side % (16 * warps_m) == 0 && n % (16 * warps_n) == 0, "a warp has whole fragments");
  static_assert(k * n / bf16_tiles::piece % threads == 0, "all threads load the same number of pieces of X");
  static_assert(shared_bytes <= 99 * 1024, "the stages fit in the shared memory of every GPU from sm_80 on");
};

namespace spmm_bsr_mma_kernels {

using namespace bf16_tiles;

template <class Config, class Out, class S>
__global__ void __launch_bounds__(Config::threads) multiply(SpmmBsrBf16<Out> o) {
  extern __shared__ __align__(128) unsigned char bf16_stages[];
  constexpr int side = Config::block;
  constexpr int pieces_a = Config::k / piece, pieces_x = Config::n / piece, pieces_of_block = side / piece;
  constexpr int blocks_m = side / Config::warps_m / 16, pairs_n = Config::n / Config::warps_n / 16;
  constexpr auto stage_bytes = static_cast<std::uint32_t>(Config::bytes_a + Config::bytes_x);

  // The tiles of a row of blocks run together and share it.
  const std::size_t tiles_n = (o.n + Config::n - 1) / Config::n, slot = blockIdx.x / tiles_n,
                    column0 = blockIdx.x % tiles_n * Config::n;
  const std::size_t block_row = o.row_order == nullptr ? slot : static_cast<std::size_t>(o.row_order[slot]);
  const std::int64_t first = o.row_offsets[block_row];
  const auto blocks = static_cast<int>(o.row_offsets[block_row + 1] - first);
  const std::uint16_t* const values = o.values + static_cast<std::size_t>(first) * side * side;
  const std::int32_t* const columns = o.column_indices + first;

  const Source x{o.x, o.x_stride, at_pieces(o.x, o.x_stride)};
  const std::uint32_t stages = shared_address(bf16_stages);
  // Block columns of the stage that is loaded next.
  std::int32_t ahead[Config::blocks_of_stage] = {};
  const auto look_ahead = [&](int t) {
#pragma unroll
    for (int b = 0; b < Config::blocks_of_stage; ++b) {
      const int block = t * Config::blocks_of_stage + b;
      if (block < blocks) ahead[b] = columns[block];
    }
  };
  look_ahead(0);
  const auto load = [&](int t) {
    const std::uint32_t to = stages + static_cast<std::uint32_t>(t % Config::stages) * stage_bytes;
    const int block0 = t * Config::blocks_of_stage;
    // Row r of the stage's A is row r of its blocks, side by side; they lie one after another in memory.
#pragma unroll
    for (int i = 0; i < (side * pieces_a + Config::threads - 1) / Config::threads; ++i) {
      const int at = i * Config::threads + static_cast<int>(threadIdx.x);
      if (at >= side * pieces_a) break;
      const int b = at / (side * pieces_of_block), r = at / pieces_of_block % side, p = at % pieces_of_block;
      if (block0 + b < blocks)
        cp_async(to + at_piece<pieces_a>(r, b * pieces_of_block + p),
                 values + static_cast<std::size_t>(block0 + b) * side * side + r * side + p * piece, 16);
    }
#pragma unroll
    for (int i = 0; i < Config::k * pieces_x / Config::threads; ++i) {
      const int at = i * Config::threads + static_cast<int>(threadIdx.x), r = at / pieces_x,
                p = at % pieces_x;
      constexpr int rows = Config::threads / pieces_x;  // of X, that the threads load together: of one block
      static_assert(side % rows == 0);
      const int b = i * rows / side;
      if (block0 + b >= blocks) break;
      const std::size_t row = static_cast<std::size_t>(ahead[b]) * side + static_cast<std::size_t>(r % side),
                        column = column0 + static_cast<std::size_t>(p * piece);
      const std::ptrdiff_t left =
          row < o.cols ? static_cast<std::ptrdiff_t>(o.n) - static_cast<std::ptrdiff_t>(column) : 0;
      load_piece(to + static_cast<std::uint32_t>(Config::bytes_a) + at_piece<pieces_x>(r, p), x, row, column,
                 S::numbers(left));
    }
    look_ahead(t + 1);
  };

  const int steps = (blocks + Config::blocks_of_stage - 1) / Config::blocks_of_stage;
  for (int t = 0; t + 1 < Config::stages; ++t) {
    if (t < steps) load(t);
    cp_async_commit();
  }
  const int warp = static_cast<int>(threadIdx.x / 32), lane = static_cast<int>(threadIdx.x % 32);
  const int row = warp / Config::warps_n * 16 * blocks_m, column = warp % Config::warps_n * 16 * pairs_n;
  float sums[blocks_m][2 * pairs_n][4] = {};
  for (int t = 0; t < steps; ++t) {
    S::template wait<Config::stages - 2>();
    // The stage is there for all threads, and all have multiplied the one that is loaded next.
    __syncthreads();
    if (t + Config::stages - 1 < steps) load(t + Config::stages - 1);
    cp_async_commit();
    const std::uint32_t from = stages + static_cast<std::uint32_t>(t % Config::stages) * stage_bytes;
    const int left = blocks - t * Config::blocks_of_stage;
    const int chunks = (left < Config::blocks_of_stage ? left : Config::blocks_of_stage) * (side / chunk);
#pragma unroll
    for (int i = 0; i < Config::k / chunk; ++i) {
      if (i < chunks)
        multiply_chunk<S, pieces_a, pieces_x, blocks_m, pairs_n>(
            sums, from, from + static_cast<std::uint32_t>(Config::bytes_a), row, column,
            chunk * S::place_of(i, chunks));
    }
  }

  const Alignment at(o.y, o.y_stride);
#pragma unroll
  for (int m = 0; m < blocks_m; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
#pragma unroll
      for (int n = 0; n < 2 * pairs_n; n += 2)
        bsr_bf16::store_results(
            o, block_row * side + static_cast<std::size_t>(row + 16 * m + 8 * half + lane / 4),
            column0 + static_cast<std::size_t>(column + 8 * n), sums[m][n][2 * half],
            sums[m][n][2 * half + 1], sums[m][n + 1][2 * half], sums[m][n + 1][2 * half + 1], at);
    }
  }
}

template <class Config, class S, class Out>
void launch_blocks(const SpmmBsrBf16<Out>& o, cudaStream_t stream) {
  if (o.rows == 0 || o.n == 0) return;
  const unsigned blocks =
      blocks_in_x(o.block_rows() * ((o.n + Config::n - 1) / Config::n), "spmm_bsr_bf16_mma");
  allow_shared(&multiply<Config, Out, S>, Config::shared_bytes);
  multiply<Config, Out, S><<<blocks, Config::threads, Config::shared_bytes, stream>>>(o);
  ASSAY_CUDA(cudaGetLastError());
}

template <class S, class Out>
void launch(const SpmmBsrBf16<Out>& o, cudaStream_t stream) {
  if (o.block != 16 && o.block != 32 && o.block != 64)
    throw ContractError("spmm_bsr_bf16_mma: blocks have 16, 32 or 64 rows and columns, not " +
                        std::to_string(o.block));
  bsr_bf16::require_operands(o, "spmm_bsr_bf16_mma");
  if (o.block == 16) return launch_blocks<SpmmBsrMmaConfig<16>, S>(o, stream);
  if (o.block == 32) return launch_blocks<SpmmBsrMmaConfig<32>, S>(o, stream);
  launch_blocks<SpmmBsrMmaConfig<64>, S>(o, stream);
}

}  // namespace spmm_bsr_mma_kernels

template <class Out>
void spmm_bsr_bf16_mma(const SpmmBsrBf16<Out>& o, cudaStream_t stream) {
  spmm_bsr_mma_kernels::launch<bf16_tiles::Steps>(o, stream);
}

}  // namespace assay::gpu
