// AutoSparse's kernels on arrays of the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "reference/autosparse/gradient.hpp"

namespace assay::gpu {

struct AutosparseResult {
  std::vector<float> v{};
  std::vector<std::uint8_t> mask{};
  std::vector<float> dw{};
  std::vector<double> ds{};  // one a threshold
};

// Forward and backward of a layer, thresholds g(s), one or one a channel.
AutosparseResult run_autosparse(const autosparse::LayerShape& shape, std::span<const float> w,
                                std::span<const float> s, std::span<const float> g,
                                const autosparse::GradientScales& scales);

}  // namespace assay::gpu
