// float32 to bfloat16: to nearest even, toward zero, or stochastically.
//
// Numerics: the codes of convert_array() of reference/formats/convert.hpp under policy "format".
//   round       integers alone: no flag of a compiler or mode of a GPU changes a bit. Subnormals are kept, what is
//               above the range becomes infinity as the rounding has it, a NaN 0x7FC0.
//   stochastic  by 16 random bits, which is exact: x goes up with the probability of its 16 bits that are cut. They are
//               random_bits(seed, index, 16) of stochastic.hpp: a function of seed and index alone, so that an array
//               in pieces, each with its first index, has the codes of the whole.
//
// Bytes an element: 4 read, 2 written.
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "gpu/kernels/launch.cuh"
#include "gpu/kernels/vectors.cuh"
#include "reference/formats/rounding.hpp"
#include "reference/formats/stochastic.hpp"

namespace assay::gpu {

struct ConvertBf16Config {
  static constexpr int threads = 256;
  static constexpr int shared_words = 32;  // elements i and i + 16 of so many share a random word
  static constexpr int vector = 4;         // elements that a thread reads at once, twice
  static constexpr int passes = 2;
  static constexpr std::size_t pass = threads * 2 * vector;  // elements
  static constexpr std::size_t block = passes * pass;
  static_assert(pass % shared_words == 0, "a pass is whole groups of elements that share words");
};

// All arrays are the device's, and do not overlap.
struct ConvertBf16 {
  const float* src = nullptr;
  __nv_bfloat16* dst = nullptr;
  std::size_t count = 0;
  Rounding rounding = Rounding::nearest_even;  // or toward_zero, stochastic
  std::uint64_t seed = 0,
                first_index = 0;  // stochastic: of src[0] in the array that is rounded piece by piece
};

namespace convert_bf16_kernels {

using Config = ConvertBf16Config;

// Elements of one launch by their place, which is `before` for the first: places that are multiples of 32 are those of
// indices, or of addresses.
struct Piece {
  const float* src = nullptr;  // of place 0, as dst
  __nv_bfloat16* dst = nullptr;
  std::size_t before = 0, end = 0;
  bool vectors = false;
  StochasticKey key{};
  std::uint32_t first_word = 0;  // the counter of the random word of place 0
};

// stochastic_word() of stochastic.hpp.
__device__ inline std::uint32_t random_word(StochasticKey key, std::uint32_t low) {
  std::uint32_t x = low + key.before;
  x ^= x >> 16;
  x *= 0x7FEB352D;
  x ^= key.between;
  x ^= x >> 15;
  x *= 0x846CA68B;
  return x ^ x >> 16;
}

// `random` has 16 bits.
template <Rounding mode>
__device__ inline std::uint32_t code_of(std::uint32_t x, std::uint32_t random) {
  const std::uint32_t carry = mode == Rounding::nearest_even ? 0x7FFF + (x >> 16 & 1)
                              : mode == Rounding::stochastic ? random
                                                             : 0;
  return (x & 0x7FFFFFFF) > 0x7F800000 ? 0x7FC0 : (x + carry) >> 16;
}

template <Rounding mode>
__global__ void __launch_bounds__(Config::threads) convert(Piece o) {
  constexpr int vector = Config::vector, group = Config::shared_words, half = group / 2,
                in_half = half / vector;
  const std::size_t thread = threadIdx.x;
  // The lower elements of a thread; the upper ones, which share their words, lie 16 further.
  const std::size_t first =
      std::size_t{blockIdx.x} * Config::block + thread / in_half * group + thread % in_half * vector;
  uint4 x[Config::passes][2] = {};
  bool whole[Config::passes];
#pragma unroll
  for (std::size_t p = 0; p < Config::passes; ++p) {
    const std::size_t at = first + p * Config::pass;
    whole[p] = o.vectors && at / group * group >= o.before && at / group * group + group <= o.end;
    if (!whole[p]) continue;
    x[p][0] = *reinterpret_cast<const uint4*>(o.src + at);
    x[p][1] = *reinterpret_cast<const uint4*>(o.src + at + half);
  }
#pragma unroll
  for (std::size_t p = 0; p < Config::passes; ++p) {
    const std::size_t at = first + p * Config::pass;
    std::uint32_t word[vector] = {};
    if constexpr (mode == Rounding::stochastic) {
      const auto counter = o.first_word + static_cast<std::uint32_t>(at / group * half + at % half);
#pragma unroll
      for (int i = 0; i < vector; ++i) word[i] = random_word(o.key, counter + static_cast<std::uint32_t>(i));
    }
    if (whole[p]) {
#pragma unroll
      for (std::size_t h = 0; h < 2; ++h) {
        const auto random = [&](int i) { return h == 0 ? word[i] & 0xFFFF : word[i] >> 16; };
        const uint4 v = x[p][h];
        const std::uint32_t low = code_of<mode>(v.x, random(0)) | code_of<mode>(v.y, random(1)) << 16;
        const std::uint32_t high = code_of<mode>(v.z, random(2)) | code_of<mode>(v.w, random(3)) << 16;
        *reinterpret_cast<uint2*>(o.dst + at + h * half) = make_uint2(low, high);
      }
      continue;
    }
    for (std::size_t h = 0; h < 2; ++h) {
#pragma unroll
      for (int i = 0; i < vector; ++i) {
        const std::size_t one = at + h * half + static_cast<std::size_t>(i);
        if (one < o.before || one >= o.end) continue;
        const std::uint32_t random = h == 0 ? word[i] & 0xFFFF : word[i] >> 16;
        o.dst[one] = __ushort_as_bfloat16(
            static_cast<unsigned short>(code_of<mode>(__float_as_uint(o.src[one]), random)));
      }
    }
  }
}

// Elements under one key.
inline void convert_piece(const ConvertBf16& o, cudaStream_t stream) {
  const bool stochastic = o.rounding == Rounding::stochastic;
  Piece piece;
  piece.before = stochastic ? o.first_index % Config::shared_words
                            : reinterpret_cast<std::uintptr_t>(o.src) / sizeof(float) % Config::shared_words;
  piece.end = piece.before + o.count;
  // Place 0 may lie before the array: an address, never read.
  piece.src =
      reinterpret_cast<const float*>(reinterpret_cast<std::uintptr_t>(o.src) - piece.before * sizeof(float));
  piece.dst = reinterpret_cast<__nv_bfloat16*>(reinterpret_cast<std::uintptr_t>(o.dst) -
                                               piece.before * sizeof(__nv_bfloat16));
  piece.vectors = is_aligned(piece.src, 16) && is_aligned(piece.dst, 8);
  if (stochastic) {
    const std::uint64_t counter = o.first_index / Config::shared_words * (Config::shared_words / 2);
    piece.key = stochastic_key(o.seed, static_cast<std::uint32_t>(counter >> 32));
    piece.first_word = static_cast<std::uint32_t>(counter);
  }
  const unsigned blocks = blocks_in_x((piece.end + Config::block - 1) / Config::block, "convert_bf16");
  switch (o.rounding) {
    case Rounding::nearest_even:
      convert<Rounding::nearest_even><<<blocks, Config::threads, 0, stream>>>(piece);
      break;
    case Rounding::toward_zero:
      convert<Rounding::toward_zero><<<blocks, Config::threads, 0, stream>>>(piece);
      break;
    default: convert<Rounding::stochastic><<<blocks, Config::threads, 0, stream>>>(piece); break;
  }
  ASSAY_CUDA(cudaGetLastError());
}

}  // namespace convert_bf16_kernels

inline void convert_bf16(const ConvertBf16& o, cudaStream_t stream) {
  require_array(o.src, o.count, sizeof(float), "convert_bf16: src");
  require_array(o.dst, o.count, sizeof(__nv_bfloat16), "convert_bf16: dst");
  const bool stochastic = o.rounding == Rounding::stochastic;
  if (!stochastic && o.rounding != Rounding::nearest_even && o.rounding != Rounding::toward_zero)
    throw ContractError("convert_bf16: rounding " + std::to_string(static_cast<int>(o.rounding)) +
                        " is none of nearest-even, toward-zero and stochastic");
  if (stochastic && o.count > UINT64_MAX - o.first_index)
    throw ContractError("convert_bf16: " + std::to_string(o.count) + " elements from index " +
                        std::to_string(o.first_index) + " go beyond 2^64");
  // The indices under one key, and what a grid takes.
  constexpr std::uint64_t at_once = std::uint64_t{1} << 33;
  ConvertBf16 piece = o;
  for (std::size_t left = o.count; left != 0; left -= piece.count) {
    piece.count = std::min<std::uint64_t>(left, at_once - piece.first_index % at_once);
    convert_bf16_kernels::convert_piece(piece, stream);
    piece.src += piece.count;
    piece.dst += piece.count;
    piece.first_index += piece.count;
  }
}

}  // namespace assay::gpu
