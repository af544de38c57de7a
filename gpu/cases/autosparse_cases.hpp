// AutoSparse's kernels: masks, pruned weights, gradients of weights and thresholds.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gpu/cases/kernel_case.hpp"
#include "gpu/kernels/autosparse_run.hpp"

namespace assay::gpu {

struct AutosparseLayer {
  autosparse::LayerShape shape;
  bool by_channel;
  autosparse::GradientScales scales;
};
std::span<const AutosparseLayer> autosparse_layers();

struct AutosparseOperands {
  std::vector<float> w{}, g{}, s{};
};
AutosparseOperands autosparse_operands(const AutosparseLayer& layer, std::uint64_t seed);

// mask, v, dw [channels, per channel], ds [thresholds].
KernelArrays autosparse_arrays(const AutosparseLayer& layer, const AutosparseResult& result);

KernelCase autosparse_case(const AutosparseLayer& layer);
std::vector<KernelCase> autosparse_cases();

}  // namespace assay::gpu
