#include "reference/spdnn/kernels.hpp"
#include "reference/spdnn/kernels/layer_scalar.hpp"

namespace assay::spdnn::kernels {

void layer_ell_scalar(const LayerTask& task) noexcept {
  run_layer(task, [&](std::uint32_t output) { return output * task.width; });
}

}  // namespace assay::spdnn::kernels
