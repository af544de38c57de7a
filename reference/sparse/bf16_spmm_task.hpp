// The arguments of the kernels of bf16_spmm.hpp, as spmm_task.hpp's: plain pointers and sizes.
//
// Numerics: each kernel's sums begin at +0 and are those of its instruction, which MXCSR does not reach. What becomes
// of them, alpha to the activation, is spmm_task.hpp's.
#pragma once

#include <cstddef>
#include <cstdint>

namespace assay::sparse {

// VDPBF16PS. Two entries of a row, in stored order, and the rows of X that they multiply; a lone one has a second value
// of 0 and the row of zeros that follows X.
struct Bf16Pair {
  std::uint32_t values = 0;  // the first entry's code in the lower half
  std::uint32_t rows[2] = {0, 0};
};

// Some rows of A times one panel of X.
struct Bf16PairTask {
  const Bf16Pair* pairs = nullptr;
  const std::uint32_t* pair_count = nullptr;  // of each row
  std::uint32_t row_count = 0;
  const std::uint16_t* x = nullptr;  // bf16_pair_width codes a row, 64-byte aligned
  float* sums = nullptr;             // row i: sums + i * bf16_pair_width; 64-byte aligned
};
inline constexpr std::uint32_t bf16_pair_width = 128;
using Bf16PairFn = void(const Bf16PairTask& task) noexcept;

// TDPBF16PS: 32 rows of A, two tiles high, times tiles of 16 columns. K is cut into blocks of 32.
//
// The compressed stream of A, block after block: for each of the 32 rows the bits of its entries in the block, bit t
// for column t; then the entries' codes, row after row in ascending order of columns. 64 bytes that mean nothing
// follow.
struct Bf16TileTask {
  const unsigned char* stream = nullptr;
  std::uint32_t blocks = 0;  // of K
  // Tile (block b, columns 16 t ...): 1 KiB at x + (b * tile_columns + t) * 512, its row p the columns' codes of rows
  // 2p and 2p + 1 of the block, side by side.
  const std::uint16_t* x = nullptr;
  std::uint32_t tile_columns = 0;  // tiles side by side, an even number
  bool skips_empty = false;        // blocks without an entry change no bit and are left out
  float* sums = nullptr;           // 32 rows of 16 * tile_columns floats
};
inline constexpr std::uint32_t bf16_tile_rows = 32, bf16_tile_depth = 32, bf16_tile_width = 16;
using Bf16TileFn = void(const Bf16TileTask& task) noexcept;

// Tiles of one block of X from row-major codes: `rows` rows (of the block's 32; zeros follow) and `columns` columns.
struct Bf16TilePacking {
  const std::uint16_t* x = nullptr;
  std::int64_t stride = 0;
  std::uint32_t rows = 0, columns = 0, tile_columns = 0;
  std::uint16_t* to = nullptr;
};
// Of the magnitudes of the codes that were packed: the least less one, zeros counting as 65535, and the largest.
struct Bf16Range {
  std::uint16_t least_but_one = 0xFFFF, largest = 0;
};
using Bf16TilePackFn = Bf16Range(const Bf16TilePacking& packing) noexcept;

}  // namespace assay::sparse
