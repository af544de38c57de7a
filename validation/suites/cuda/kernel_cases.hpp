// The cases of suite `cuda`, a list a family of kernels: <family>_kernels.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "validation/report/result.hpp"

namespace assay::suites::cuda {

// Asked once an order of threads, which is the caller's.
struct KernelCase {
  std::string member;  // "autosparse/f32"
  std::vector<std::pair<std::string, std::string>> parameters;
  std::function<CaseResult(std::uint64_t seed)> run;
};

std::vector<KernelCase> autosparse_cases();
std::vector<KernelCase> sparse_cases();
std::vector<KernelCase> tensor_core_cases();

}  // namespace assay::suites::cuda
