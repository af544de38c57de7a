// Several layers of a sparse network in one launch, float32: a block keeps a slab of images in shared memory from the
// first layer to the last, and weights stream past it from L2. Activations cross HBM once a launch, not once a layer.
//
// A thread computes pairs of outputs for all images of the slab, in registers, until every thread has read the layer's
// inputs; then the outputs take the place of the inputs. The two of a pair stand beside one another in the order of
// input lists (spdnn_layout.hpp): where their inputs are the same, as in a RadiX-Net, one read of shared memory serves
// both, and the threads of a warp read few different rows.
//
// Numerics: the contract of reference/spdnn/kernel_task.hpp, bit for bit.
//   sum    from +0, inputs ascending, one fmaf each; no edge, no operation
//   NaN    is written as 0xFFC00000, x86's default
//   alive  of the last layer, by atomicOr of masks: no order of threads changes it
//
// A launch of S slabs of I images through L layers of N outputs and E edges: 2 E I S L flops; bytes: 4 N I S read and
// 4 N I S written once, and 6 E S L of weights from L2; 4 I bytes of shared memory an edge and a slab, half of that
// where the outputs of pairs share their inputs, before broadcasts.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "gpu/kernels/launch.cuh"
#include "gpu/kernels/spdnn_activation.cuh"
#include "gpu/kernels/spdnn_layout.hpp"

namespace assay::gpu {

// 1024 neurons x 48 images, 2048 x 24 or 4096 x 12; 36 for GPUs whose blocks have less than 208 KiB of shared memory.
template <int Images>
struct SpdnnFusedConfig {
  static constexpr int threads = 512;
  static constexpr int images = Images;
  static constexpr int sums = 96;                    // registers of a thread
  static constexpr int pairs = sums / (2 * images);  // of a thread
  static constexpr int vectors = images / 4;
  // Of a row in shared memory, in vectors: odd, so that eight neighbouring rows lie in different banks.
  static constexpr int stride = vectors | 1;
  static constexpr int neurons = 2 * pairs * threads;  // the most of a layer's outputs
  static constexpr std::size_t shared_bytes(std::size_t widest) { return widest * stride * sizeof(float4); }
  static_assert(images % 4 == 0, "a row is whole vectors");
  static_assert(images <= static_cast<int>(most_spdnn_lanes), "the images of a slab are bits of a mask");
  static_assert(pairs >= 1, "a thread has at least one pair of outputs");
  static_assert(neurons < no_edge, "a neuron has a number of 16 bits");
};

// The arrays of SpdnnFusedLayout, on the device; an array of these too.
struct SpdnnFusedLayer {
  std::uint32_t inputs = 0, outputs = 0;
  float lower = 0, upper = 0;
  const std::uint32_t* columns = nullptr;
  const ushort2* index = nullptr;
  const float2* weight = nullptr;
  const ushort2* target = nullptr;
  const float2* bias = nullptr;
};

struct SpdnnFused {
  const SpdnnFusedLayer* layers = nullptr;  // on the device
  std::uint32_t count = 0;
  std::uint32_t inputs = 0, outputs = 0;  // of the first and of the last layer
  std::uint32_t widest = 0;               // the most neurons of any of them, inputs included
  SpdnnSlabs slabs{};
  const float* x = nullptr;
  float* y = nullptr;                   // may be x where the slabs are of one size
  unsigned long long* alive = nullptr;  // of a slab: bit i for lane i
};

namespace spdnn_kernels {

// A pair of outputs: sums of all images of the slab.
template <int Images>
struct PairOfSums {
  using Config = SpdnnFusedConfig<Images>;
  float first[Images], second[Images];

