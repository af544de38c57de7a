#include "reference/sparse/kernels/lanes_avx512.hpp"
#include "reference/sparse/kernels/sddmm_entries_of.hpp"
#include "reference/sparse/sddmm.hpp"

namespace assay::sparse {
namespace kernels {

void sddmm_f32_own_avx512(const SddmmTask& task) noexcept { multiply_own<Lanes512, 1>(task); }
void sddmm_f32_shared_avx512(const SddmmTask& task) noexcept { multiply_shared<Lanes512, 8, 2>(task); }

}  // namespace kernels
}  // namespace assay::sparse
