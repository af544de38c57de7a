// What assay-kernels-gpu wrote on a GPU, judged without one: the operands are made again from the seed.
#pragma once

#include <filesystem>
#include <vector>

#include "gpu/host/kernel_records.hpp"
#include "validation/suites/cuda/judged_kernel.hpp"
#include "validation/suites/suite.hpp"

namespace assay::suites::cuda {

// Folders with kernels.json: `folder` itself, or those in it, by name.
std::vector<std::filesystem::path> folders_of_kernel_records(const std::filesystem::path& folder);

// A case a record. InputError if a file cannot be read, is of another version, or lacks a case of its GPU or holds one
// that is none.
std::vector<Case> recorded_kernel_cases(const std::filesystem::path& folder);

// PASSED if both runs gave the same bits, which are those predicted, and the result lies within its bound. Else the
// first wrong sample is named, or the array in which a wrong element lies that is no sample.
CaseResult judge_record(const JudgedKernel& kernel, const gpu::KernelRecord& record, std::uint64_t seed);

}  // namespace assay::suites::cuda
