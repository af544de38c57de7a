// Networks, inputs and truths for tests of the CUDA kernels of sparse inference.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "gpu/kernels/compute_device.hpp"
#include "reference/core/random.hpp"
#include "reference/graphs/radixnet.hpp"
#include "reference/spdnn/challenge_network.hpp"
#include "reference/spdnn/inference.hpp"

namespace assay::test {

inline constexpr float infinite = std::numeric_limits<float>::infinity();

// Layers of these sizes; an output has 0 to 2 * width inputs, or all that there are. Weights that round.
inline networks::Network ragged_network(std::uint64_t seed, const std::vector<std::int32_t>& sizes,
                                        double width, networks::Clip clip, double largest_bias) {
  networks::Network network;
  for (std::size_t l = 0; l + 1 < sizes.size(); ++l) {
    const CounterRandom random(seed, l);
    std::uint64_t n = 0;
    networks::Layer layer;
    layer.clip = clip;
    sparse::CsrStructure& structure = layer.weights.structure;
    structure.rows = sizes[l + 1];
    structure.cols = sizes[l];
    for (std::int32_t j = 0; j < sizes[l + 1]; ++j) {
      const double density = 2 * width * random.uniform(n++) / sizes[l];
      for (std::int32_t i = 0; i < sizes[l] && j % 7 != 3; ++i) {  // every seventh output has no inputs
        if (random.uniform(n++) >= density) continue;
        structure.column_indices.push_back(i);
        layer.weights.values.push_back(static_cast<float>(random.normal(n++)) / 2);
      }
      structure.end_row();
      layer.bias.push_back(static_cast<float>(largest_bias - random.uniform(n++)));
    }
    network.layers.push_back(std::move(layer));
  }
  return network;
}

// Of a challenge's network of 1024 neurons, the first layers: dense enough inputs survive them.
inline spdnn::BitMatrix blocks_of_pixels(std::size_t images, std::size_t pixels) {
  spdnn::BitMatrix bits(images, pixels);
  for (std::size_t i = 0; i < images; ++i) {
    for (std::size_t p = 0; p < pixels * (i % 9) / 9; ++p) bits.set(i, (p * 2 + 31 * i) % pixels);
  }
  return bits;
}

// Half of them zeros; one in 16 of the rest from `special`.
inline std::vector<float> dense_inputs(std::size_t images, std::size_t pixels, std::uint64_t seed,
                                       const std::vector<float>& special) {
  const CounterRandom random(seed, 77);
  std::vector<float> values(images * pixels);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (random.below(2, 4 * i) == 0) continue;
    values[i] = !special.empty() && random.below(16, 4 * i + 1) == 0
                    ? special[random.below(special.size(), 4 * i + 2)]
                    : static_cast<float>(random.normal(4 * i + 3));
  }
  return values;
}

inline spdnn::Inference truth_of(const networks::Network& network, const gpu::SpdnnInputs& inputs,
                                 bool skip_zero_rows) {
  const spdnn::Plan plan(spdnn::kernel_named("csr_scalar"), network,
                         skip_zero_rows ? std::vector{spdnn::Cut::zero_rows} : std::vector<spdnn::Cut>{});
  spdnn::ExecuteOptions options;
  options.threads = 1;
  options.keep_outputs = true;
  return std::visit([&](const auto& rows) { return spdnn::execute(plan, rows, options); }, inputs);
}

// Empty where `got` has the categories and the bits of `expected`; else the first difference.
inline std::string difference(const spdnn::Inference& got, const spdnn::Inference& expected) {
  if (got.categories != expected.categories)
    return std::to_string(got.categories.size()) + " categories, expected " +
           std::to_string(expected.categories.size());
  if (got.outputs.size() != expected.outputs.size())
    return std::to_string(got.outputs.size()) + " outputs, expected " +
           std::to_string(expected.outputs.size());
  for (std::size_t i = 0; i < got.outputs.size(); ++i) {
    if (std::memcmp(&got.outputs[i], &expected.outputs[i], sizeof(float)) != 0)
      return "output " + std::to_string(i) + " is " + std::to_string(got.outputs[i]) + ", expected " +
             std::to_string(expected.outputs[i]);
  }
  return "";
}

}  // namespace assay::test
