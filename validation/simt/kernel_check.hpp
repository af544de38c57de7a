// A kernel run under several orders of its threads, on arrays with a guard behind each: does it end, does it stay
// within its arrays, and are its bits the same?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "validation/io/array.hpp"
#include "validation/report/simt_results.hpp"
#include "validation/simt/kernel.hpp"

namespace assay::simt {

struct KernelCheck {
  std::vector<std::string> files{};  // the first holds the kernel
  std::string kernel{};
  BuildOptions build{};
  // For each parameter: a number, a file of an array, or random:N[:SEED], zeros:N, ones:N, iota:N. Those that are
  // missing at the end: random numbers, or zeros for objects of a class, one for each thread of the grid, and the
  // number of threads, or the greatest number of its type, for a scalar.
  std::vector<std::string> arguments{};
  // Unset: as the comment that begins the file says, as in //--blockDim=64 --gridDim=[4,4]; else one block of 32.
  std::optional<std::vector<std::uint64_t>> grid{}, block{};
  std::uint64_t shared_bytes = 0;
  std::vector<std::string> schedules{"forward", "reverse", "random:1", "random:2"};
  double seconds = 60;  // of each run
};

struct CheckedKernel {
  SimtCheck result;
  std::vector<std::optional<io::Array>> arrays{};  // after the first schedule; none for scalars
};

CheckedKernel check_kernel(const KernelCheck& request);

}  // namespace assay::simt
