#include "reference/networks/network.hpp"

#include <algorithm>
#include <string>

#include "reference/core/error.hpp"

namespace assay::networks {

using std::to_string;

std::int64_t Network::widest() const {
  std::int64_t most = inputs();
  for (const Layer& layer : layers) most = std::max(most, layer.outputs());
  return most;
}

std::int64_t Network::nnz() const {
  std::int64_t total = 0;
  for (const Layer& layer : layers) total += layer.weights.nnz();
  return total;
}

void check(const Layer& layer, std::size_t number, std::optional<std::int64_t> inputs) {
  const auto fail = [&](const std::string& what) {
    throw ContractError("layer " + to_string(number) + ": " + what);
  };
  sparse::check(layer.weights);
  if (layer.bias.size() != static_cast<std::size_t>(layer.outputs()))
    fail(to_string(layer.bias.size()) + " biases for " + to_string(layer.outputs()) + " outputs");
  if (inputs && layer.inputs() != *inputs) {
    fail(to_string(layer.inputs()) + " inputs, but the layer before has " + to_string(*inputs) + " outputs");
  }
}

void check(const Network& network) {
  std::optional<std::int64_t> inputs;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    check(network.layers[l], l + 1, inputs);
    inputs = network.layers[l].outputs();
  }
}

}  // namespace assay::networks
