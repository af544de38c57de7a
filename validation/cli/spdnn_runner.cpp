#include "validation/cli/spdnn_runner.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "gpu/host/cuda_plugin.hpp"
#include "gpu/kernels/spdnn_run.hpp"
#include "reference/core/cpu.hpp"
#include "reference/core/dispatch.hpp"
#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "validation/cli/options.hpp"

namespace assay::cli {
namespace {

using namespace spdnn;

const Kernel& chosen_kernel(const std::string& isa, Format format) {
  if (isa.empty()) return best_kernel(format);
  const Isa widest = parse_isa(isa, "--isa");
  if (const std::string why = why_unavailable(widest); !why.empty())
    throw Unavailable("--isa " + isa + ": " + why);
  return best_kernel(format, widest);
}

class CpuRunner final : public SpdnnRunner {
 public:
  CpuRunner(const Kernel& kernel, int threads, std::int64_t widest, std::vector<Cut> cuts)
      : plan_(kernel, std::move(cuts)), threads_(threads), widest_(static_cast<std::uint64_t>(widest)) {}

  void add_layer(const networks::Layer& layer) override { plan_.add_layer(layer); }
  Inference infer(const gpu::SpdnnInputs& inputs, bool keep_outputs,
                  const std::function<void(double)>& progress) override {
    ExecuteOptions options;
    options.threads = threads_;
    options.keep_outputs = keep_outputs;
    options.progress = progress;
    return std::visit([&](const auto& rows) { return execute(plan_, rows, options); }, inputs);
  }
  std::string kernel() const override { return std::string(plan_.kernel().name); }
  std::string isa() const override { return std::string(isa_name(plan_.kernel().needs)); }
  std::string device() const override { return "cpu"; }
  std::uint64_t bytes(std::uint64_t, std::uint64_t layers, std::uint64_t inputs_per_neuron) const override {
    const int threads = threads_ > 0 ? threads_ : hardware_threads();
    return plan_bytes(widest_, layers, inputs_per_neuron) +
           tile_bytes(plan_.kernel(), widest_, layers, threads);
  }

 private:
  Plan plan_;
  int threads_;
  std::uint64_t widest_;
};

// CUDA's kernels: on a GPU, or under the executor on this CPU.
class DeviceRunner final : public SpdnnRunner {
 public:
  // `activation_bytes` as in gpu::InferOptions. A device without threads of this CPU has 1.
  DeviceRunner(std::unique_ptr<gpu::ComputeDevice> device, std::string text, std::int64_t widest,
               std::uint64_t activation_bytes, std::optional<int> threads)
      : device_(std::move(device)),
        text_(std::move(text)),
        widest_(static_cast<std::uint64_t>(widest)),
        activation_bytes_(activation_bytes),
        threads_(threads) {}

  void add_layer(const networks::Layer& layer) override { device_->add_layer(layer); }
  Inference infer(const gpu::SpdnnInputs& inputs, bool keep_outputs,
                  const std::function<void(double)>& progress) override {
    const ThreadScope scope(threads_.value_or(1));
    gpu::ComputeDevice* const devices[] = {device_.get()};
    Inference result = gpu::infer_on_devices(
        devices, inputs, {.keep_outputs = keep_outputs, .activation_bytes = activation_bytes_});
    result.threads = default_threads();
    progress(1);
    return result;
  }
  std::string kernel() const override { return device_->kernel(); }
  std::string isa() const override { return ""; }
  std::string device() const override { return text_; }
  std::uint64_t bytes(std::uint64_t images, std::uint64_t layers,
                      std::uint64_t inputs_per_neuron) const override {
    if (!threads_) return plan_bytes(widest_, 1, inputs_per_neuron);  // a layer on its way
    // The inputs are on the executor's device too.
    return plan_bytes(widest_, layers, inputs_per_neuron) + BitMatrix::bytes(images, widest_) +
           std::min(activation_bytes_, 2 * sizeof(float) * images * widest_);
  }

 private:
  std::unique_ptr<gpu::ComputeDevice> device_;
  std::string text_;
  std::uint64_t widest_, activation_bytes_;
  std::optional<int> threads_;
};

// Both sets of activations of the executor's device; more images go in turns.
constexpr std::uint64_t executor_bytes = std::uint64_t{1} << 30;

}  // namespace

std::unique_ptr<SpdnnRunner> make_spdnn_runner(const SpdnnPlace& place, Format format, std::int64_t widest,
                                               std::vector<Cut> cuts) {
  if (place.device == "cpu")
    return std::make_unique<CpuRunner>(chosen_kernel(place.isa, format), place.threads, widest,
                                       std::move(cuts));
  const gpu::SpdnnDeviceOptions options{
      .name = place.device,
      .widest = widest,
      .skip_zero_rows = std::ranges::find(cuts, Cut::zero_rows) != cuts.end()};
  if (place.device == "simt")
    return std::make_unique<DeviceRunner>(
        gpu::make_cuda_device(options),
        "simt: CUDA's kernels, thread by thread on this CPU; slow, and its rates are no GPU's", widest,
        executor_bytes, place.threads);
  try {
    std::unique_ptr<gpu::ComputeDevice> device = gpu::make_gpu_device(options);
    std::string text = "gpu: " + device->board();
    return std::make_unique<DeviceRunner>(std::move(device), std::move(text), widest, 0, std::nullopt);
  } catch (const Unavailable& error) {
    throw Unavailable(std::string("--device gpu: ") + error.what());
  }
}

}  // namespace assay::cli
