// Random numbers by index: the i-th number of a stream depends on (seed, stream, i) and on nothing else, so that data
// is the same for any number of threads and any order of visits.
//
// Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011), Philox4x32-10.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace assay {

using PhiloxBlock = std::array<std::uint32_t, 4>;

// Ten rounds over a 128-bit counter with a 64-bit key.
constexpr PhiloxBlock philox4x32(PhiloxBlock counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(product0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

// One stream of one seed. Streams of one seed are independent: give each use its own.
class CounterRandom {
 public:
  constexpr explicit CounterRandom(std::uint64_t seed, std::uint64_t stream = 0)
      : seed_(seed), stream_(stream) {}

  constexpr PhiloxBlock block(std::uint64_t i) const {
    return philox4x32({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32),
                       static_cast<std::uint32_t>(stream_), static_cast<std::uint32_t>(stream_ >> 32)},
                      {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)});
  }
  constexpr std::uint64_t u64(std::uint64_t i) const {
    const PhiloxBlock b = block(i);
    return std::uint64_t{b[1]} << 32 | b[0];
  }
  constexpr std::uint32_t u32(std::uint64_t i) const { return block(i)[0]; }
  // Uniform in [0, 1), a multiple of 2^-53.
  constexpr double uniform(std::uint64_t i) const { return static_cast<double>(u64(i) >> 11) * 0x1p-53; }
  // Uniform in [0, n); the bias is below n / 2^64.
  constexpr std::uint64_t below(std::uint64_t n, std::uint64_t i) const {
    return static_cast<std::uint64_t>((static_cast<Wide>(u64(i)) * n) >> 64);
  }
  // Standard normal (Box and Muller); its last bits depend on the mathematics library.
  double normal(std::uint64_t i) const {
    const PhiloxBlock b = block(i);
    const double u = (static_cast<double>(b[0]) + 1) * 0x1p-32;  // in (0, 1]
    const double v = static_cast<double>(b[1]) * 0x1p-32;
    return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
  }
  // Near a standard normal, from integers alone: the same bits with any mathematics library. The sum of eight uniform
  // numbers (Irwin and Hall), in (-4.9, 4.9).
  constexpr double bell(std::uint64_t i) const {
    std::int64_t sum = -4 * 0xFFFF;
    for (const std::uint32_t word : block(i)) sum += (word & 0xFFFF) + (word >> 16);
    return static_cast<double>(sum) * 0x1.3988E1409212Ep-16;  // sqrt(12 / 8) / 2^16
  }

 private:
  __extension__ typedef unsigned __int128 Wide;  // nvcc takes no __extension__ before `using`
  std::uint64_t seed_, stream_;
};

}  // namespace assay
