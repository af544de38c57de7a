// Sparse networks as data: weights, bias and clip of each layer, one layer after the other. Code that runs a network
// makes its own layout of it (spdnn::Plan, studies::QuantizedNetwork).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "reference/sparse/csr.hpp"

namespace assay::networks {

// What follows the sum of a layer: y = min(upper, max(lower, sum + bias)). No default: 0 and 32 in the Sparse DNN
// Challenge, 0 and 1 in SNICIT's networks, and a last layer often has none.
struct Clip {
  float lower, upper;

  constexpr Clip(float lower_bound, float upper_bound) : lower(lower_bound), upper(upper_bound) {}
  static constexpr Clip none() {
    return {-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()};
  }

  friend constexpr bool operator==(const Clip&, const Clip&) = default;
};

struct Layer {
  sparse::Csr<float> weights{};  // row j lists the inputs of output j
  std::vector<float> bias{};     // of each output
  Clip clip = Clip::none();

  std::int64_t inputs() const { return weights.cols(); }
  std::int64_t outputs() const { return weights.rows(); }
};

// A chain: the outputs of a layer are the inputs of the next.
struct Network {
  std::vector<Layer> layers{};

  std::int64_t inputs() const { return layers.empty() ? 0 : layers.front().inputs(); }
  std::int64_t outputs() const { return layers.empty() ? 0 : layers.back().outputs(); }
  std::int64_t widest() const;  // the most neurons of any layer, inputs included
  std::int64_t nnz() const;     // of all layers
};

// ContractError unless the weights pass sparse::check(), there is a bias for every output, and there are `inputs`
// inputs: the outputs of the layer before, nothing for the first one. `number` counts from 1, for the message.
void check(const Layer& layer, std::size_t number, std::optional<std::int64_t> inputs);
// The same for every layer. A network without layers passes.
void check(const Network& network);

}  // namespace assay::networks
