// A trained sparse network from a folder of text files, as the SNICIT project publishes them.
//
//     weights-l<K>-dense.tsv    inputs x outputs values, row-major, one a line
//     weights-l<K>-sparse.tsv   input TAB output TAB weight, 0-based, inputs ascending, outputs ascending within one;
//                               as many outputs as inputs
//     biases-l<K>-<dense|sparse>.tsv   one value an output
//
// y = x * W + b layer by layer, each but the last clipped to [0, 1]; the answer is the largest output, the first of
// equals.
//
// Source: Lin et al., "SNICIT: Accelerating Sparse Neural Network Inference via Compression at Inference Time on GPU"
// (ICPP 2023), https://github.com/IDEA-CUHK/SNICIT.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "reference/core/idx.hpp"
#include "reference/sparse/csr.hpp"
#include "reference/spdnn/inference.hpp"

namespace assay::spdnn {

struct TrainedLayer {
  sparse::Csr<float> weights;  // row j lists the inputs of output j; a dense layer lists all
  std::vector<float> bias;
  bool dense = false;
};

struct TrainedNetwork {
  std::vector<TrainedLayer> layers;

  std::int64_t inputs() const { return layers.front().weights.cols(); }
  std::int64_t outputs() const { return layers.back().weights.rows(); }
  std::int64_t sparse_nnz() const;  // of the sparse layers
};

// `inputs` is the number of pixels. InputError with file, line, expected, found: no layer, a layer between 1 and the
// last that is missing or there twice, no biases or another number of them than of outputs, another number of dense
// weights than the shapes say, an index outside its range, an entry that repeats or stands out of order, NaN and
// infinities. A sparse file cut between two lines cannot be told from a sparser one.
TrainedNetwork read_trained_network(const std::filesystem::path& folder, std::int32_t inputs);

// Biases may be positive, so no cut is asked for. `kernel` must be a CSR one.
Plan plan_trained_network(const TrainedNetwork& network, const Kernel& kernel);

// pixel / 255, one rounding, image by image: the inputs of the network.
std::vector<float> scaled_pixels(const IdxImages& images);

// The place of the largest output of each image, the first of equals.
std::vector<std::uint8_t> classify(const Inference& inference, std::size_t images, std::int64_t outputs);

}  // namespace assay::spdnn
