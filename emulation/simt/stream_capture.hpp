// Launches into a stream that captures: they do not run, they become kernel nodes of a graph.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "emulation/simt/include/vector_types.h"

namespace assay_simt {

struct BoundKernel {
  // Launches the kernel with the arguments that it holds, and reports as a launch does. Empty: no kernel.
  std::function<void(dim3 grid, dim3 block, std::size_t shared_bytes)> run{};
  std::vector<void*> parameters{};  // where these arguments lie, if that is known
};
struct CapturedLaunch {
  const void* function = nullptr;  // the kernel's address, if it is known
  dim3 grid{}, block{};
  std::size_t shared_bytes = 0;
  BoundKernel kernel{};
};

bool captures(const void* stream);
void capture(const void* stream, CapturedLaunch launch);

// A launch by the address of a kernel, with copies of *parameters[i]. The registry of kernels sets it; without one no
// address is of a kernel.
using BindKernel = BoundKernel (*)(const void* function, void** parameters);
extern constinit BindKernel bind_kernel;

}  // namespace assay_simt
