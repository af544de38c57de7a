// One layer of a sparse network, y = clip(W x + bias), float32: the design of the Sparse DNN Challenge's champion of
// 2020.
//
// Source: Hidayetoglu et al., "At-Scale Sparse Deep Neural Network Inference with Efficient GPU Implementation" (HPEC
// 2020): a block stages the features that its outputs read, piece by piece, in shared memory; weights are transposed
// ELL with 16-bit indices of staged rows; a thread has one output of 12 images in registers; clip and the count of
// images that live are fused. Ours differs in two things that no bit depends on: outputs stand in the order of their
// input lists (spdnn_layout.hpp), and the 12 images of a block lie side by side, so that a thread reads a row of
// shared memory by three vector loads.
//
// Numerics: the contract of reference/spdnn/kernel_task.hpp, bit for bit.
//   sum    from +0, inputs ascending (stages ascend, and edges within a stage), one fmaf each; no edge, no operation
//   NaN    is written as 0xFFC00000, x86's default
//   alive  by atomicOr of masks: no order of threads changes it
//
// A launch of S slabs of 12 rows, N outputs, E edges: 24 E S flops; bytes: 48 S a staged row (of all tiles together),
// 48 N S written, and 6 E a slab from L2; 48 bytes of shared memory an edge and a slab, before broadcasts.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "gpu/kernels/launch.cuh"
#include "gpu/kernels/spdnn_activation.cuh"
#include "gpu/kernels/spdnn_layout.hpp"

