#include "gpu/kernels/sddmm_csr_run.hpp"

#include <algorithm>
#include <vector>

#include "gpu/kernels/device_array.cuh"
#include "gpu/kernels/device_code.cuh"
#include "gpu/kernels/sddmm_csr.cuh"
#include "reference/sparse/arguments.hpp"

namespace assay::gpu {

template <class T>
void run_sddmm_csr(const SddmmCsrProblem<T>& p) {
  using Code = DeviceCode<T>;
  sparse::check(p.mask, sparse::ColumnOrder::stored);
  const std::int64_t nnz = p.mask.nnz(), depth = p.a.cols;
  sparse::check_matrix("sddmm_csr", "a", p.a, p.mask.rows, depth);
  sparse::check_matrix("sddmm_csr", "b", p.b, p.b_is_turned ? p.mask.cols : depth,
                       p.b_is_turned ? depth : p.mask.cols);
  sparse::check_count("sddmm_csr", "out", p.out, nnz);
  const sparse::SddmmExtras& e = p.extras;
  if (e.beta != 0) sparse::check_count("sddmm_csr", "c", e.c, nnz);
  if (!e.scale.empty()) sparse::check_count("sddmm_csr", "scale", e.scale, nnz);

  const DeviceArray<std::int64_t> offsets(p.mask.row_offsets);
  const DeviceArray<std::int32_t> columns(p.mask.column_indices);
  SddmmCsr<Code> o;
  o.mask = {p.mask.rows, p.mask.cols, nnz, offsets.data(), columns.data()};
  const DeviceArray<std::int64_t> tile_rows(o.mask.workspace_bytes() / sizeof(std::int64_t));
  o.mask.tile_rows = tile_rows.data();
  const DeviceArray<T> a(std::span<const T>(p.a.memory())), b(std::span<const T>(p.b.memory()));
  const std::int64_t turned_stride = SddmmCsrTurn<Code>::aligned_stride(depth);
  const DeviceArray<T> turned(p.b_is_turned ? 0 : static_cast<std::size_t>(p.mask.cols * turned_stride));
  const DeviceArray<float> out(p.out.size()), c(e.beta != 0 ? e.c : std::span<const float>{}), scale(e.scale);
  o.depth = depth;
  o.a = device_codes(a), o.a_stride = p.a.stride;
  o.b = device_codes(b), o.b_stride = p.b.stride;
  if (!p.b_is_turned) {
    sddmm_csr_turn<Code>({depth, p.mask.cols, o.b, o.b_stride, device_codes(turned), turned_stride}, nullptr);
    o.b = device_codes(turned), o.b_stride = turned_stride;
  }
  o.out = out.data();
  o.c = c.data();
  o.scale = scale.data();
  o.alpha = e.alpha, o.beta = e.beta;
  sddmm_csr_tiles(o.mask, nullptr);
  sddmm_csr(o, nullptr);
  std::ranges::copy(out.on_host(), p.out.begin());
}

template void run_sddmm_csr(const SddmmCsrProblem<float>&);
template void run_sddmm_csr(const SddmmCsrProblem<bf16_t>&);

// For gpu/host, which times them.
template void sddmm_csr(const SddmmCsr<float>&, cudaStream_t);
template void sddmm_csr(const SddmmCsr<__nv_bfloat16>&, cudaStream_t);

}  // namespace assay::gpu
