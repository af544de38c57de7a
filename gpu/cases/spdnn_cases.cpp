#include "gpu/cases/spdnn_cases.hpp"

#include <limits>
#include <memory>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/spdnn/challenge_network.hpp"

namespace assay::gpu {
namespace {

constexpr const char* networks_of_cases[] = {"ragged", "stages", "dying", "challenge", "wild"};

struct Sizes {
  std::vector<std::int32_t> neurons{};  // of the inputs, and of each layer's outputs
  double inputs_of_output = 0;          // on average
  networks::Clip clip{0, 4};
  double least_bias = 0, largest_bias = 0;
};

// An output has up to twice the average of inputs; each seventh has none.
networks::Network random_network(const Sizes& sizes, std::uint64_t seed) {
  networks::Network network;
  for (std::size_t l = 0; l + 1 < sizes.neurons.size(); ++l) {
    const CounterRandom random(seed, l);
    std::uint64_t n = 0;
    networks::Layer layer;
    layer.clip = sizes.clip;
    sparse::CsrStructure& structure = layer.weights.structure;
    structure.rows = sizes.neurons[l + 1];
    structure.cols = sizes.neurons[l];
    for (std::int32_t j = 0; j < sizes.neurons[l + 1]; ++j) {
      const double density = 2 * sizes.inputs_of_output * random.uniform(n++) / sizes.neurons[l];
      for (std::int32_t i = 0; i < sizes.neurons[l] && j % 7 != 3; ++i) {
        if (random.uniform(n++) >= density) continue;
        structure.column_indices.push_back(i);
        layer.weights.values.push_back(static_cast<float>(random.bell(n++) / 2));
      }
      structure.end_row();
      const double bias = sizes.least_bias + (sizes.largest_bias - sizes.least_bias) * random.uniform(n++);
      layer.bias.push_back(static_cast<float>(bias));
    }
    network.layers.push_back(std::move(layer));
  }
  return network;
}

// A share of each row's numbers is not zero, from none in the first row of nine to nearly all in the last.
std::vector<float> rows_of_numbers(std::size_t images, std::size_t pixels, std::uint64_t seed, bool wild) {
  constexpr float infinite = std::numeric_limits<float>::infinity(),
                  tiny = std::numeric_limits<float>::denorm_min();
  constexpr float special[] = {infinite, -infinite, -0.0F,
                               tiny,     -3 * tiny, std::numeric_limits<float>::max()};
  const CounterRandom random(seed, 77);
  std::vector<float> values(images * pixels);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (random.below(9, 4 * i) >= i / pixels % 9) continue;
    values[i] = wild && random.below(16, 4 * i + 1) == 0
                    ? special[random.below(std::size(special), 4 * i + 2)]
                    : static_cast<float>(random.bell(4 * i + 3));
  }
  return values;
}

KernelArrays run_spdnn(const std::string& network, SpdnnDesign design, std::uint64_t seed) {
  const SpdnnProblem p = spdnn_problem(network, seed);
  SpdnnDeviceOptions options{.design = design, .skip_zero_rows = p.skips_zero_rows};
  options.widest = p.network.widest();
  const std::unique_ptr<ComputeDevice> device = make_cuda_device(options);
  for (const networks::Layer& layer : p.network.layers) device->add_layer(layer);
  return spdnn_arrays(device->infer(p.rows(), {.keep_outputs = true}), p.network.outputs());
}

}  // namespace

std::span<const char* const> spdnn_networks() { return networks_of_cases; }

SpdnnProblem spdnn_problem(const std::string& network, std::uint64_t seed) {
  SpdnnProblem p;
  if (network == "ragged") {
    p.network = random_network({{97, 257, 31, 64}, 9, {0, 4}, -0.25, 0.75}, seed);
    p.images = 61;
  } else if (network == "stages") {
    p.network = random_network({{2600, 300}, 60, {0, 8}, 0.125, 0.5}, seed);
    p.images = 14;
  } else if (network == "dying") {
    p.network = random_network({{70, 70, 70, 70, 70}, 4, {0, 2}, -0.6, 0}, seed);
    p.images = 85;
    p.skips_zero_rows = true;
  } else if (network == "challenge") {
    p.network = spdnn::challenge_network(1024, 2);
    p.images = 13;
    p.skips_zero_rows = true;
  } else if (network == "wild") {
    p.network = random_network({{40, 33, 50, 41}, 5, networks::Clip::none(), -0.5, 0.5}, seed);
    p.images = 37;
    p.wild = true;
  } else {
    throw ContractError("no network " + network);
  }
  p.inputs = rows_of_numbers(p.images, static_cast<std::size_t>(p.network.inputs()), seed, p.wild);
  return p;
}

KernelArrays spdnn_arrays(const spdnn::Inference& inference, std::int64_t outputs) {
  const std::vector<std::int64_t> categories(inference.categories.begin(), inference.categories.end());
  const auto rows = static_cast<std::int64_t>(categories.size());
  return {kernel_array("categories", categories, {rows}),
          kernel_array("outputs", inference.outputs, {rows, outputs})};
}

KernelCase spdnn_case(const std::string& network, SpdnnDesign design) {
  return {.member = design == SpdnnDesign::tiled ? "spdnn/layer_tiled" : "spdnn/layers_fused",
          .parameters = {{"network", network}},
          .run = [network, design](std::uint64_t seed) { return run_spdnn(network, design, seed); }};
}

std::vector<KernelCase> spdnn_cases() {
  std::vector<KernelCase> cases;
  for (const SpdnnDesign design : {SpdnnDesign::tiled, SpdnnDesign::fused}) {
    for (const char* const network : spdnn_networks()) {
      // 2600 neurons of 12 images are more than the shared memory of some GPUs has.
      if (design == SpdnnDesign::fused && network == std::string("stages")) continue;
      cases.push_back(spdnn_case(network, design));
    }
  }
  return cases;
}

}  // namespace assay::gpu
