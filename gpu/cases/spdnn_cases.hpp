// Inference on sparse networks by both designs: networks of any shape, some that lose rows on the way.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gpu/cases/kernel_case.hpp"
#include "gpu/kernels/spdnn_run.hpp"
#include "reference/networks/network.hpp"
#include "reference/spdnn/inference.hpp"

namespace assay::gpu {

struct SpdnnProblem {
  networks::Network network{};
  std::size_t images = 0;
  std::vector<float> inputs{};  // images x network.inputs()
  bool skips_zero_rows = false;
  bool wild = false;  // infinities among the inputs

  spdnn::DenseRows rows() const {
    return {inputs.data(), images, static_cast<std::size_t>(network.inputs())};
  }
};
// "ragged": layers of any size; "stages": a wide layer, in pieces; "dying": rows die in every layer; "challenge": the
// Sparse DNN Challenge's own, 1024 neurons; "wild": infinities, subnormal and very large numbers.
std::span<const char* const> spdnn_networks();
// ContractError for a name that is none of these.
SpdnnProblem spdnn_problem(const std::string& network, std::uint64_t seed);

// "categories", ascending from 1, and "outputs", a row for each of them.
KernelArrays spdnn_arrays(const spdnn::Inference& inference, std::int64_t outputs);

// "spdnn/layer_tiled" or "spdnn/layers_fused"; `design` is one of these two.
KernelCase spdnn_case(const std::string& network, SpdnnDesign design);
std::vector<KernelCase> spdnn_cases();

}  // namespace assay::gpu
