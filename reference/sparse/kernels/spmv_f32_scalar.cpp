#include "reference/sparse/kernels/plain_lanes.hpp"
#include "reference/sparse/kernels/spmv_rows_of.hpp"
#include "reference/sparse/spmv.hpp"

namespace assay::sparse {
namespace kernels {

void spmv_f32_scalar(const SpmvTask& task) noexcept { multiply_rows<PlainLanes<8>>(task); }

}  // namespace kernels
}  // namespace assay::sparse
