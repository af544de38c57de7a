// Which GPU the runtime API tells of, and what it lets a launch ask for: ASSAY_SIMT_ARCH, sm_90 by default.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "emulation/simt/launch.hpp"

namespace assay::simt {

struct ImitatedGpu {
  int architecture;  // 90: compute capability 9.0
  const char* board;
  int multiprocessors, threads_per_multiprocessor, blocks_per_multiprocessor;
  std::size_t shared_optin, shared_per_multiprocessor, shared_reserved, l2;  // bytes
  int bus_bits, clock_khz, memory_clock_khz, single_to_double;
};

// Shared memory that every kernel may ask for.
inline constexpr std::size_t shared_without_optin = std::size_t{48} << 10;

// "sm_90", or with what nvcc puts behind it for features of this GPU alone, "sm_90a". Null for a name that is not of
// the list, as sm_35.
const ImitatedGpu* imitated_gpu_named(std::string_view name);
// "sm_70, sm_75, ...".
std::string imitated_gpu_names();
// By the environment; a name that is not of the list ends the program with a message and exit code 2.
const ImitatedGpu& imitated_gpu();
LaunchLimits limits_of(const ImitatedGpu& gpu);
LaunchLimits imitated_limits();

}  // namespace assay::simt
