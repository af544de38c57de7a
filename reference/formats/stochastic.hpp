// Random bits of stochastic rounding: a function of (seed, index), so that an array rounds to the same codes in one
// thread or many, by any kernel, whole or in pieces.
//
// The generator is a hash of the index, cheaper than Philox: two rounds of multiply and xor-shift (a bijection of 32
// bits) with half of the key before each. The key comes from Philox4x32-10 of the seed, one key for each 2^32
// indices. It passes the tests that rounding needs (probability of rounding up at eight fractions, lag-1 correlation,
// independence of seeds); it is no generator for other uses.
#pragma once

#include <cstdint>

#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"

namespace assay {

struct StochasticKey {
  std::uint32_t before = 0, between = 0;
};

// `high` are the upper 32 bits of the counter that is hashed; beyond and stream: see StochasticDraws.
constexpr StochasticKey stochastic_key(std::uint64_t seed, std::uint32_t high, std::uint32_t beyond = 0,
                                       std::uint32_t stream = 0) {
  const PhiloxBlock b =
      philox4x32({high, beyond, stream, 0x53526E64},
                 {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  return {b[0], b[1]};
}

constexpr std::uint32_t stochastic_word(StochasticKey key, std::uint32_t low) {
  std::uint32_t x = low + key.before;
  x ^= x >> 16;
  x *= 0x7FEB352D;
  x ^= key.between;
  x ^= x >> 15;
  x *= 0x846CA68B;
  x ^= x >> 16;
  return x;
}

// The bits for element `index`. Up to 16 bits, a word serves two elements that lie 16 apart (element i of a block of
// 32 takes the low half of word i mod 16 if i < 16, else the high half: the two vectors that one vector of words
// serves).
constexpr RandomBits random_bits(std::uint64_t seed, std::uint64_t index, int bits) {
  if (bits > 16) {
    const StochasticKey key = stochastic_key(seed, static_cast<std::uint32_t>(index >> 32));
    return {bits, stochastic_word(key, static_cast<std::uint32_t>(index)) >> (32 - bits)};
  }
  const std::uint64_t counter = (index >> 5 << 4) + (index & 15);
  const StochasticKey key = stochastic_key(seed, static_cast<std::uint32_t>(counter >> 32));
  const std::uint32_t word = stochastic_word(key, static_cast<std::uint32_t>(counter));
  return {bits, ((index >> 4 & 1) != 0 ? word >> 16 : word & 0xFFFF) >> (16 - bits)};
}

// One element of an array rounded stochastically; `options.rounding` and `.random.r` are set here.
template <class Word>
constexpr Encoded encode_stochastic(const ExactValue<Word>& x, const FormatSpec& f, std::uint64_t seed,
                                    std::uint64_t index, int bits = 32, EncodeOptions options = {}) {
  options.rounding = Rounding::stochastic;
  options.random = random_bits(seed, index, bits);
  return encode(x, f, options);
}

// The 32 bits of one rounding after another on the way to one output of a result: draw i of output `index` in `stream`
// is random_bits(seed, index << 32 | i, 32) in stream 0 for indices of 32 bits. Larger indices and other streams go
// into words of Philox's counter that are zero there.
class StochasticDraws {
 public:
  constexpr StochasticDraws(std::uint64_t seed, std::uint64_t index, std::uint32_t stream)
      : key_(stochastic_key(seed, static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
                            stream)) {}

  constexpr RandomBits next() { return {32, stochastic_word(key_, i_++)}; }

 private:
  StochasticKey key_;
  std::uint32_t i_ = 0;
};

}  // namespace assay
