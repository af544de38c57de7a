// The CUDA kernels of sparse inference under the executor: categories and bits of the CPU's, in any order of threads.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <bit>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "gpu/kernels/spdnn_run.hpp"
#include "reference/core/error.hpp"
#include "tests/gpu/kernels/schedules.hpp"
#include "tests/gpu/kernels/spdnn_networks.hpp"
#include "tests/gpu/kernels/spdnn_planted.hpp"

namespace {

using namespace assay;
using namespace assay::test;
using gpu::SpdnnDesign;
using gpu::SpdnnDeviceOptions;
using gpu::SpdnnInputs;
using networks::Clip;
using networks::Network;

std::string kernel_for(std::int64_t widest) { return gpu::make_cuda_device({.widest = widest})->kernel(); }

std::unique_ptr<gpu::ComputeDevice> device_with(const Network& network, SpdnnDeviceOptions options) {
  options.widest = network.widest();
  std::unique_ptr<gpu::ComputeDevice> device = gpu::make_cuda_device(options);
  for (const networks::Layer& layer : network.layers) device->add_layer(layer);
  return device;
}

SpdnnDeviceOptions tiled(bool skip = false) { return {.design = SpdnnDesign::tiled, .skip_zero_rows = skip}; }
SpdnnDeviceOptions fused(std::uint32_t images, bool skip = false) {
  return {.design = SpdnnDesign::fused, .images = images, .skip_zero_rows = skip};
}

// Returns the last inference.
spdnn::Inference check(const Network& network, const SpdnnInputs& inputs, const SpdnnDeviceOptions& options,
                       const spdnn::Inference& truth, std::size_t activation_bytes = 0) {
  const std::unique_ptr<gpu::ComputeDevice> device = device_with(network, options);
  spdnn::Inference got;
  for_each_schedule([&](const std::string& schedule) {
    got = device->infer(inputs, {.keep_outputs = true, .activation_bytes = activation_bytes});
    BOOST_TEST(difference(got, truth) == "", schedule << ": " << device->kernel());
  });
  return got;
}

void check_all(const Network& network, const SpdnnInputs& inputs, bool skip = false) {
  const spdnn::Inference truth = truth_of(network, inputs, skip);
  BOOST_TEST(!truth.categories.empty());
  check(network, inputs, tiled(skip), truth);
  check(network, inputs, fused(0, skip), truth);
}

}  // namespace

BOOST_AUTO_TEST_CASE(spdnn_radixnet_has_the_bits_of_the_cpu) {
  const Network network = spdnn::challenge_network(1024, 5);
  const spdnn::BitMatrix pixels = blocks_of_pixels(53, 1024);
  const spdnn::Inference truth = truth_of(network, pixels.view(), true);
  BOOST_TEST((truth.categories.size() > 3 && truth.categories.size() < 50), truth.categories.size());
  check(network, pixels.view(), tiled(true), truth);
  check(network, pixels.view(), fused(0, true), truth);
}

BOOST_AUTO_TEST_CASE(spdnn_ragged_layers_of_any_size) {
  for (const std::vector<std::int32_t>& sizes :
       {std::vector{1, 1}, std::vector{3, 5, 1, 7}, std::vector{97, 257, 31, 64, 2}}) {
    const Network network = ragged_network(1, sizes, 9, {0, 4}, 0.75);
    for (const std::size_t images : {std::size_t{13}, std::size_t{49}}) {
      const std::vector<float> values = dense_inputs(images, static_cast<std::size_t>(sizes[0]), images, {});
      check_all(network, spdnn::DenseRows{values.data(), images, static_cast<std::size_t>(sizes[0])});
    }
  }
}

// 12 images are too many for no slab: each size of it, with tails, and layers that need 4 and 8 outputs a thread.
BOOST_AUTO_TEST_CASE(spdnn_fused_slabs_of_every_size) {
  const Network small = ragged_network(2, {70, 131, 90}, 8, {0, 2}, 0.5);
  const std::vector<float> values = dense_inputs(50, 70, 3, {});
  const spdnn::DenseRows inputs{values.data(), 50, 70};
  const spdnn::Inference truth = truth_of(small, inputs, false);
  for (const std::uint32_t images : {12U, 24U, 36U, 48U}) check(small, inputs, fused(images), truth);
  for (const std::int32_t wide : {1500, 4001}) {
    const Network network = ragged_network(4, {20, wide, 9}, 4, {0, 2}, 0.5);
    const std::vector<float> few = dense_inputs(3, 20, 5, {});
    const spdnn::DenseRows rows{few.data(), 3, 20};
    check(network, rows, fused(0), truth_of(network, rows, false));
    BOOST_TEST(kernel_for(wide) ==
               "spdnn_layers_fused, " + std::string(wide == 1500 ? "24" : "12") + " images a block");
  }
  BOOST_TEST(kernel_for(1024) == "spdnn_layers_fused, 48 images a block");
  BOOST_TEST(kernel_for(16384) == "spdnn_layer_tiled, 12 images a block");
}

