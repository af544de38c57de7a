// Records what a GPU answers: runs a set's vectors on a device and writes them as NumPy arrays, one folder per set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "gpu/host/device.hpp"
#include "gpu/host/probe_sets.hpp"

namespace assay::gpu {

struct ProbeOptions {
  std::filesystem::path out;
  std::size_t rows = 512;  // of each class; a quarter for chains of several instructions
  std::uint64_t seed = 1;
};

struct Recorded {
  std::filesystem::path folder;
  std::size_t rows = 0;
  // Rows whose answer depends on where in the tile they stood; the answer of the first place is in the file.
  std::size_t position_differences = 0;
};

// A folder's name for a GPU's: "NVIDIA_H100_80GB_HBM3".
std::string folder_name(const std::string& gpu);
// Now, in UTC: "2026-03-01T12:00:00Z".
std::string utc_now();

// Writes <out>/<GPU>/<set>/{a,b,c,d_fp32,d_fp16}.npy and meta.json, the folder whole or not at all, in place of one
// that is there. Before anything is recorded each instruction must multiply tiles of small integers right: else the
// registers were filled wrongly and std::runtime_error says at which element. InputError if the folder cannot be
// written.
Recorded record(Device& device, const ProbeSet& set, const ProbeOptions& options);

}  // namespace assay::gpu
