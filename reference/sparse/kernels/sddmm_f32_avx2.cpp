#include "reference/sparse/kernels/lanes_avx2.hpp"
#include "reference/sparse/kernels/sddmm_entries_of.hpp"
#include "reference/sparse/sddmm.hpp"

namespace assay::sparse {
namespace kernels {

void sddmm_f32_own_avx2(const SddmmTask& task) noexcept { multiply_own<Lanes256, 3>(task); }
void sddmm_f32_shared_avx2(const SddmmTask& task) noexcept { multiply_shared<Lanes256, 4, 2>(task); }

}  // namespace kernels
}  // namespace assay::sparse
