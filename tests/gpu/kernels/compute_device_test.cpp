// Inference over several devices: the results of one, or an error that names who failed.
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "gpu/kernels/spdnn_run.hpp"
#include "reference/core/error.hpp"
#include "tests/gpu/kernels/spdnn_networks.hpp"

namespace {

using namespace assay;
using namespace assay::test;
using gpu::ComputeDevice;
using gpu::RowRange;

// A device that counts its calls, and may fail.
class Watched final : public ComputeDevice {
 public:
  explicit Watched(std::unique_ptr<ComputeDevice> device) : device_(std::move(device)) {}

  std::string name() const override { return device_->name(); }
  std::string board() const override { return device_->board(); }
  std::string kernel() const override { return device_->kernel(); }
  void add_layer(const networks::Layer& layer) override { device_->add_layer(layer); }
  spdnn::Inference infer(const gpu::SpdnnInputs& inputs, const gpu::InferOptions& options) override {
    ++calls;
    spdnn::Inference result = device_->infer(inputs, options);
    if (fails) throw std::runtime_error("out of memory");  // after its work: nothing of it may be seen
    return result;
  }

  std::atomic<int> calls = 0;
  bool fails = false;

 private:
  std::unique_ptr<ComputeDevice> device_;
};

struct Devices {
  Devices(const networks::Network& network, int count, bool skip) {
    for (int d = 0; d < count; ++d) {
      // Of both designs: their bits are the same.
      gpu::SpdnnDeviceOptions options{
          .name = "executor " + std::to_string(d + 1),
          .design = d % 2 == 0 ? gpu::SpdnnDesign::fused : gpu::SpdnnDesign::tiled,
          .widest = network.widest(),
          .skip_zero_rows = skip};
      all.push_back(std::make_unique<Watched>(gpu::make_cuda_device(options)));
      for (const networks::Layer& layer : network.layers) all.back()->add_layer(layer);
      pointers.push_back(all.back().get());
    }
  }
  std::vector<std::unique_ptr<Watched>> all{};
  std::vector<ComputeDevice*> pointers{};
};

}  // namespace

BOOST_AUTO_TEST_CASE(rows_are_shared_out_in_order) {
  BOOST_TEST((gpu::split_rows(10, 3) == std::vector<RowRange>{{0, 4}, {4, 3}, {7, 3}}));
  BOOST_TEST((gpu::split_rows(2, 3) == std::vector<RowRange>{{0, 1}, {1, 1}, {2, 0}}));
  BOOST_TEST((gpu::split_rows(0, 2) == std::vector<RowRange>{{0, 0}, {0, 0}}));
  BOOST_TEST((gpu::split_rows(7, 1) == std::vector<RowRange>{{0, 7}}));
  BOOST_CHECK_THROW(gpu::split_rows(7, 0), ContractError);
}

BOOST_AUTO_TEST_CASE(several_devices_give_the_result_of_one) {
  const networks::Network network = ragged_network(31, {60, 80, 60, 33}, 8, {0, 2}, -0.2);
  for (const std::size_t images : {std::size_t{0}, std::size_t{5}, std::size_t{104}}) {
    const std::vector<float> values = dense_inputs(images, 60, 32, {});
    const spdnn::DenseRows dense{values.data(), images, 60};
    const spdnn::BitMatrix pixels = blocks_of_pixels(images, 60);
    for (const gpu::SpdnnInputs& inputs : {gpu::SpdnnInputs(dense), gpu::SpdnnInputs(pixels.view())}) {
      const spdnn::Inference truth = truth_of(network, inputs, true);
      if (images == 104) BOOST_TEST(truth.categories.size() > 5U);
      for (const int count : {1, 2, 3, 7}) {
        const Devices devices(network, count, true);
        const spdnn::Inference got = gpu::infer_on_devices(devices.pointers, inputs, {.keep_outputs = true});
        BOOST_TEST(difference(got, truth) == "", count << " devices, " << images << " images");
        BOOST_TEST(got.nominal_edges == truth.nominal_edges);
        BOOST_TEST(got.rows_computed.size() == network.layers.size());
        BOOST_TEST(got.rows_computed.front() == truth.rows_computed.front());
        BOOST_TEST(got.threads ==
                   std::max(1, static_cast<int>(std::min<std::size_t>(images, devices.all.size()))));
        for (std::size_t d = 1; d < devices.all.size(); ++d)
          BOOST_TEST(devices.all[d]->calls == (d < images ? 1 : 0));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_device_that_fails_is_named) {
  const networks::Network network = ragged_network(33, {20, 30, 10}, 4, {0, 2}, -0.2);
  const std::vector<float> values = dense_inputs(20, 20, 34, {});
  const spdnn::DenseRows inputs{values.data(), 20, 20};
  for (const int count : {1, 2, 3, 7}) {
    for (const int failing : {0, count / 2, count - 1}) {
      const Devices devices(network, count, true);
      devices.all[static_cast<std::size_t>(failing)]->fails = true;
      devices.all.back()->fails = true;  // two of them: the first is named
      const RowRange range = gpu::split_rows(20, devices.all.size())[static_cast<std::size_t>(failing)];
      const std::string expected = "executor " + std::to_string(failing + 1) + ", inputs " +
                                   std::to_string(range.first + 1) + " to " +
                                   std::to_string(range.first + range.count) + ": out of memory";
      BOOST_CHECK_EXCEPTION(gpu::infer_on_devices(devices.pointers, inputs), gpu::DeviceFailure,
                            [&](const gpu::DeviceFailure& e) {
                              BOOST_TEST(e.what() == expected);
                              return true;
                            });
      for (const auto& device : devices.all) BOOST_TEST(device->calls == 1);  // all were waited for
    }
  }
  // What the caller did wrong stays that, and one who is not asked cannot fail.
  const Devices devices(network, 7, true);
  BOOST_CHECK_EXCEPTION(
      gpu::infer_on_devices(devices.pointers, spdnn::DenseRows{values.data(), 0, 19}), ContractError,
      [](const ContractError& e) {
        BOOST_TEST(e.what() == "executor 1: images of 19 pixels for a network of 20 inputs");
        return true;
      });
  devices.all.back()->fails = true;
  BOOST_CHECK_NO_THROW(gpu::infer_on_devices(devices.pointers, spdnn::DenseRows{values.data(), 6, 20}));
  BOOST_CHECK_THROW(gpu::infer_on_devices({}, inputs), ContractError);
}
