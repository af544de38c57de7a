// The numbers of timed problems: functions of a key and a place, so that a device makes arrays that a judge elsewhere
// does not need to hold. Read by the host's compiler, by nvcc and by the executor.
//
// Numerics
//   word     a hash of 32 bits, in integers: the mixing steps of reference/formats/stochastic.hpp
//   float32  the word's 24 upper bits as an integer times 2^-23, both exact: in [-1, 1), 0 or at least 2^-23
//   bf16     the code of that float, cut off
//   hence    the same bits from every compiler under every flag.
#pragma once

#include <cstdint>
#include <cstring>

#include "reference/core/random.hpp"

#ifdef __CUDACC__
#define ASSAY_HOST_DEVICE __host__ __device__
#else
#define ASSAY_HOST_DEVICE
#endif

namespace assay::gpu {

struct OperandKey {
  std::uint32_t before = 0, between = 0;
};

// A stream of a seed, on the host.
inline OperandKey operand_key(std::uint64_t seed, std::uint64_t stream) {
  const PhiloxBlock b = CounterRandom(seed, stream).block(0);
  return {b[0], b[1]};
}

ASSAY_HOST_DEVICE inline std::uint32_t operand_word(OperandKey key, std::uint64_t place) {
  std::uint32_t x = static_cast<std::uint32_t>(place) + key.before;
  x ^= x >> 16;
  x *= 0x7FEB352D;
  x ^= key.between + static_cast<std::uint32_t>(place >> 32) * 0x9E3779B9;
  x ^= x >> 15;
  x *= 0x846CA68B;
  return x ^ x >> 16;
}

ASSAY_HOST_DEVICE inline float operand_f32(OperandKey key, std::uint64_t place) {
  return static_cast<float>(static_cast<std::int32_t>(operand_word(key, place)) >> 8) * 0x1p-23F;
}

ASSAY_HOST_DEVICE inline std::uint16_t operand_bf16(OperandKey key, std::uint64_t place) {
  const float x = operand_f32(key, place);
  std::uint32_t bits = 0;
  std::memcpy(&bits, &x, sizeof bits);
  return static_cast<std::uint16_t>(bits >> 16);
}

// Any float32: infinities, NaNs and subnormals among them.
ASSAY_HOST_DEVICE inline float operand_any_f32(OperandKey key, std::uint64_t place) {
  const std::uint32_t bits = operand_word(key, place);
  float x = 0;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

}  // namespace assay::gpu
