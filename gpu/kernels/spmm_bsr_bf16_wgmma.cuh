// Y = relu(A X + bias), A block-sparse with blocks of 64 or 128, by wgmma and TMA: sm_90a.
//
// Numerics: those of bsr_bf16.cuh, with the unit of wgmma for bf16; a wgmma takes a chunk of 16 of k.
//
// Persistent blocks of threads, one a multiprocessor, take tiles in turn: a row of blocks by 256 columns (blocks of 64)
// or 128 (blocks of 128). One thread walks the list and loads stages of 64 of k by TMA, A and X in rows of 128 bytes,
// swizzled, into a ring of four; two warpgroups multiply, each 64 x 128: they share A's rows (64) or X's columns (128).
// A barrier a stage says that it is full, another that both warpgroups have read it.
//
// A stage is 2097152 flops (blocks of 64, and of 128); it reads 40 KiB (8 of A and 32 of X) or 32 KiB (16 and 16) from
// the L2 cache, 51 or 64 flops a byte, and the products read 48 KiB of shared memory. The ring: 160 or 128 KiB.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "gpu/kernels/bf16_tiles.cuh"
#include "gpu/kernels/bsr_bf16.cuh"
#include "gpu/kernels/hopper.cuh"
#include "gpu/kernels/launch.cuh"

namespace assay::gpu {

// X is fetched for `side` rows and A for n columns, so tiles are wide: a warpgroup has `parts` times the sums of
// 64 x 128, and two parts are half of its registers.
template <int side, int parts_of_group>
struct SpmmBsrWgmmaConfig {
  static constexpr int block = side, parts = parts_of_group;
  static constexpr int n = 128 * parts * (side == 64 ? 2 : 1);  // columns of a tile
  static constexpr int k = n == 512 ? 32 : 64;                  // of a stage
  static constexpr int stages = n == 512 ? 6 : 4;
  static constexpr int consumers = 2;  // warpgroups
  static constexpr int threads = 128 * (1 + consumers);
  static constexpr int box = 64;  // columns of X that a copy takes, and rows
  static constexpr std::uint32_t bytes_a = side * k * 2, bytes_box = k * box * 2,
                                 bytes_x = n / box * bytes_box;
  static constexpr std::uint32_t stage_bytes = bytes_a + bytes_x;
  // The ring lies at a multiple of 1024; the barriers behind it.
  static constexpr std::uint32_t ring_bytes = stages * stage_bytes;
  static constexpr std::uint32_t shared_bytes = 1024 + ring_bytes + 2 * stages * 8;

  static_assert(side == 64 || side == 128, "blocks have 64 or 128 rows and columns");
  static_assert(side / 64 * (n / (128 * parts)) == consumers,
                "a warpgroup has 64 rows and its parts of 128 columns");
  static_assert(side % k == 0, "a block is whole stages");
  static_assert(bytes_a % 1024 == 0 && bytes_box % 1024 == 0, "what is swizzled lies at multiples of 1024");
  static_assert(shared_bytes <= 227 * 1024, "the ring fits in the shared memory of sm_90");
};

// What the launcher adds to the operands.
struct SpmmBsrWgmmaLaunch {
  unsigned blocks = 0;  // of threads, at most; 0: one a multiprocessor
};

namespace spmm_bsr_wgmma_kernels {

#if ASSAY_HAS_WGMMA
// Kernels take these as a parameter, so that a test can show that it notices when one is wrong.
struct Steps {
  __device__ static void wait_full(std::uint32_t barrier, std::uint32_t parity) {
    hopper::wait(barrier, parity);
  }
  __device__ static void wait_read(std::uint32_t barrier, std::uint32_t parity) {
    hopper::wait(barrier, parity);
  }
  // The i-th chunk of k that is multiplied, of the stage's.
  __device__ static int place_of(int i, int) { return i; }
  __device__ static void multiply(float (&d)[64], std::uint64_t a, std::uint64_t x) {
    hopper::multiply_64x128<1>(d, a, x);
  }
};

// A place in the ring: stages are used in turn, again and again.
struct Turn {
  std::uint32_t stage = 0, round = 0;
  template <int stages>
  __device__ void next() {
    if (++stage == stages) {
      stage = 0;
      ++round;
    }
  }
};

// The tile that a block takes as its next.
template <class Config, class Out>
struct Tile {
  std::size_t block_row, column;
  std::int64_t first;
  int steps;  // stages of k

