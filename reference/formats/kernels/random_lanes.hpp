// The random bits of stochastic rounding for one block: random_bits() of stochastic.hpp, vectors at a time. `V` is a
// vector of lanes_<isa>.hpp, which is included first.
#pragma once

#include <cstdint>

#include "reference/formats/kernels/blocks.hpp"

namespace assay {
namespace {

// A value for each element of a block.
template <class V>
struct Lanes {
  static constexpr int vectors = static_cast<int>(block_size) / V::width;
  V v[vectors];
};

// stochastic_word() of stochastic.hpp; x ^= between and x ^= x >> 15 are one step here.
template <class V>
[[gnu::always_inline]] inline V random_word(V low, const ConvertParams& p) {
  V x = low + V::all(p.key_before);
  x = x ^ right<16>(x);
  x = x * V::all(0x7FEB352D);
  x = xor3(x, right<15>(x), V::all(p.key_between ^ p.key_between >> 15));
  x = x * V::all(0x846CA68B);
  return x ^ right<16>(x);
}

// In the top bits of each lane; `index` is that of the block's first element.
template <class V>
[[gnu::always_inline]] inline Lanes<V> random_lanes(std::uint64_t index, const ConvertParams& p) {
  const auto word = [&](std::uint64_t first, int i) {
    return random_word(
        V::all(static_cast<std::uint32_t>(first) + static_cast<std::uint32_t>(i * V::width)) + V::iota(), p);
  };
  Lanes<V> random;
  if (p.random_bits > 16) {
    for (int i = 0; i < Lanes<V>::vectors; ++i) random.v[i] = word(index, i);
    return random;
  }
  constexpr int half = Lanes<V>::vectors / 2;
  for (int i = 0; i < half; ++i) {
    random.v[half + i] = word(index / 2, i);
    random.v[i] = left<16>(random.v[half + i]);
  }
  return random;
}

}  // namespace
}  // namespace assay
