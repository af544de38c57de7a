#include "reference/sparse/kernels/plain_lanes.hpp"

#include "reference/sparse/kernels/spmm_rows_of.hpp"
#include "reference/sparse/spmm.hpp"

namespace assay::sparse {

namespace kernels {

void spmm_f32_8_near_scalar(const SpmmTask& task) noexcept {
  add_slice<PlainLanes<8>, std::uint16_t, 1, 1>(task);
}
void spmm_f32_8_far_scalar(const SpmmTask& task) noexcept {
  add_slice<PlainLanes<8>, std::uint32_t, 1, 1>(task);
}
void spmm_f32_finish_scalar(const SpmmTask& task, std::uint32_t row, const float* sums) noexcept {
  finish_row<PlainLanes<8>>(task, row, sums);
}
void spmm_f32_pack_scalar(const SpmmPanel& panel) noexcept { pack_panel<PlainLanes<8>>(panel); }

}  // namespace kernels
}  // namespace assay::sparse
