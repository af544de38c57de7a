// TDPBF16PS over compressed weights: a stripe of 32 rows is expanded into tiles once, and multiplies all columns.
#include <immintrin.h>

#include <cstring>

#include "reference/core/tile_config.hpp"
#include "reference/sparse/bf16_spmm.hpp"

namespace assay::sparse {
namespace {

// All eight tiles of 16 rows of 64 bytes: 0 to 3 are sums, 4 and 5 of A, 6 and 7 of X.
inline void configure_tiles() {
  TileConfig config;
  for (int i = 0; i < 8; ++i) {
    config.row_bytes[i] = 64;
    config.rows[i] = 16;
  }
  // GCC's intrinsics do not say that they read all of their operands.
  asm volatile("" : : "r"(&config) : "memory");
  _tile_loadconfig(&config);
}

constexpr std::size_t tile = 16 * 32;  // codes

// Blocks of K whose expanded tiles stay in the first cache, beside those of X that pass by.
constexpr std::uint32_t blocks_at_once = 16;
struct Expanded {
  alignas(64) std::uint16_t codes[blocks_at_once * 2 * tile];
  std::uint32_t count = 0;                    // of blocks
  std::uint32_t number[blocks_at_once] = {};  // of each, in K
};

// Rows as tiles have them, of some blocks from `first`. Returns the rest of the stream.
const unsigned char* expand(const Bf16TileTask& task, std::uint32_t first, const unsigned char* stream,
                            Expanded& to) {
  to.count = 0;
  for (std::uint32_t block = first; block < task.blocks && block < first + blocks_at_once; ++block) {
    std::uint32_t bits[bf16_tile_rows], any = 0;
    std::memcpy(bits, stream, sizeof bits);
    stream += sizeof bits;
    for (const std::uint32_t row : bits) any |= row;
    if (any == 0 && task.skips_empty) continue;
    std::uint16_t* const codes = to.codes + to.count * 2 * tile;
    for (std::uint32_t row = 0; row < bf16_tile_rows; ++row) {
      const __m512i packed = _mm512_loadu_si512(stream);
      _mm512_store_si512(codes + row * bf16_tile_depth, _mm512_maskz_expand_epi16(bits[row], packed));
      stream += 2 * static_cast<unsigned>(__builtin_popcount(bits[row]));
    }
    to.number[to.count++] = block;
  }
  return stream;
}

// Two tiles of 16 columns: onto the sums so far, or from zero.
void multiply(const Bf16TileTask& task, const Expanded& a, std::uint32_t t, bool from_zero) {
  const std::size_t row_floats = std::size_t{task.tile_columns} * 16, row_bytes = row_floats * sizeof(float);
  float* const sums = task.sums + std::size_t{t} * 16;
  if (from_zero) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  } else {
    _tile_loadd(0, sums, row_bytes);
    _tile_loadd(1, sums + 16, row_bytes);
    _tile_loadd(2, sums + 16 * row_floats, row_bytes);
    _tile_loadd(3, sums + 16 * row_floats + 16, row_bytes);
  }
  for (std::uint32_t i = 0; i < a.count; ++i) {
    const std::uint16_t* const codes = a.codes + i * 2 * tile;
    const std::uint16_t* const x = task.x + (std::size_t{a.number[i]} * task.tile_columns + t) * tile;
    _tile_loadd(4, codes, 64);
    _tile_loadd(6, x, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, x + tile, 64);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, codes + tile, 64);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, sums, row_bytes);
  _tile_stored(1, sums + 16, row_bytes);
  _tile_stored(2, sums + 16 * row_floats, row_bytes);
  _tile_stored(3, sums + 16 * row_floats + 16, row_bytes);
}

}  // namespace

void kernels::bf16_spmm_tiles_amx_vbmi2(const Bf16TileTask& task) noexcept {
  Expanded a;
  configure_tiles();
  const unsigned char* stream = task.stream;
  std::uint32_t first = 0;
  do {
    stream = expand(task, first, stream, a);
    // The compiler does not know that tiles are loaded from what it stores.
    asm volatile("" : : "r"(&a) : "memory");
    if (first == 0 || a.count != 0) {
      for (std::uint32_t t = 0; t < task.tile_columns; t += 2) multiply(task, a, t, first == 0);
    }
    first += blocks_at_once;
  } while (first < task.blocks);
  _tile_release();
  asm volatile("" : : : "memory");
}

Bf16Range kernels::bf16_pack_tiles_amx_vbmi2(const Bf16TilePacking& p) noexcept {
  alignas(64) std::uint16_t from[2][32];
  for (int i = 0; i < 32; ++i) {
    from[0][i] = static_cast<std::uint16_t>(i / 2 + (i % 2 == 0 ? 0 : 32));
    from[1][i] = static_cast<std::uint16_t>(from[0][i] + 16);
  }
  const __m512i low = _mm512_load_si512(from[0]), high = _mm512_load_si512(from[1]);
  const __m512i magnitude = _mm512_set1_epi16(0x7FFF), one = _mm512_set1_epi16(1);
  __m512i least = _mm512_set1_epi16(-1), largest = _mm512_setzero_si512();
  for (std::uint32_t pair = 0; pair < bf16_tile_depth / 2; ++pair) {
    for (std::uint32_t t = 0; t < p.tile_columns; t += 2) {
      const std::uint32_t first = t * bf16_tile_width;
      const std::uint32_t left = p.columns > first ? p.columns - first : 0;
      const __mmask32 columns = left >= 32 ? ~__mmask32{0} : (__mmask32{1} << left) - 1;
      const auto row = [&](std::uint32_t i) {
        if (i >= p.rows || columns == 0) return _mm512_setzero_si512();
        return _mm512_maskz_loadu_epi16(columns, p.x + static_cast<std::int64_t>(i) * p.stride + first);
      };
      const __m512i a = row(2 * pair), b = row(2 * pair + 1);
      for (const __m512i codes : {_mm512_and_si512(a, magnitude), _mm512_and_si512(b, magnitude)}) {
        least = _mm512_min_epu16(least, _mm512_sub_epi16(codes, one));
        largest = _mm512_max_epu16(largest, codes);
      }
      std::uint16_t* const to = p.to + std::size_t{t} * 512 + pair * 32;
      _mm512_store_si512(to, _mm512_permutex2var_epi16(a, low, b));
      _mm512_store_si512(to + 512, _mm512_permutex2var_epi16(a, high, b));
    }
  }
  alignas(64) std::uint16_t least_of[32], largest_of[32];
  _mm512_store_si512(least_of, least);
  _mm512_store_si512(largest_of, largest);
  Bf16Range range;
  for (int i = 0; i < 32; ++i) {
    if (least_of[i] < range.least_but_one) range.least_but_one = least_of[i];
    if (largest_of[i] > range.largest) range.largest = largest_of[i];
  }
  return range;
}

}  // namespace assay::sparse
