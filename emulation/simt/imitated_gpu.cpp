#include "emulation/simt/imitated_gpu.hpp"

#include <cstdio>
#include <cstdlib>
#include <iterator>

namespace assay::simt {
namespace {

constexpr ImitatedGpu imitated_gpus[] = {
#define IMITATED_GPU(architecture, board, multiprocessors, threads, blocks, optin_kib, shared_kib, \
                     reserved_kib, l2_kib, bus, mhz, memory_mhz, ratio)                            \
  {architecture,                                                                                   \
   board,                                                                                          \
   multiprocessors,                                                                                \
   threads,                                                                                        \
   blocks,                                                                                         \
   std::size_t{optin_kib} << 10,                                                                   \
   std::size_t{shared_kib} << 10,                                                                  \
   std::size_t{reserved_kib} << 10,                                                                \
   std::size_t{l2_kib} << 10,                                                                      \
   bus,                                                                                            \
   mhz * 1000,                                                                                     \
   memory_mhz * 1000,                                                                              \
   ratio},
#include "emulation/simt/imitated_gpus.def"
#undef IMITATED_GPU
};

std::string name_of(const ImitatedGpu& gpu) { return "sm_" + std::to_string(gpu.architecture); }

const ImitatedGpu& by_environment() {
  const char* const wanted = std::getenv("ASSAY_SIMT_ARCH");
  if (const ImitatedGpu* const found = imitated_gpu_named(wanted == nullptr ? "sm_90" : wanted))
    return *found;
  std::fprintf(stderr, "ASSAY_SIMT_ARCH=%s: not one of %s\n", wanted, imitated_gpu_names().c_str());
  std::exit(2);
}

}  // namespace

std::string imitated_gpu_names() {
  std::string names;
  for (const ImitatedGpu& gpu : imitated_gpus) names += (names.empty() ? "" : ", ") + name_of(gpu);
  return names;
}

const ImitatedGpu* imitated_gpu_named(std::string_view name) {
  if (name.ends_with('a') || name.ends_with('f')) name.remove_suffix(1);
  for (const ImitatedGpu& gpu : imitated_gpus) {
    if (name == name_of(gpu)) return &gpu;
  }
  return nullptr;
}

const ImitatedGpu& imitated_gpu() {
  static const ImitatedGpu& gpu = by_environment();
  return gpu;
}

LaunchLimits limits_of(const ImitatedGpu& gpu) {
  LaunchLimits limits;
  limits.shared_bytes = gpu.shared_optin;
  return limits;
}

LaunchLimits imitated_limits() { return limits_of(imitated_gpu()); }

}  // namespace assay::simt
