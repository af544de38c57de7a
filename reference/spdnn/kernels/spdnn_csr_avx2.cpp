#include "reference/spdnn/kernels.hpp"
#include "reference/spdnn/kernels/layer_avx2.hpp"

namespace assay::spdnn::kernels {

void layer_csr_avx2(const LayerTask& task) noexcept {
  run_layer(task, [&](std::uint32_t output) { return task.edge_offsets[output]; });
}

}  // namespace assay::spdnn::kernels
