// What the kernels of gpu/kernels wrote on a GPU, as a file: a hash of each array, elements of it, and both again from
// a second run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gpu/cases/kernel_case.hpp"
#include "gpu/host/device.hpp"

namespace assay::gpu {

inline constexpr const char* kernel_records_file = "kernels.json";

struct ArrayRecord {
  std::string name{}, element{};
  std::vector<std::int64_t> shape{};
  std::uint64_t hash = 0, second_hash = 0;                       // of the bytes of each run
  std::vector<std::pair<std::size_t, std::uint64_t>> samples{};  // place and code, of the first run
};

struct KernelRecord {
  std::string name{};   // "spmm/csr_f32 matrix=density_5"
  std::string error{};  // how it ended, if not well: there are no arrays then
  std::vector<ArrayRecord> arrays{};
  double seconds = 0, second_seconds = 0;  // of a run from the host and back
};

struct KernelRecords {
  std::string version{};  // of Assay
  std::string date{};     // UTC
  DeviceInfo device{};
  std::uint64_t seed = 1;
  std::vector<KernelRecord> cases{};

  CaseGpu gpu() const;
};
CaseGpu case_gpu(const DeviceInfo& device);

// FNV-1a, 64 bits: tells results apart, and is no signature.
std::uint64_t hash_of(std::span<const std::byte> bytes);
// All of up to 64 elements, else 64 from the first to the last.
std::vector<std::size_t> sampled_places(std::size_t n);

std::string kernel_name(const KernelCase& kernel);  // of its record
// Runs it twice. Whatever its kernel or CUDA throws becomes the record's error.
KernelRecord record_kernel(const KernelCase& kernel, std::uint64_t seed);
// The arrays of one run or two.
std::vector<ArrayRecord> array_records(const KernelArrays& first, const KernelArrays& second);

std::string kernel_records_json(const KernelRecords& records);
// InputError, by path and JSON pointer, for anything that kernel_records_json() does not write, and for records of
// another version of Assay.
KernelRecords read_kernel_records(const std::filesystem::path& path);

}  // namespace assay::gpu
