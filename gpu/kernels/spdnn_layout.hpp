// Layers of sparse networks as the CUDA kernels read them. Plain C++: host arrays, to be uploaded once.
//
// Outputs are taken in the order of their input lists, so that the threads of a warp read few rows of features; the
// order of the outputs is free by the contract of reference/spdnn/kernel_task.hpp. The inputs of an output stay in
// ascending order, which the contract fixes. Weights are sliced ELL, transposed: the e-th edges of 32 neighbours lie
// side by side. A place without an edge has the index `no_edge` and is not multiplied: 0 * Inf would be a NaN.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/networks/network.hpp"

namespace assay::gpu {

inline constexpr std::uint16_t no_edge = 0xFFFF;
inline constexpr std::uint32_t lanes_of_slice = 32;  // a warp

// For spdnn_layer_tiled: a tile is what a block computes; its stages are the pieces of its footprint, ascending.
struct SpdnnTiledLayout {
  std::uint32_t inputs = 0, outputs = 0;
  std::vector<std::uint32_t> stages{};   // tiles + 1: where the stages of a tile begin
  std::vector<std::uint32_t> rows{};     // stages + 1: where the input neurons of a stage begin
  std::vector<std::uint32_t> neurons{};  // the input neurons, stage by stage, ascending
  // stages * warps of a tile + 1: where the slice of a warp begins, in columns of 32 edges.
  std::vector<std::uint32_t> columns{};
  std::vector<std::uint16_t> index{};  // of a row of the stage
  std::vector<float> weight{};
  std::vector<std::uint32_t> target{};  // the output neuron of a thread
  std::vector<float> bias{};            // in that order
};
// ContractError unless `tile` is a multiple of 32 and 1 <= footprint < no_edge. The layer passes networks::check().
SpdnnTiledLayout tiled_layout(const networks::Layer& layer, std::uint32_t tile, std::uint32_t footprint);

// For spdnn_layers_fused: a thread has pairs of outputs, neighbours in the order of input lists. Everything of a pair
// lies side by side; a last pair of one output has the second target `no_edge`.
struct SpdnnFusedLayout {
  std::uint32_t inputs = 0, outputs = 0;
  std::vector<std::uint32_t>
      columns{};                       // slices of 32 pairs + 1: where a slice begins, in columns of 32 pairs
  std::vector<std::uint16_t> index{};  // of an input neuron, 2 a pair
  std::vector<float> weight{};         // 2 a pair
  std::vector<std::uint16_t> target{};  // 2 a pair
  std::vector<float> bias{};            // 2 a pair
};
// ContractError for no_edge inputs or outputs and more.
SpdnnFusedLayout fused_layout(const networks::Layer& layer);

}  // namespace assay::gpu
