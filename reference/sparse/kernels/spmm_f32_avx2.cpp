#include "reference/sparse/kernels/lanes_avx2.hpp"
#include "reference/sparse/kernels/spmm_rows_of.hpp"
#include "reference/sparse/spmm.hpp"

namespace assay::sparse {
namespace kernels {

void spmm_f32_64_near_avx2(const SpmmTask& task) noexcept { add_slice<Lanes256, std::uint16_t, 1, 8>(task); }
void spmm_f32_64_far_avx2(const SpmmTask& task) noexcept { add_slice<Lanes256, std::uint32_t, 1, 8>(task); }
void spmm_f32_32_near_avx2(const SpmmTask& task) noexcept { add_slice<Lanes256, std::uint16_t, 3, 4>(task); }
void spmm_f32_32_far_avx2(const SpmmTask& task) noexcept { add_slice<Lanes256, std::uint32_t, 3, 4>(task); }
void spmm_f32_16_near_avx2(const SpmmTask& task) noexcept { add_slice<Lanes256, std::uint16_t, 4, 2>(task); }
void spmm_f32_16_far_avx2(const SpmmTask& task) noexcept { add_slice<Lanes256, std::uint32_t, 4, 2>(task); }
void spmm_f32_8_near_avx2(const SpmmTask& task) noexcept { add_slice<Lanes256, std::uint16_t, 8, 1>(task); }
void spmm_f32_8_far_avx2(const SpmmTask& task) noexcept { add_slice<Lanes256, std::uint32_t, 8, 1>(task); }
void spmm_f32_finish_avx2(const SpmmTask& task, std::uint32_t row, const float* sums) noexcept {
  finish_row<Lanes256>(task, row, sums);
}
void spmm_f32_pack_avx2(const SpmmPanel& panel) noexcept { pack_panel<Lanes256>(panel); }

}  // namespace kernels
}  // namespace assay::sparse
