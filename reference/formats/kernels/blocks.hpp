// An array walked in blocks of 32 elements, the unit of every conversion kernel: two AVX-512 vectors of float32, one
// cache line of 16-bit codes, and the elements that share random words.
//
// In an unnamed namespace, as everything that more than one kernel file includes: a copy per ISA, none exported.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "reference/formats/convert_params.hpp"
#include "reference/formats/kernels/immintrin.hpp"

namespace assay {
namespace {

inline constexpr std::size_t block_size = 32;

// Takes block() by value: a store through `out` may change whatever a reference leads to, but not this copy, so that
// the constants it holds stay in registers.
template <std::size_t from_bytes, std::size_t to_bytes, class Block>
[[gnu::noinline]] void run_blocks(const unsigned char* in, unsigned char* out, std::uint64_t index,
                                  std::size_t blocks, bool non_temporal, Block block) {
  for (; blocks != 0;
       --blocks, in += block_size * from_bytes, out += block_size * to_bytes, index += block_size) {
    block(in, out, index, non_temporal);
  }
}

// Calls block(src, dst, index, non_temporal) for each block, where `index` is that of its first element: a multiple
// of 32 under stochastic rounding. The parts of a block at either end go through a block on the stack, so that
// block() sees whole ones only and nothing is read or written past the arrays.
template <std::size_t from_bytes, std::size_t to_bytes, class Block>
void in_blocks(const void* src, void* dst, std::size_t n, const ConvertParams& p, const Block& block) {
  constexpr std::size_t line = block_size * to_bytes;
  const auto* from = static_cast<const unsigned char*>(src);
  auto* to = static_cast<unsigned char*>(dst);

  // How many elements of the first block lie before the array.
  const std::size_t past_line = reinterpret_cast<std::uintptr_t>(dst) % line;
  std::size_t before = 0;
  if (p.rounding == Rounding::stochastic) {
    before = p.first_index % block_size;
  } else if (p.non_temporal) {
    before = past_line / to_bytes;
  }
  // Non-temporal stores need whole lines, which an odd address or the indices of random words may deny.
  const bool lines = p.non_temporal && past_line == before * to_bytes;
  std::uint64_t index = p.first_index - before;

  const auto part = [&](std::size_t skip, std::size_t count) {
    unsigned char in[block_size * from_bytes] = {}, out[line];
    std::memcpy(in + skip * from_bytes, from, count * from_bytes);
    run_blocks<from_bytes, to_bytes>(in, out, index, 1, false, block);
    std::memcpy(to, out + skip * to_bytes, count * to_bytes);
    from += count * from_bytes;
    to += count * to_bytes;
    index += block_size;
    n -= count;
  };
  if (before != 0) part(before, n < block_size - before ? n : block_size - before);
  const std::size_t blocks = n / block_size;
  if (blocks != 0) run_blocks<from_bytes, to_bytes>(from, to, index, blocks, lines, block);
  if (lines) _mm_sfence();  // before anyone is told that the array is there
  from += blocks * block_size * from_bytes;
  to += blocks * line;
  index += blocks * block_size;
  n -= blocks * block_size;
  if (n != 0) part(0, n);
}

}  // namespace
}  // namespace assay
