// Inference written a second time, to be obviously right rather than quick: Eigen's sparse product of all images,
// layer by layer. It shares no code and no order of operations with the kernels.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "reference/sparse/csr.hpp"
#include "reference/spdnn/bit_matrix.hpp"

namespace assay::spdnn {

struct SimpleInference {
  std::vector<std::uint32_t> categories;  // 1-based, ascending
  double seconds = 0;
};

// Y <- min(32, max(0, Y W + bias)), the bias only where Y W has an entry that is not 0; zeros are dropped after each
// layer. Row j of a layer lists the inputs of output j. Batches of images run on all of OpenMP's threads.
//
// Numerics: float32; products and sums are rounded apart (Eigen does not fuse them), in the order of Eigen's sparse
// product. So activations differ from the kernels' in their last bits, and only the categories are comparable.
SimpleInference simple_inference(const BitRows& images, std::span<const sparse::Csr<float>> layers,
                                 float bias);

}  // namespace assay::spdnn