  __device__ static void add(float (&sum)[Images], const float4* row, float weight) {
#pragma unroll
    for (unsigned v = 0; v < Config::vectors; ++v) add_vector(sum, v, row[v], weight);
  }
  __device__ static void add_vector(float (&sum)[Images], unsigned v, const float4& x, float weight) {
    sum[4 * v] = fmaf(weight, x.x, sum[4 * v]);
    sum[4 * v + 1] = fmaf(weight, x.y, sum[4 * v + 1]);
    sum[4 * v + 2] = fmaf(weight, x.z, sum[4 * v + 2]);
    sum[4 * v + 3] = fmaf(weight, x.w, sum[4 * v + 3]);
  }
  __device__ void clear() {
#pragma unroll
    for (int i = 0; i < Images; ++i) first[i] = second[i] = 0.0F;
  }
  __device__ void add(const float4* rows, ushort2 index, float2 weight) {
    if (index.x == index.y) {
      if (index.x == no_edge) return;
#pragma unroll
      for (unsigned v = 0; v < Config::vectors; ++v) {
        const float4 x = rows[index.x * Config::stride + v];
        add_vector(first, v, x, weight.x);
        add_vector(second, v, x, weight.y);
      }
      return;
    }
    if (index.x != no_edge) add(first, rows + index.x * Config::stride, weight.x);
    if (index.y != no_edge) add(second, rows + index.y * Config::stride, weight.y);
  }
  // The sums of one output take its place in shared memory.
  __device__ static void store(const float (&sum)[Images], float4* row, float bias, float lower,
                               float upper) {
#pragma unroll
    for (unsigned v = 0; v < Config::vectors; ++v)
      row[v] = make_float4(
          activated(sum[4 * v], bias, lower, upper), activated(sum[4 * v + 1], bias, lower, upper),
          activated(sum[4 * v + 2], bias, lower, upper), activated(sum[4 * v + 3], bias, lower, upper));
  }
};

template <int Images>
__global__ void __launch_bounds__(SpdnnFusedConfig<Images>::threads, 1) layers_fused(SpdnnFused o) {
  using Config = SpdnnFusedConfig<Images>;
  extern __shared__ float4 slab[];
  const float4* const x = reinterpret_cast<const float4*>(o.x) +
                          static_cast<std::size_t>(blockIdx.x) * o.inputs * Config::vectors;
  for (std::uint32_t i = threadIdx.x; i < o.inputs * Config::vectors; i += Config::threads)
    slab[i / Config::vectors * Config::stride + i % Config::vectors] = x[i];
  __syncthreads();

  const std::uint32_t lane = threadIdx.x % lanes_of_slice;
  for (std::uint32_t l = 0; l < o.count; ++l) {
    const SpdnnFusedLayer& layer = o.layers[l];  // not a copy: registers are for sums
    const std::uint32_t all_pairs = (layer.outputs + 1) / 2;
    PairOfSums<Images> sums[Config::pairs];
#pragma unroll
    for (unsigned p = 0; p < Config::pairs; ++p) {
      sums[p].clear();
      const std::uint32_t slice = (p * Config::threads + threadIdx.x) / lanes_of_slice;
      if (slice * lanes_of_slice >= all_pairs) continue;
      std::uint32_t edge = layer.columns[slice] * lanes_of_slice + lane;
      const std::uint32_t end = layer.columns[slice + 1] * lanes_of_slice;
      if (edge >= end) continue;
      ushort2 index = layer.index[edge];
      float2 weight = layer.weight[edge];
      // The next edges are on their way while these are added; the last ones are read twice.
#pragma unroll 1
      while (edge < end) {
        const std::uint32_t next = edge + lanes_of_slice;
        const std::uint32_t ahead = next < end ? next : edge;
        const ushort2 next_index = layer.index[ahead];
        const float2 next_weight = layer.weight[ahead];
        sums[p].add(slab, index, weight);
        index = next_index;
        weight = next_weight;
        edge = next;
      }
    }
    __syncthreads();
#pragma unroll
    for (unsigned p = 0; p < Config::pairs; ++p) {
      const std::uint32_t pair = p * Config::threads + threadIdx.x;
      if (pair >= all_pairs) continue;
      const ushort2 target = layer.target[pair];
      const float2 bias = layer.bias[pair];
      PairOfSums<Images>::store(sums[p].first, slab + target.x * Config::stride, bias.x, layer.lower,
                                layer.upper);
      if (target.y != no_edge)
        PairOfSums<Images>::store(sums[p].second, slab + target.y * Config::stride, bias.y, layer.lower,
                                  layer.upper);
    }
    __syncthreads();
  }

  float4* const y =
      reinterpret_cast<float4*>(o.y) + static_cast<std::size_t>(blockIdx.x) * o.outputs * Config::vectors;
  unsigned long long alive = 0;
  for (std::uint32_t i = threadIdx.x; i < o.outputs * Config::vectors; i += Config::threads) {
    const std::uint32_t v = i % Config::vectors;
    const float4 row = slab[i / Config::vectors * Config::stride + v];
    const unsigned nonzero = (row.x != 0.0F ? 1U : 0U) | (row.y != 0.0F ? 2U : 0U) |
                             (row.z != 0.0F ? 4U : 0U) | (row.w != 0.0F ? 8U : 0U);
    alive |= static_cast<unsigned long long>(nonzero) << (4 * v);
    y[i] = row;
  }
  const unsigned low = __reduce_or_sync(0xFFFFFFFFU, static_cast<unsigned>(alive)),
                 high = __reduce_or_sync(0xFFFFFFFFU, static_cast<unsigned>(alive >> 32));
  if (lane == 0 && (low | high) != 0)
    atomicOr(o.alive + blockIdx.x, static_cast<unsigned long long>(high) << 32 | low);
}

// The most shared memory that a block of the current device may ask for.
inline std::size_t most_shared_bytes() {
  int device = 0, bytes = 0;
  ASSAY_CUDA(cudaGetDevice(&device));
  ASSAY_CUDA(cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
  return static_cast<std::size_t>(bytes);
}

template <int Images>
bool fits(std::size_t widest, std::size_t shared_bytes) {
  using Config = SpdnnFusedConfig<Images>;
  return widest <= static_cast<std::size_t>(Config::neurons) && Config::shared_bytes(widest) <= shared_bytes;
}

template <int Images>
void launch_fused(const SpdnnFused& o, cudaStream_t stream) {
  const std::size_t bytes = SpdnnFusedConfig<Images>::shared_bytes(o.widest);
  ASSAY_CUDA(cudaMemsetAsync(o.alive, 0, o.slabs.count() * sizeof(unsigned long long), stream));
  ASSAY_CUDA(cudaFuncSetAttribute(layers_fused<Images>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  static_cast<int>(bytes)));
  layers_fused<Images><<<blocks_in_x(o.slabs.count(), "spdnn layers fused"),
                         SpdnnFusedConfig<Images>::threads, bytes, stream>>>(o);
  ASSAY_CUDA(cudaGetLastError());
}

}  // namespace spdnn_kernels

// How many images a slab has for layers of `widest` neurons at most, on the current device; 0 where none fits.
inline std::uint32_t spdnn_fused_images(std::size_t widest) {
  const std::size_t bytes = spdnn_kernels::most_shared_bytes();
  if (spdnn_kernels::fits<48>(widest, bytes)) return 48;
  if (spdnn_kernels::fits<36>(widest, bytes)) return 36;
  if (spdnn_kernels::fits<24>(widest, bytes)) return 24;
  return spdnn_kernels::fits<12>(widest, bytes) ? 12 : 0;
}

inline void spdnn_layers_fused(const SpdnnFused& o, cudaStream_t stream) {
  const std::size_t slabs = o.slabs.count(), bytes = spdnn_kernels::most_shared_bytes();
  const auto require_fit = [&](bool fits) {
    if (!fits)
      throw ContractError("spdnn layers fused: " + std::to_string(o.widest) + " neurons x " +
                          std::to_string(o.slabs.lanes) + " images; a block has " + std::to_string(bytes) +
                          " bytes of shared memory");
  };
  require_array(o.layers, o.count, alignof(SpdnnFusedLayer), "spdnn layers fused: layers");
  require_array(o.x, slabs * o.inputs, alignof(float4), "spdnn layers fused: x");
  require_array(o.y, slabs * o.outputs, alignof(float4), "spdnn layers fused: y");
  require_array(o.alive, slabs, sizeof(unsigned long long), "spdnn layers fused: alive");
  if (o.count == 0) throw ContractError("spdnn layers fused: no layers");
  if (o.inputs > o.widest || o.outputs > o.widest)
    throw ContractError("spdnn layers fused: " + std::to_string(o.inputs) + " inputs and " +
                        std::to_string(o.outputs) + " outputs, and at most " + std::to_string(o.widest) +
                        " neurons");
  if (o.x == o.y && slabs > 1 && o.inputs != o.outputs)
    throw ContractError("spdnn layers fused: y is x, and its slabs are of another size");
  if (slabs == 0) return;
  switch (o.slabs.lanes) {
#define ASSAY_SPDNN_FUSED(images)                              \
  case images:                                                 \
    require_fit(spdnn_kernels::fits<images>(o.widest, bytes)); \
    spdnn_kernels::launch_fused<images>(o, stream);            \
    break
    ASSAY_SPDNN_FUSED(48);
    ASSAY_SPDNN_FUSED(36);
    ASSAY_SPDNN_FUSED(24);
    ASSAY_SPDNN_FUSED(12);
#undef ASSAY_SPDNN_FUSED
    default:
      throw ContractError("spdnn layers fused: slabs of " + std::to_string(o.slabs.lanes) +
                          " rows, and there are kernels for 12, 24, 36 and 48");
  }
}

}  // namespace assay::gpu
