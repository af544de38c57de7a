// The bodies of bf16_spmm_<instruction>_<isa>.cpp, over types of registers: see reference/sparse/bf16_spmm_task.hpp.
//
// `Words` holds 32 codes, `Sums` 16 sums of pairs, `Tiles` is the file of eight tile registers, each 16 rows of 64
// bytes. The tests have all three in plain C++.
//
// In an unnamed namespace, as spmm_rows_of.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "reference/sparse/bf16_spmm_task.hpp"

namespace assay::sparse {
namespace {

// --- VDPBF16PS -------------------------------------------------------------------------------------------------------

template <class Words, class Sums>
inline void add_pairs(const Bf16PairTask& task) {
  constexpr std::size_t parts = bf16_pair_width / Words::width;
  const typename Words::Interleave interleave;
  const Bf16Pair* pair = task.pairs;
  for (std::uint32_t i = 0; i < task.row_count; ++i) {
    Sums sum[2 * parts];
#pragma GCC unroll 8
    for (Sums& s : sum) s = Sums::zero();
    for (std::uint32_t t = task.pair_count[i]; t != 0; --t, ++pair) {
      const auto values = Sums::pair(pair->values);
      const std::uint16_t* const first = task.x + std::size_t{pair->rows[0]} * bf16_pair_width;
      const std::uint16_t* const second = task.x + std::size_t{pair->rows[1]} * bf16_pair_width;
#pragma GCC unroll 8
      for (std::size_t h = 0; h < parts; ++h) {
        const Words a = Words::load(first + Words::width * h), b = Words::load(second + Words::width * h);
        sum[2 * h].add(values, interleave.low(a, b));
        sum[2 * h + 1].add(values, interleave.high(a, b));
      }
    }
    float* const to = task.sums + std::size_t{i} * bf16_pair_width;
#pragma GCC unroll 8
    for (std::size_t j = 0; j < 2 * parts; ++j) sum[j].store(to + 16 * j);
  }
}

// --- TDPBF16PS -------------------------------------------------------------------------------------------------------

constexpr std::size_t tile_codes = 16 * 32;

// Blocks of K whose expanded tiles stay in the first cache, beside those of X that pass by.
constexpr std::uint32_t blocks_at_once = 16;
struct Expanded {
  alignas(64) std::uint16_t codes[blocks_at_once * 2 * tile_codes];
  std::uint32_t count = 0;                    // of blocks
  std::uint32_t number[blocks_at_once] = {};  // of each, in K
};

// Rows as tiles have them, of some blocks from `first`. Returns the rest of the stream.
template <class Tiles>
inline const unsigned char* expand(const Bf16TileTask& task, std::uint32_t first, const unsigned char* stream,
                                   Expanded& to) {
  to.count = 0;
  for (std::uint32_t block = first; block < task.blocks && block < first + blocks_at_once; ++block) {
    std::uint32_t bits[bf16_tile_rows], any = 0;
    std::memcpy(bits, stream, sizeof bits);
    stream += sizeof bits;
    for (const std::uint32_t row : bits) any |= row;
    if (any == 0 && task.skips_empty) continue;
    std::uint16_t* const codes = to.codes + to.count * 2 * tile_codes;
    for (std::uint32_t row = 0; row < bf16_tile_rows; ++row) {
      Tiles::expand_row(bits[row], stream, codes + row * bf16_tile_depth);
      stream += 2 * static_cast<unsigned>(__builtin_popcount(bits[row]));
    }
    to.number[to.count++] = block;
  }
  return stream;
}

// Two tiles of 16 columns: onto the sums so far, or from zero. Tiles 0 to 3 are sums, 4 and 5 of A, 6 and 7 of X.
template <class Tiles>
inline void multiply_tiles(Tiles& tiles, const Bf16TileTask& task, const Expanded& a, std::uint32_t t,
                           bool from_zero) {
  const std::size_t row_floats = std::size_t{task.tile_columns} * 16, row_bytes = row_floats * sizeof(float);
  float* const sums = task.sums + std::size_t{t} * 16;
  if (from_zero) {
    tiles.template zero<0>();
    tiles.template zero<1>();
    tiles.template zero<2>();
    tiles.template zero<3>();
  } else {
    tiles.template load<0>(sums, row_bytes);
    tiles.template load<1>(sums + 16, row_bytes);
    tiles.template load<2>(sums + 16 * row_floats, row_bytes);
    tiles.template load<3>(sums + 16 * row_floats + 16, row_bytes);
  }
  for (std::uint32_t i = 0; i < a.count; ++i) {
    const std::uint16_t* const codes = a.codes + i * 2 * tile_codes;
    const std::uint16_t* const x = task.x + (std::size_t{a.number[i]} * task.tile_columns + t) * tile_codes;
    tiles.template load<4>(codes, 64);
    tiles.template load<6>(x, 64);
    tiles.template add<0, 4, 6>();
    tiles.template load<7>(x + tile_codes, 64);
    tiles.template add<1, 4, 7>();
    tiles.template load<5>(codes + tile_codes, 64);
    tiles.template add<2, 5, 6>();
    tiles.template add<3, 5, 7>();
  }
  tiles.template store<0>(sums, row_bytes);
  tiles.template store<1>(sums + 16, row_bytes);
  tiles.template store<2>(sums + 16 * row_floats, row_bytes);
  tiles.template store<3>(sums + 16 * row_floats + 16, row_bytes);
}

template <class Tiles>
inline void add_tiles(const Bf16TileTask& task) {
  Expanded a;
  Tiles tiles;
  const unsigned char* stream = task.stream;
  std::uint32_t first = 0;
  do {
    stream = expand<Tiles>(task, first, stream, a);
    tiles.will_load(a);
    if (first == 0 || a.count != 0) {
      for (std::uint32_t t = 0; t < task.tile_columns; t += 2) multiply_tiles(tiles, task, a, t, first == 0);
    }
    first += blocks_at_once;
  } while (first < task.blocks);
}

template <class Words>
inline Bf16Range pack_tiles(const Bf16TilePacking& p) {
  const typename Words::Interleave interleave;
  const Words magnitude = Words::all(0x7FFF), one = Words::all(1);
  Words least = Words::all(0xFFFF), largest = Words::all(0);
  for (std::uint32_t pair = 0; pair < bf16_tile_depth / 2; ++pair) {
    for (std::uint32_t t = 0; t < p.tile_columns; t += 2) {
      const std::uint32_t first = t * bf16_tile_width, left = p.columns > first ? p.columns - first : 0;
      const auto row = [&](std::uint32_t i) {
        if (i >= p.rows || left == 0) return Words::all(0);
        return Words::load_first(p.x + static_cast<std::int64_t>(i) * p.stride + first, left);
      };
      const Words a = row(2 * pair), b = row(2 * pair + 1);
      for (const Words codes : {a & magnitude, b & magnitude}) {
        least = Words::smaller(least, codes - one);
        largest = Words::larger(largest, codes);
      }
      std::uint16_t* const to = p.to + std::size_t{t} * tile_codes + pair * Words::width;
      interleave.low(a, b).store(to);
      interleave.high(a, b).store(to + tile_codes);
    }
  }
  alignas(64) std::uint16_t least_of[Words::width], largest_of[Words::width];
  least.store(least_of);
  largest.store(largest_of);
  Bf16Range range;
  for (std::uint32_t i = 0; i < Words::width; ++i) {
    if (least_of[i] < range.least_but_one) range.least_but_one = least_of[i];
    if (largest_of[i] > range.largest) range.largest = largest_of[i];
  }
  return range;
}

}  // namespace
}  // namespace assay::sparse
