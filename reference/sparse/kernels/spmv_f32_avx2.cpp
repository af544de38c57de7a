#include "reference/sparse/kernels/lanes_avx2.hpp"
#include "reference/sparse/kernels/spmv_rows_of.hpp"
#include "reference/sparse/spmv.hpp"

namespace assay::sparse {
namespace kernels {

void spmv_f32_near_avx2(const SpmvTask& task) noexcept { multiply_rows<Lanes256, std::uint16_t>(task); }
void spmv_f32_far_avx2(const SpmvTask& task) noexcept { multiply_rows<Lanes256, std::int32_t>(task); }

}  // namespace kernels
}  // namespace assay::sparse
