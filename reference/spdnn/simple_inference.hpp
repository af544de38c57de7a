// A second implementation of inference, obviously right rather than fast: Eigen's sparse product of all images, layer
// by layer. It shares no code and no order of operations with the kernels.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/networks/network.hpp"
#include "reference/spdnn/bit_matrix.hpp"

namespace assay::spdnn {

struct SimpleInference {
  std::vector<std::uint32_t> categories;  // 1-based, ascending
  double seconds = 0;
};

// Y <- min(upper, max(0, Y W + bias)), the bias only where Y W has an entry that is not 0; zeros are dropped after each
// layer. Batches of images run on all of OpenMP's threads. ContractError if the layers do not fit one another, or if a
// bias is not <= 0 or a lower clip is not 0: what Y W leaves out would not stay 0.
//
// Numerics: float32; products and sums are rounded apart (Eigen does not fuse them), in the order of Eigen's sparse
// product. So activations differ from the kernels' in their last bits, and only the categories are comparable.
SimpleInference simple_inference(const BitRows& images, const networks::Network& network);

}  // namespace assay::spdnn
