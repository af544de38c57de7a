// The files of the Sparse DNN Graph Challenge: layers, inputs, categories. Plain or gzipped; written gzipped where the
// name ends in ".gz", and as a whole or not at all.
//
// Every reader throws InputError with the file, the line, what was expected and what was found: a line cut short, CRLF,
// a number of fields or an index out of its range, an entry that repeats or stands out of order, NaN, infinities.
//
// Source: graphchallenge.mit.edu, "Sparse Deep Neural Network Graph Challenge" (HPEC 2019).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "reference/sparse/csr.hpp"
#include "reference/spdnn/bit_matrix.hpp"

namespace assay::spdnn {

inline constexpr std::size_t challenge_images = 60'000;
inline constexpr std::int32_t challenge_inputs_per_neuron = 32;

std::string layer_file_name(std::int32_t neurons, int layer);        // "n1024-l7.tsv", layers from 1
std::string images_file_name(std::int32_t neurons);                  // "sparse-images-1024.tsv"
std::string categories_file_name(std::int32_t neurons, int layers);  // "neuron1024-l120-categories.tsv"

// `file`, or `file` + ".gz", whichever is there (plain first); empty if neither is.
std::filesystem::path find_plain_or_gzipped(const std::filesystem::path& file);

// Where layers 1 .. `layers` lie: in `folder` or in its subfolder "neuron<N>", as the official archives unpack.
// InputError that names the first layer that is missing: before any is read.
std::vector<std::filesystem::path> find_layers(const std::filesystem::path& folder, std::int32_t neurons,
                                               int layers);

// `input TAB output TAB weight`, 1-based, outputs ascending, inputs ascending within one. Every output must have
// `inputs_per_neuron` inputs, or any number above none if that is 0: otherwise a file cut between two lines would pass.
// Row j of the result lists the inputs of output j.
sparse::Csr<float> read_layer(const std::filesystem::path& file, std::int32_t neurons,
                              std::int32_t inputs_per_neuron = challenge_inputs_per_neuron);
// Weights with six decimals in scientific notation as the official files have them; eight where six would not read
// back.
std::string layer_text(const sparse::Csr<float>& layer);
void write_layer(const std::filesystem::path& file, const sparse::Csr<float>& layer);
std::uint64_t layer_file_bytes(std::int32_t neurons,
                               std::int32_t inputs_per_neuron = challenge_inputs_per_neuron);

// `image TAB pixel TAB 1`, 1-based, images ascending, pixels ascending within one. An image without a line is all zero;
// there are as many rows as the last image's number, at most `most_images`.
BitMatrix read_images(const std::filesystem::path& file, std::int32_t neurons,
                      std::size_t most_images = challenge_images);
void write_images(const std::filesystem::path& file, const BitRows& images);

// One image a line, 1-based, ascending, at most `images`.
std::vector<std::uint32_t> read_categories(const std::filesystem::path& file,
                                           std::size_t images = challenge_images);
void write_categories(const std::filesystem::path& file, std::span<const std::uint32_t> categories);

// How two ascending lists of categories differ.
struct CategoryDifference {
  std::vector<std::uint32_t> missing;  // in the truth, not in the answer
  std::vector<std::uint32_t> extra;    // in the answer, not in the truth
  bool agrees() const { return missing.empty() && extra.empty(); }
};
CategoryDifference compare_categories(std::span<const std::uint32_t> answer,
                                      std::span<const std::uint32_t> truth);

}  // namespace assay::spdnn
