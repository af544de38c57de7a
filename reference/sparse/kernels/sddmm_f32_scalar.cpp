#include "reference/sparse/kernels/plain_lanes.hpp"
#include "reference/sparse/kernels/sddmm_entries_of.hpp"
#include "reference/sparse/sddmm.hpp"

namespace assay::sparse {
namespace kernels {

void sddmm_f32_own_scalar(const SddmmTask& task) noexcept { multiply_own<PlainLanes<8>, 1>(task); }
void sddmm_f32_shared_scalar(const SddmmTask& task) noexcept { multiply_shared<PlainLanes<8>, 1, 1>(task); }

}  // namespace kernels
}  // namespace assay::sparse
