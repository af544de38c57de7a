// Inference on sparse networks on a CUDA device: layers launched in turn, rows that died left behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "gpu/kernels/compute_device.hpp"

namespace assay::gpu {

enum class SpdnnDesign : std::uint8_t {
  automatic,  // fused where the widest layer fits a block's shared memory
  tiled,      // spdnn_layer_tiled, a launch a layer
  fused,      // spdnn_layers_fused, several layers a launch
};

struct SpdnnDeviceOptions {
  int ordinal = 0;  // CUDA's number of the device
  std::string name = "device 0";
  SpdnnDesign design = SpdnnDesign::automatic;
  std::uint32_t images = 0;     // of a slab of the fused design: 12, 24, 36 or 48; 0: the most that fit
  std::int64_t widest = 0;      // the most neurons of any layer that will be added, inputs included
  bool skip_zero_rows = false;  // spdnn::Cut::zero_rows, checked of each layer
  // Of the fused design, layers a launch at first; twice as many after each launch that left most rows alive.
  int layers_at_first = 2;
};

// Numerics: reference/spdnn/kernel_task.hpp, bit for bit; a NaN is 0xFFC00000. ContractError for a fused design that no
// block's shared memory can hold, DeviceError where a call of CUDA fails.
//
// After each launch the device numbers the rows that live; they move together once an eighth of the slabs can be
// spared. Inference::rows_computed counts what was launched, dead rows among it.
std::unique_ptr<ComputeDevice> make_cuda_device(const SpdnnDeviceOptions& options);

}  // namespace assay::gpu
