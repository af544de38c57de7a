// Where `assay spdnn` runs a network: by the kernels of this CPU, or by CUDA's kernels on a device.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gpu/kernels/compute_device.hpp"
#include "reference/spdnn/inference.hpp"

namespace assay::cli {

struct SpdnnPlace {
  std::string device = "cpu";  // cpu, simt or gpu
  std::string isa{};           // cpu: the widest instructions, empty for all
  int threads = 0;             // of cpu and simt; 0: all processors
};

// A network and what runs it.
class SpdnnRunner {
 public:
  virtual ~SpdnnRunner() = default;
  virtual void add_layer(const networks::Layer& layer) = 0;
  virtual spdnn::Inference infer(const gpu::SpdnnInputs& inputs, bool keep_outputs,
                                 const std::function<void(double)>& progress) = 0;
  virtual std::string kernel() const = 0;
  virtual std::string isa() const = 0;     // empty: not of a CPU
  virtual std::string device() const = 0;  // "cpu", or what it is and what that means
  // Bytes beside the inputs, for square layers.
  virtual std::uint64_t bytes(std::uint64_t images, std::uint64_t layers,
                              std::uint64_t inputs_per_neuron) const = 0;
};

// `widest` is the most neurons of any layer. Unavailable, with the reason, where there is no such device.
std::unique_ptr<SpdnnRunner> make_spdnn_runner(const SpdnnPlace& place, spdnn::Format format,
                                               std::int64_t widest, std::vector<spdnn::Cut> cuts);

}  // namespace assay::cli
