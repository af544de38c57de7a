// What ends a layer of a sparse network, for all kernels of it.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace assay::gpu {

// Rows of activations lie in slabs of `lanes` images: slab by slab, neuron by neuron, lane by lane. Lanes behind the
// last image hold zeros; what is computed in them means nothing.
struct SpdnnSlabs {
  std::uint32_t rows = 0, lanes = 0;

  __host__ __device__ std::uint32_t count() const { return (rows + lanes - 1) / lanes; }
};
inline constexpr std::uint32_t most_spdnn_lanes = 64;  // the bits of a slab's mask

namespace spdnn_kernels {

// The clip of reference/spdnn/kernel_task.hpp. A NaN becomes x86's default, which is what the CPU's kernels make of
// Inf - Inf and 0 * Inf; a GPU has another, and keeps no payload.
__device__ inline float activated(float sum, float bias, float lower, float upper) {
  const float z = __fadd_rn(sum, bias);
  if (isnan(z)) return __int_as_float(static_cast<int>(0xFFC00000U));
  return z <= lower ? lower : z > upper ? upper : z;
}

}  // namespace spdnn_kernels
}  // namespace assay::gpu