namespace assay::gpu {

struct SpdnnTiledConfig {
  static constexpr int threads = 256;     // outputs of a block
  static constexpr int features = 12;     // images of a block
  static constexpr int footprint = 1024;  // rows that are staged at once
  static constexpr int vectors = features / 4;
  static_assert(features % 4 == 0, "a row of features is whole vectors");
  static_assert(threads % static_cast<int>(lanes_of_slice) == 0, "a block is whole warps");
  static_assert(footprint * features * sizeof(float) <= 48 * 1024, "the stage fits without an opt-in");
  static_assert(footprint < no_edge, "a row of the stage has an index of 16 bits");
};

// The arrays of SpdnnTiledLayout, on the device.
struct SpdnnTiledWeights {
  std::uint32_t inputs = 0, outputs = 0;
  const std::uint32_t *stages = nullptr, *rows = nullptr, *neurons = nullptr, *columns = nullptr;
  const std::uint16_t* index = nullptr;
  const float* weight = nullptr;
  const std::uint32_t* target = nullptr;
  const float* bias = nullptr;
};

struct SpdnnTiled {
  SpdnnTiledWeights weights{};
  float lower = 0, upper = 0;
  SpdnnSlabs slabs{};  // of SpdnnTiledConfig::features lanes
  const float* x = nullptr;
  float* y = nullptr;                   // not x
  unsigned long long* alive = nullptr;  // of a slab: bit i for lane i
};

namespace spdnn_kernels {

// A block: 12 images (x) and 256 outputs (y), so that blocks that run at once read the same weights.
template <class Config>
__global__ void __launch_bounds__(Config::threads) layer_tiled(SpdnnTiled o) {
  __shared__ float4 staged[Config::footprint * Config::vectors];
  const SpdnnTiledWeights& w = o.weights;
  const unsigned lane = threadIdx.x % lanes_of_slice, warp = threadIdx.x / lanes_of_slice;
  const float4* const x = reinterpret_cast<const float4*>(o.x) +
                          static_cast<std::size_t>(blockIdx.x) * w.inputs * Config::vectors;
  float sum[Config::features];
#pragma unroll
  for (int f = 0; f < Config::features; ++f) sum[f] = 0.0F;
  for (std::uint32_t stage = w.stages[blockIdx.y]; stage < w.stages[blockIdx.y + 1]; ++stage) {
    const std::uint32_t first = w.rows[stage], vectors = (w.rows[stage + 1] - first) * Config::vectors;
    for (std::uint32_t i = threadIdx.x; i < vectors; i += Config::threads) {
      const std::uint32_t row = i / Config::vectors;
      staged[i] = x[static_cast<std::size_t>(w.neurons[first + row]) * Config::vectors + i % Config::vectors];
    }
    __syncthreads();
    const std::uint32_t* const columns =
        w.columns + static_cast<std::size_t>(stage) * (Config::threads / lanes_of_slice) + warp;
    for (std::uint32_t column = columns[0]; column < columns[1]; ++column) {
      const std::size_t edge = static_cast<std::size_t>(column) * lanes_of_slice + lane;
      const std::uint32_t index = w.index[edge];
      const float weight = w.weight[edge];
      if (index == no_edge) continue;
#pragma unroll
      for (unsigned v = 0; v < Config::vectors; ++v) {
        const float4 features = staged[index * Config::vectors + v];
        sum[4 * v] = fmaf(weight, features.x, sum[4 * v]);
        sum[4 * v + 1] = fmaf(weight, features.y, sum[4 * v + 1]);
        sum[4 * v + 2] = fmaf(weight, features.z, sum[4 * v + 2]);
        sum[4 * v + 3] = fmaf(weight, features.w, sum[4 * v + 3]);
      }
    }
    __syncthreads();
  }

  const std::uint32_t output = blockIdx.y * Config::threads + threadIdx.x;
  unsigned alive = 0;
  if (output < w.outputs) {
    const float bias = w.bias[output];
#pragma unroll
    for (int f = 0; f < Config::features; ++f) {
      sum[f] = activated(sum[f], bias, o.lower, o.upper);
      alive |= (sum[f] != 0.0F ? 1U : 0U) << f;
    }
    float4* const y = reinterpret_cast<float4*>(o.y) +
                      (static_cast<std::size_t>(blockIdx.x) * w.outputs + w.target[output]) * Config::vectors;
#pragma unroll
    for (unsigned v = 0; v < Config::vectors; ++v)
      y[v] = make_float4(sum[4 * v], sum[4 * v + 1], sum[4 * v + 2], sum[4 * v + 3]);
  }
  alive = __reduce_or_sync(0xFFFFFFFFU, alive);
  if (lane == 0 && alive != 0) atomicOr(o.alive + blockIdx.x, static_cast<unsigned long long>(alive));
}

}  // namespace spdnn_kernels

inline void spdnn_layer_tiled(const SpdnnTiled& o, cudaStream_t stream) {
  using Config = SpdnnTiledConfig;
  const SpdnnTiledWeights& w = o.weights;
  if (o.slabs.lanes != Config::features)
    throw ContractError("spdnn layer tiled: slabs of " + std::to_string(o.slabs.lanes) +
                        " rows, and a block takes " + std::to_string(Config::features));
  const std::size_t slabs = o.slabs.count(),
                    tiles = (w.outputs + std::size_t{Config::threads} - 1) / Config::threads;
  if (tiles > 65535)
    throw ContractError("spdnn layer tiled: " + std::to_string(w.outputs) +
                        " outputs, and a grid has at most " + std::to_string(65535 * Config::threads));
  require_array(o.x, slabs * w.inputs, alignof(float4), "spdnn layer tiled: x");
  require_array(o.y, slabs * w.outputs, alignof(float4), "spdnn layer tiled: y");
  require_array(o.alive, slabs, sizeof(unsigned long long), "spdnn layer tiled: alive");
  require_array(w.stages, tiles == 0 ? 0 : tiles + 1, sizeof(std::uint32_t), "spdnn layer tiled: stages");
  require_array(w.rows, tiles, sizeof(std::uint32_t), "spdnn layer tiled: rows");
  require_array(w.columns, tiles, sizeof(std::uint32_t), "spdnn layer tiled: columns");
  require_array(w.target, w.outputs, sizeof(std::uint32_t), "spdnn layer tiled: target");
  require_array(w.bias, w.outputs, sizeof(float), "spdnn layer tiled: bias");
  if (slabs == 0) return;
  if (w.outputs != 0 && o.x == o.y)
    throw ContractError("spdnn layer tiled: y is x, and other blocks still read x");
  ASSAY_CUDA(cudaMemsetAsync(o.alive, 0, slabs * sizeof(unsigned long long), stream));
  if (tiles == 0) return;
  const dim3 grid(blocks_in_x(slabs, "spdnn layer tiled"), static_cast<unsigned>(tiles));
  spdnn_kernels::layer_tiled<Config><<<grid, Config::threads, 0, stream>>>(o);
  ASSAY_CUDA(cudaGetLastError());
}

}  // namespace assay::gpu
