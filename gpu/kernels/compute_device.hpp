// A device that runs sparse networks, and inference over several of them. Plain C++: a GPU, the executor on this CPU or
// a double of a test stands behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <variant>

#include "reference/networks/network.hpp"
#include "reference/spdnn/inference.hpp"

namespace assay::gpu {

// A device has failed; the text begins with its name.
class DeviceFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

using SpdnnInputs = std::variant<spdnn::BitRows, spdnn::DenseRows>;

struct InferOptions {
  bool keep_outputs = false;
  // Bytes of activations on a device at once; more inputs go in turns. 0: three quarters of what is free there.
  std::size_t activation_bytes = 0;
};

class ComputeDevice {
 public:
  ComputeDevice() = default;
  ComputeDevice(const ComputeDevice&) = delete;
  ComputeDevice& operator=(const ComputeDevice&) = delete;
  virtual ~ComputeDevice() = default;

  virtual std::string name() const = 0;
  virtual std::string board() const = 0;   // "NVIDIA H200"
  virtual std::string kernel() const = 0;  // "spdnn_layers_fused, 48 images a block"
  // Uploads a layer behind those that are there. ContractError as spdnn::Plan::add_layer().
  virtual void add_layer(const networks::Layer& layer) = 0;
  // The categories count from 1 within `inputs`. Called by one thread at a time, any thread.
  virtual spdnn::Inference infer(const SpdnnInputs& inputs, const InferOptions& options) = 0;
};

// The rows of a device: [first, first + count).
struct RowRange {
  std::size_t first = 0, count = 0;

  friend bool operator==(const RowRange&, const RowRange&) = default;
};
// Rows shared out in order, as evenly as they go: the first devices have one more. ContractError for no devices.
std::vector<RowRange> split_rows(std::size_t rows, std::size_t devices);

// Inference over devices that hold the same network: each has its rows, a thread a device, the first on the calling
// one. The results are those of one device: categories and outputs in order, counts of edges added up; `threads` is the
// sum of the devices'. A device without rows is not asked.
//
// All devices are waited for. If any failed, nothing is returned: ContractError for what the caller did wrong, else
// DeviceFailure; either names the device, and of several that failed the first.
spdnn::Inference infer_on_devices(std::span<ComputeDevice* const> devices, const SpdnnInputs& inputs,
                                  const InferOptions& options = {});

}  // namespace assay::gpu
