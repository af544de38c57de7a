#include "reference/spdnn/challenge_network.hpp"

#include <utility>

#include "reference/core/narrow.hpp"
#include "reference/graphs/radixnet.hpp"
#include "reference/spdnn/inference.hpp"

namespace assay::spdnn {

networks::Layer challenge_layer(sparse::Csr<float> weights) {
  const float bias = challenge_bias(narrow<std::int32_t>(weights.rows(), "neurons"));
  const auto outputs = static_cast<std::size_t>(weights.rows());
  return {std::move(weights), std::vector<float>(outputs, bias), challenge_clip};
}

networks::Network challenge_network(std::int32_t neurons, int layers) {
  const graphs::RadixNet net(neurons, layers);
  networks::Network network;
  network.layers.reserve(static_cast<std::size_t>(layers));
  for (int l = 0; l < layers; ++l) network.layers.push_back(challenge_layer(net.layer(l)));
  return network;
}

}  // namespace assay::spdnn
