#include "reference/autosparse/gradient.hpp"
#include "reference/autosparse/kernels/gradient_of.hpp"
#include "reference/autosparse/kernels/lanes_avx2.hpp"

namespace assay::autosparse {
namespace kernels {

void forward_f32_avx2(const ForwardTask<float>& task) noexcept { forward_weights<Lanes256x2>(task); }
double backward_f32_avx2(const BackwardTask<float>& task) noexcept {
  return backward_weights<Lanes256x2>(task);
}

}  // namespace kernels
}  // namespace assay::autosparse