  __device__ Tile(const SpmmBsrBf16<Out>& o, std::size_t tile, std::size_t tiles_n)
      : block_row(o.row_order == nullptr ? tile / tiles_n
                                         : static_cast<std::size_t>(o.row_order[tile / tiles_n])),
        column(tile % tiles_n * Config::n),
        first(o.row_offsets[block_row]),
        steps(static_cast<int>(o.row_offsets[block_row + 1] - first) * (Config::block / Config::k)) {}
};

struct Ring {
  std::uint32_t stages, full, read;  // addresses of shared memory
};

// One thread: loads what the warpgroups multiply.
template <class Config, class Out, class S>
__device__ inline void load_stages(const SpmmBsrBf16<Out>& o, const CUtensorMap* a_map,
                                   const CUtensorMap* x_map, const Ring& ring, std::size_t tiles,
                                   std::size_t tiles_n) {
  constexpr int halves = Config::block / Config::k;  // stages of a block
  Turn turn;
  for (std::size_t t = blockIdx.x; t < tiles; t += gridDim.x) {
    const Tile<Config, Out> tile(o, t, tiles_n);
    std::int32_t ahead = tile.steps != 0 ? o.column_indices[tile.first] : 0;
    for (int step = 0; step < tile.steps; ++step, turn.next<Config::stages>()) {
      const std::int64_t block = tile.first + step / halves;
      const int k = step % halves * Config::k;
      const std::int32_t block_column = ahead;
      if (step + 1 < tile.steps) ahead = o.column_indices[tile.first + (step + 1) / halves];
      if (turn.round != 0) S::wait_read(ring.read + 8 * turn.stage, (turn.round - 1) & 1);
      const std::uint32_t full = ring.full + 8 * turn.stage,
                          to = ring.stages + turn.stage * Config::stage_bytes;
      hopper::arrive_and_expect(full, Config::stage_bytes);
      hopper::load_box(to, a_map, k, static_cast<std::int32_t>(block * Config::block), full);
#pragma unroll
      for (int box = 0; box < Config::n / Config::box; ++box)
        hopper::load_box(to + Config::bytes_a + static_cast<std::uint32_t>(box) * Config::bytes_box, x_map,
                         static_cast<std::int32_t>(tile.column) + box * Config::box,
                         block_column * Config::block + k, full);
    }
  }
}

// A warpgroup: multiplies the stages of its tiles.
template <class Config, class Out, class S>
__device__ inline void multiply_stages(const SpmmBsrBf16<Out>& o, const Ring& ring, std::size_t tiles,
                                       std::size_t tiles_n) {
  const int consumer = static_cast<int>(threadIdx.x / 128) - 1;
  const int warp = static_cast<int>(threadIdx.x / 32 % 4), lane = static_cast<int>(threadIdx.x % 32);
  const int row = Config::block == 64 ? 0 : 64 * consumer,
            column = Config::block == 64 ? Config::n / 2 * consumer : 0;
  constexpr std::uint32_t row_bytes = 2 * Config::k;
  const std::uint32_t offset_a = static_cast<std::uint32_t>(row) * row_bytes,
                      offset_x = Config::bytes_a +
                                 static_cast<std::uint32_t>(column / Config::box) * Config::bytes_box;
  const bf16_tiles::Alignment at(o.y, o.y_stride);
  Turn turn;
  for (std::size_t t = blockIdx.x; t < tiles; t += gridDim.x) {
    const Tile<Config, Out> tile(o, t, tiles_n);
    float sums[Config::parts][64] = {};
    std::uint32_t before = 0;  // the stage that is being multiplied
    for (int step = 0; step < tile.steps; ++step, turn.next<Config::stages>()) {
      S::wait_full(ring.full + 8 * turn.stage, turn.round & 1);
      const std::uint32_t from = ring.stages + turn.stage * Config::stage_bytes;
      hopper::begin_products();
#pragma unroll
      for (int i = 0; i < Config::k / bf16_tiles::chunk; ++i) {
        const auto chunk =
            static_cast<std::uint32_t>(S::place_of(i, Config::k / bf16_tiles::chunk) * bf16_tiles::chunk);
        // Rows of A lie along k, of X along its columns: 128 bytes each.
        const std::uint64_t a = hopper::swizzled_rows<row_bytes>(from + offset_a + 2 * chunk, 16);
        const std::uint32_t x = from + offset_x + 128 * chunk;
#pragma unroll
        for (int part = 0; part < Config::parts; ++part)
          S::multiply(sums[part], a,
                      hopper::swizzled_rows<128>(x + static_cast<std::uint32_t>(2 * part) * Config::bytes_box,
                                                 Config::bytes_box));
      }
      hopper::commit_products();
      hopper::wait_for_all_but_one();
      if (step != 0 && lane == 0) hopper::arrive(ring.read + 8 * before);
      before = turn.stage;
    }
#pragma unroll
    for (float(&part)[64] : sums) hopper::wait_for_sums(part);
    if (tile.steps != 0 && lane == 0) hopper::arrive(ring.read + 8 * before);
    const std::size_t row0 =
        tile.block_row * Config::block + static_cast<std::size_t>(row + 16 * warp + lane / 4);
#pragma unroll
    for (int part = 0; part < Config::parts; ++part) {
#pragma unroll
      for (int i = 0; i < 64; i += 8) {
        const float* const s = sums[part] + i;
        const std::size_t to = tile.column + static_cast<std::size_t>(column + 128 * part + 2 * i);
        bsr_bf16::store_results(o, row0, to, s[0], s[1], s[4], s[5], at);
        bsr_bf16::store_results(o, row0 + 8, to, s[2], s[3], s[6], s[7], at);
      }
    }
  }
}
#else
struct Steps {};
#endif

template <class Config, class Out, class S>
__global__ void __launch_bounds__(Config::threads, 1)
    multiply([[maybe_unused]] SpmmBsrBf16<Out> o, [[maybe_unused]] const __grid_constant__ CUtensorMap a_map,
             [[maybe_unused]] const __grid_constant__ CUtensorMap x_map) {
#if ASSAY_HAS_WGMMA
  extern __shared__ __align__(1024) unsigned char wgmma_ring[];
  const std::uint32_t stages = (bf16_tiles::shared_address(wgmma_ring) + 1023) / 1024 * 1024;
  const Ring ring{stages, stages + Config::ring_bytes, stages + Config::ring_bytes + 8 * Config::stages};
  if (threadIdx.x == 0) {
    for (std::uint32_t i = 0; i < Config::stages; ++i) {
      hopper::init_barrier(ring.full + 8 * i, 1);
      hopper::init_barrier(ring.read + 8 * i, 4 * Config::consumers);  // warps
    }
    hopper::publish_barriers();
  }
  __syncthreads();
  const std::size_t tiles_n = (o.n + Config::n - 1) / Config::n, tiles = o.block_rows() * tiles_n;
  if (threadIdx.x >= 128) {
    multiply_stages<Config, Out, S>(o, ring, tiles, tiles_n);
  } else if (threadIdx.x == 0) {
    load_stages<Config, Out, S>(o, &a_map, &x_map, ring, tiles, tiles_n);
  }
#endif
}

inline void require_sm90() {
  int device = 0, major = 0, minor = 0;
  ASSAY_CUDA(cudaGetDevice(&device));
  ASSAY_CUDA(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
  ASSAY_CUDA(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device));
  if (major != 9 || minor != 0)
    throw DeviceError("spmm_bsr_bf16_wgmma: wgmma is of compute capability 9.0, and this GPU has " +
                      std::to_string(major) + "." + std::to_string(minor) + ": spmm_bsr_bf16_mma runs there");
}

template <class Config, class S, class Out>
void launch_blocks(const SpmmBsrBf16<Out>& o, const SpmmBsrWgmmaLaunch& how, cudaStream_t stream) {
  if (o.rows == 0 || o.n == 0) return;
  require_sm90();
  CUtensorMap a_map{}, x_map{};  // not read where nothing is stored
  if (o.blocks != 0) {
    const std::size_t side = Config::block;
    const hopper::MatrixOfMap values{o.values, o.blocks * side, side, side}, x{o.x, o.cols, o.n, o.x_stride};
    hopper::encode_map(a_map, values, Config::block, Config::k, "spmm_bsr_bf16_wgmma: values");
    hopper::encode_map(x_map, x, Config::k, Config::box, "spmm_bsr_bf16_wgmma: x");
  }
  int device = 0, multiprocessors = 0;
  ASSAY_CUDA(cudaGetDevice(&device));
  ASSAY_CUDA(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device));
  const std::size_t tiles = o.block_rows() * ((o.n + Config::n - 1) / Config::n);
  const std::size_t most = how.blocks == 0 ? static_cast<std::size_t>(multiprocessors) : how.blocks;
  const unsigned blocks = blocks_in_x(std::min(tiles, most), "spmm_bsr_bf16_wgmma");
  bf16_tiles::allow_shared(&multiply<Config, Out, S>, Config::shared_bytes);
  multiply<Config, Out, S><<<blocks, Config::threads, Config::shared_bytes, stream>>>(o, a_map, x_map);
  ASSAY_CUDA(cudaGetLastError());
}

template <class S, class Out>
void launch(const SpmmBsrBf16<Out>& o, const SpmmBsrWgmmaLaunch& how, cudaStream_t stream) {
  if (o.block != 64 && o.block != 128)
    throw ContractError("spmm_bsr_bf16_wgmma: blocks have 64 or 128 rows and columns, not " +
                        std::to_string(o.block) + ": spmm_bsr_bf16_mma takes 16 and 32");
  bsr_bf16::require_operands(o, "spmm_bsr_bf16_wgmma");
  // The widest tile that X fills.
  const bool narrow = o.n <= static_cast<std::size_t>(o.block == 64 ? 256 : 128);
  if (o.block == 64)
    return narrow ? launch_blocks<SpmmBsrWgmmaConfig<64, 1>, S>(o, how, stream)
                  : launch_blocks<SpmmBsrWgmmaConfig<64, 2>, S>(o, how, stream);
  narrow ? launch_blocks<SpmmBsrWgmmaConfig<128, 1>, S>(o, how, stream)
         : launch_blocks<SpmmBsrWgmmaConfig<128, 2>, S>(o, how, stream);
}

}  // namespace spmm_bsr_wgmma_kernels

// Besides: x is 16-byte aligned, its stride a multiple of 8 numbers, and the GPU's compute capability is 9.0.
template <class Out>
void spmm_bsr_bf16_wgmma(const SpmmBsrBf16<Out>& o, const SpmmBsrWgmmaLaunch& how, cudaStream_t stream) {
  spmm_bsr_wgmma_kernels::launch<spmm_bsr_wgmma_kernels::Steps>(o, how, stream);
}

}  // namespace assay::gpu
