// Where the inputs of the Sparse DNN Challenge come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "validation/report/environment.hpp"

namespace assay::studies {

// Where the inputs are; they have not been read.
struct InputSource {
  std::string kind;            // mnist, fashion, generated or file
  std::filesystem::path path;  // empty: generated
  std::string reason;          // why this source was chosen, if none was named
};

// `inputs` is the value of --inputs: mnist, fashion, generated, or a file; empty selects the first one available.
// InputError if a named source is missing.
InputSource find_inputs(const std::string& inputs, const Data& data);

// folder/name or folder/name.gz; empty if neither exists.
std::filesystem::path idx_file(const std::filesystem::path& folder, const std::string& name);

// folder/mnist/name(.gz) of the data; InputError if it is missing.
std::filesystem::path mnist_test_file(const Data& data, const std::string& name);

std::size_t side_of(std::int32_t neurons);  // side length of the picture: 32 for 1024
void check_neurons(std::int32_t neurons);   // InputError unless 1024, 4096, 16384 or 65536

}  // namespace assay::studies
