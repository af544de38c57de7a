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
#include <span>
#include <vector>

#include "reference/core/idx.hpp"
#include "reference/networks/network.hpp"
#include "reference/spdnn/bit_matrix.hpp"
#include "reference/spdnn/inference.hpp"

namespace assay::spdnn {

struct TrainedNetwork {
  networks::Network network{};  // a dense layer lists all inputs of every output
  std::int64_t sparse_nnz = 0;  // weights in the sparse files
};

// `inputs` is the number of pixels, below 2^31. InputError with file, line, expected, found: no layer, a layer between
// 1 and the last that is missing or there twice, no biases or another number of them than of outputs, another number of
// dense weights than the shapes say, an index outside its range, an entry that repeats or stands out of order, NaN and
// infinities. A sparse file cut between two lines cannot be told from a sparser one.
// Rows differ in length and biases may be positive: a Plan of it takes a CSR kernel and no cut.
TrainedNetwork read_trained_network(const std::filesystem::path& folder, std::int64_t inputs);

// pixel / 255, one rounding, image by image: the inputs of the network.
std::vector<float> scaled_pixels(const IdxImages& images);

// The bits of one image as the numbers 0 and 1, x.size() of them.
void read_image(const BitRows& images, std::size_t image, std::span<float> x);

// The place of the largest output of each image, the first of equals.
std::vector<std::uint8_t> classify(const Inference& inference, std::size_t images, std::int64_t outputs);

// How many classes are those that the labels say; labels beyond the classes are of images that were left out.
std::size_t count_correct(const std::vector<std::uint8_t>& classes, const std::vector<std::uint8_t>& labels);

}  // namespace assay::spdnn
