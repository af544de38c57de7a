#include "reference/sparse/kernels/lanes_avx512.hpp"
#include "reference/sparse/kernels/spmm_rows_of.hpp"
#include "reference/sparse/spmm.hpp"

namespace assay::sparse {
namespace kernels {

void spmm_f32_256_near_avx512(const SpmmTask& task) noexcept {
  add_slice<Lanes512, std::uint16_t, 1, 16>(task);
}
void spmm_f32_256_far_avx512(const SpmmTask& task) noexcept {
  add_slice<Lanes512, std::uint32_t, 1, 16>(task);
}
void spmm_f32_128_near_avx512(const SpmmTask& task) noexcept {
  add_slice<Lanes512, std::uint16_t, 2, 8>(task);
}
void spmm_f32_128_far_avx512(const SpmmTask& task) noexcept {
  add_slice<Lanes512, std::uint32_t, 2, 8>(task);
}
void spmm_f32_64_near_avx512(const SpmmTask& task) noexcept {
  add_slice<Lanes512, std::uint16_t, 4, 4>(task);
}
void spmm_f32_64_far_avx512(const SpmmTask& task) noexcept { add_slice<Lanes512, std::uint32_t, 4, 4>(task); }
void spmm_f32_32_near_avx512(const SpmmTask& task) noexcept {
  add_slice<Lanes512, std::uint16_t, 8, 2>(task);
}
void spmm_f32_32_far_avx512(const SpmmTask& task) noexcept { add_slice<Lanes512, std::uint32_t, 8, 2>(task); }
void spmm_f32_16_near_avx512(const SpmmTask& task) noexcept {
  add_slice<Lanes512, std::uint16_t, 8, 1>(task);
}
void spmm_f32_16_far_avx512(const SpmmTask& task) noexcept { add_slice<Lanes512, std::uint32_t, 8, 1>(task); }
void spmm_f32_finish_avx512(const SpmmTask& task, std::uint32_t row, const float* sums) noexcept {
  finish_row<Lanes512>(task, row, sums);
}
void spmm_f32_pack_avx512(const SpmmPanel& panel) noexcept { pack_panel<Lanes512>(panel); }

}  // namespace kernels
}  // namespace assay::sparse
