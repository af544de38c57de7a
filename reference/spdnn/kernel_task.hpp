// The arguments of a kernel: plain pointers and sizes, so that a kernel compiled for a wide ISA shares no inline code
// with the rest of the program.
//
// Numerics, the contract of every kernel
//   sum     s starts at +0 and takes the inputs of the output in ascending order, one fused multiply-add each:
//           s = fma(weight, x, s).
//   bias    z = s + bias, one rounding, for every s. The challenge adds the bias only where Y·W is nonzero: with
//           bias <= 0 and lower = 0 that is the same, because max(0, 0 + bias) = 0; the plan holds a challenge
//           network to it.
//   clip    y = lower where z <= lower, else upper where z > upper, else z. So y = min(upper, max(lower, z)) for
//           numbers, and a clip to [0, u] gives no -0: z = -0 is <= +0 and becomes +0.
//   Inf     a sum that overflows is infinite and stays so: a fused product is not rounded, so finite weights and
//           inputs never set Inf against -Inf. +Inf becomes upper, -Inf lower.
//   NaN     passes: it is neither <= lower nor > upper. Finite weights, inputs and clips make none; without a clip an
//           activation may be infinite, and Inf - Inf and 0 * Inf are x86's default NaN.
//   alive   a lane is alive if some y of it is not 0; NaN is not 0.
//   order   of the outputs and grouping of the images into tiles are free: no lane reads another one.
//   hence   scalar, AVX2 and AVX-512 give the same bits, for any number of threads. MXCSR is the default (no flushing).
#pragma once

#include <cstdint>

namespace assay::spdnn {

// A tile holds `lanes` images, neuron-major: the row of neuron n lies at row_of(n) * lanes. The inputs of a RadiX-Net
// output lie a power of two of rows apart and would fall into one set of the L1 cache; one spare row every 64 spreads
// them.
constexpr std::uint32_t row_of(std::uint32_t neuron) { return neuron + neuron / 64; }
constexpr std::uint32_t tile_rows(std::uint32_t neurons) {
  return neurons == 0 ? 0 : row_of(neurons - 1) + 1;
}

inline constexpr std::uint32_t most_lanes = 128;

struct Edge {
  std::uint32_t source;  // offset of the input's row in a tile, in floats
  float weight;
};

// y = clip(W·x + bias) for one tile. Outputs are numbered in the order in which they are computed.
struct LayerTask {
  const Edge* edges;                  // output by output, inputs ascending
  const std::uint32_t* edge_offsets;  // CSR: outputs + 1; null for ELL
  std::uint32_t width;                // ELL: the edges of every output
  const std::uint32_t* targets;       // of an output: offset of its row in a tile, in floats
  const float* bias;                  // of an output
  std::uint32_t outputs;
  float lower, upper;
  const float* x;        // 64-byte aligned, as y
  float* y;              // not x
  std::uint32_t lanes;   // the first of the tile's lanes are images; what else is computed means nothing
  std::uint64_t* alive;  // out: bit i of the most_lanes bits for lane i; meaningful for the first `lanes`
};

// Copies the lanes of `src` whose bit is set, in ascending order, to the lanes `at`, `at` + 1, ... of `dst`, in all
// rows. The other lanes of `dst` keep their values.
struct AppendTask {
  const float* src;
  float* dst;
  std::uint32_t rows;
  const std::uint64_t* mask;  // most_lanes bits
  std::uint32_t at;           // at + the bits set do not exceed the tile's lanes
};

using LayerFn = void(const LayerTask& task) noexcept;
using AppendFn = void(const AppendTask& task) noexcept;

}  // namespace assay::spdnn