// Footprints of several stages, and more outputs than a tile.
BOOST_AUTO_TEST_CASE(spdnn_tiled_stages_keep_the_order) {
  const Network network = ragged_network(6, {2600, 300}, 60, {0, 8}, 0.5);
  const std::vector<float> values = dense_inputs(14, 2600, 7, {});
  const spdnn::DenseRows inputs{values.data(), 14, 2600};
  check(network, inputs, tiled(), truth_of(network, inputs, false));
}

BOOST_AUTO_TEST_CASE(spdnn_special_values) {
  const float tiny = std::numeric_limits<float>::denorm_min();
  const std::vector<float> special = {infinite, -infinite, -0.0F,
                                      tiny,     -3 * tiny, std::numeric_limits<float>::max()};
  for (const Clip& clip : {Clip::none(), Clip{0, infinite}, Clip{-1, 1}}) {
    const Network network = ragged_network(8, {40, 33, 50, 41}, 5, clip, 0);
    const std::vector<float> values = dense_inputs(37, 40, 9, special);
    check_all(network, spdnn::DenseRows{values.data(), 37, 40});
  }
  // Subnormal sums, and -0 where no bias hides it.
  Network faint = ragged_network(10, {30, 40}, 3, Clip::none(), 0);
  std::ranges::fill(faint.layers[0].bias, -0.0F);
  const std::vector<float> values = dense_inputs(20, 30, 11, {tiny, -tiny, 0x1p-127F});
  check_all(faint, spdnn::DenseRows{values.data(), 20, 30});
}

// The contract says which NaN; the CPU keeps a payload.
BOOST_AUTO_TEST_CASE(spdnn_nans_of_inputs_pass_as_one) {
  const Network network = ragged_network(12, {40, 33, 21}, 5, {0, 3}, 0.5);
  const std::vector<float> values = dense_inputs(20, 40, 13, {std::bit_cast<float>(0x7FC01234U)});
  const spdnn::DenseRows inputs{values.data(), 20, 40};
  spdnn::Inference truth = truth_of(network, inputs, false);
  std::size_t nans = 0;
  for (float& x : truth.outputs) {
    if (std::isnan(x)) {
      x = std::bit_cast<float>(0xFFC00000U);
      ++nans;
    }
  }
  BOOST_TEST(nans > 0U);
  check(network, inputs, tiled(), truth);
  check(network, inputs, fused(0), truth);
}

BOOST_AUTO_TEST_CASE(spdnn_rows_that_died_are_left_behind) {
  const Network network = ragged_network(14, {60, 60, 60, 60, 60}, 8, {0, 2}, -0.2);
  const std::size_t images = 300;
  const std::vector<float> values = dense_inputs(images, 60, 15, {});
  const spdnn::DenseRows inputs{values.data(), images, 60};
  const spdnn::Inference truth = truth_of(network, inputs, true);
  BOOST_TEST((truth.categories.size() > 5 && truth.categories.size() < images / 2), truth.categories.size());
  SpdnnDeviceOptions by_one = fused(0, true);
  by_one.layers_at_first = 1;
  for (const SpdnnDeviceOptions& options : {tiled(true), by_one}) {
    const spdnn::Inference got = check(network, inputs, options, truth);
    BOOST_TEST(got.rows_computed.front() == truth.rows_computed.front());
    BOOST_TEST(std::ranges::is_sorted(got.rows_computed, std::greater{}));
    BOOST_TEST(got.rows_computed.back() < images / 2);
    BOOST_TEST(got.nominal_edges == truth.nominal_edges);
    BOOST_TEST(got.executed_edges == std::inner_product(got.rows_computed.begin(), got.rows_computed.end(),
                                                        network.layers.begin(), std::uint64_t{0}, std::plus{},
                                                        [](std::uint64_t rows, const networks::Layer& l) {
                                                          return rows *
                                                                 static_cast<std::uint64_t>(l.weights.nnz());
                                                        }));
    // In turns of a few slabs.
    check(network, inputs, options, truth, std::size_t{2} * sizeof(float) * 60 * 100);
  }
}

