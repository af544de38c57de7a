#include "reference/spdnn/kernels.hpp"

namespace assay::spdnn::kernels {

void append_scalar(const AppendTask& task) noexcept {
  if ((task.mask[0] & 1) == 0) return;
  for (std::uint32_t row = 0; row < task.rows; ++row) task.dst[row + task.at] = task.src[row];
}

}  // namespace assay::spdnn::kernels
