#include "reference/sparse/kernels/plain_lanes.hpp"
#include "reference/sparse/kernels/spmv_rows_of.hpp"
#include "reference/sparse/spmv.hpp"

namespace assay::sparse {
namespace kernels {

void spmv_f32_near_scalar(const SpmvTask& task) noexcept {
  multiply_rows<PlainLanes<8>, std::uint16_t>(task);
}
void spmv_f32_far_scalar(const SpmvTask& task) noexcept { multiply_rows<PlainLanes<8>, std::int32_t>(task); }

}  // namespace kernels
}  // namespace assay::sparse