BOOST_AUTO_TEST_CASE(spdnn_nothing_and_nobody) {
  const Network network = ragged_network(16, {10, 20, 5}, 3, {0, 2}, -0.5);
  const std::vector<float> zeros(30 * 10, 0.0F);
  for (const SpdnnDeviceOptions& options : {tiled(true), fused(0, true), tiled(), fused(0)}) {
    const auto device = device_with(network, options);
    for (const std::size_t images : {std::size_t{0}, std::size_t{30}}) {
      const spdnn::Inference got =
          device->infer(spdnn::DenseRows{zeros.data(), images, 10}, {.keep_outputs = true});
      BOOST_TEST(got.categories.empty());
      BOOST_TEST(got.outputs.empty());
      BOOST_TEST(got.rows_computed.size() == 2U);
      BOOST_TEST(got.rows_computed[0] == (options.skip_zero_rows ? 0 : images));
    }
  }
  // A layer without outputs, and one without weights whose bias lives.
  for (const SpdnnDeviceOptions& options : {tiled(), fused(0)}) {
    const std::vector<float> ones(30, 1.0F);
    const spdnn::DenseRows inputs{ones.data(), 3, 10};
    const Network none = ragged_network(17, {10, 0}, 3, {0, 2}, 1);
    check(none, inputs, options, truth_of(none, inputs, false));
    const Network bias = ragged_network(18, {10, 6}, 0, {0, 2}, 1);
    check(bias, inputs, options, truth_of(bias, inputs, false));
  }
}

BOOST_AUTO_TEST_CASE(spdnn_refusals_say_what) {
  const auto refused = [](const Network& network, SpdnnDeviceOptions options, std::int64_t widest,
                          const std::string& text) {
    options.widest = widest;
    BOOST_CHECK_EXCEPTION(
        {
          const auto device = gpu::make_cuda_device(options);
          for (const networks::Layer& layer : network.layers) device->add_layer(layer);
          const std::vector<float> row(7, 1.0F);
          device->infer(spdnn::DenseRows{row.data(), 1, 7}, {});
        },
        ContractError,
        [&](const ContractError& e) {
          BOOST_TEST(std::string(e.what()).find(text) != std::string::npos, e.what());
          return true;
        });
  };
  const Network network = ragged_network(19, {10, 20, 5}, 3, {0, 2}, -0.5);
  for (const SpdnnDeviceOptions& options : {tiled(), fused(0)}) {
    refused({}, options, 20, "a network without layers");
    refused(network, options, 20, "images of 7 pixels for a network of 10 inputs");
    refused(network, options, 19,
            "layer 1: 10 inputs and 20 outputs, and the device was made for at most 19 neurons");
    Network other = network;
    std::swap(other.layers[0], other.layers[1]);
    refused(other, options, 20, "layer 2");
  }
  refused(ragged_network(20, {7, 7}, 3, {0, 2}, 1), tiled(true), 7, "layer 1: bias");
  refused(network, fused(0), 5000, "no block's shared memory holds 12 images of 5000 neurons");
  refused(ragged_network(20, {7, 7}, 3, {0, 2}, 1), fused(48), 1200,
          "1200 neurons x 48 images; a block has 232448 bytes");
  refused(ragged_network(20, {7, 7}, 3, {0, 2}, 1), fused(20), 7, "there are kernels for 12, 24, 36 and 48");
}

BOOST_AUTO_TEST_CASE(spdnn_launchers_refuse_bad_arrays) {
  for (const Refusal& refusal : refusals_of_spdnn_launchers())
    BOOST_TEST(refusal.said.find(refusal.expected) != std::string::npos,
               refusal.said << ", expected " << refusal.expected);
}

// The comparison of these tests refuses each mistake, by the inputs of spdnn_special_values or by those of
// spdnn_ragged_layers_of_any_size.
BOOST_AUTO_TEST_CASE(spdnn_planted_mistakes_are_refused) {
  const Network network = ragged_network(21, {60, 101}, 12, {0, 4}, 0.75);
  const std::vector<float> plain = dense_inputs(15, 60, 22, {}),
                           wild = dense_inputs(15, 60, 23, {infinite, -infinite});
  const auto refused = [&](SpdnnPlant plant, const std::vector<float>& values) {
    const spdnn::DenseRows rows{values.data(), 15, 60};
    const spdnn::Inference truth = truth_of(network, rows, false);
    int orders = 0;
    for_each_schedule([&](const std::string&) {
      orders += difference(run_planted(network.layers[0], rows, plant), truth).empty() ? 0 : 1;
    });
    return orders;
  };
  BOOST_TEST(refused(SpdnnPlant::none, plain) == 0);
  BOOST_TEST(refused(SpdnnPlant::none, wild) == 0);
  for (const SpdnnPlant plant :
       {SpdnnPlant::two_roundings, SpdnnPlant::descending, SpdnnPlant::stages_swapped, SpdnnPlant::no_tail,
        SpdnnPlant::bias_first, SpdnnPlant::no_upper, SpdnnPlant::wrong_lane, SpdnnPlant::bf16_sum})
    BOOST_TEST(refused(plant, plain) == 3, "mistake " << static_cast<int>(plant));
  BOOST_TEST(refused(SpdnnPlant::pads_multiplied, wild) == 3);
  BOOST_TEST(refused(SpdnnPlant::pads_multiplied, plain) == 0);  // seen by infinities alone
  BOOST_TEST(refused(SpdnnPlant::stale_stage, plain) >= 1);
}
