#include "reference/autosparse/gradient.hpp"
#include "reference/autosparse/kernels/gradient_of.hpp"
#include "reference/autosparse/kernels/plain_lanes.hpp"

namespace assay::autosparse {
namespace kernels {

void forward_f32_scalar(const ForwardTask<float>& task) noexcept { forward_weights<PlainLanes>(task); }
double backward_f32_scalar(const BackwardTask<float>& task) noexcept {
  return backward_weights<PlainLanes>(task);
}

}  // namespace kernels
}  // namespace assay::autosparse
