#include "reference/spdnn/kernels.hpp"
#include "reference/spdnn/kernels/layer_avx512.hpp"

namespace assay::spdnn::kernels {

void layer_ell_avx512(const LayerTask& task) noexcept {
  run_layer(task, [&](std::uint32_t output) { return output * task.width; });
}

}  // namespace assay::spdnn::kernels
