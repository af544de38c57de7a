#include "gpu/kernels/spmm_csr_run.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "gpu/kernels/device_array.cuh"
#include "gpu/kernels/device_code.cuh"
#include "gpu/kernels/spmm_csr.cuh"
#include "reference/sparse/arguments.hpp"

namespace assay::gpu {

template <class Value, class X, class Y>
void run_spmm_csr(const SpmmCsrProblem<Value, X, Y>& p) {
  sparse::check(p.a, sparse::ColumnOrder::stored);
  sparse::check_value_count(p.a, p.values.size());
  sparse::check_matrix("spmm_csr", "x", p.x, p.a.cols, p.y.cols);
  sparse::check_matrix("spmm_csr", "y", p.y, p.a.rows, p.y.cols);
  const sparse::SpmmExtras& e = p.extras;
  const bool in_place = p.c.data == p.y.data && p.c.stride == p.y.stride;
  if (e.beta != 0) sparse::check_matrix("spmm_csr", "c", p.c, p.a.rows, p.y.cols);
  if (e.bias_along != sparse::SpmmBias::none)
    sparse::check_count("spmm_csr", "bias", e.bias,
                        e.bias_along == sparse::SpmmBias::rows ? p.a.rows : p.y.cols);

  std::vector<std::int32_t> order;
  if (p.sorts_rows) {
    if (p.a.rows > INT32_MAX)
      throw ContractError("spmm_csr: " + std::to_string(p.a.rows) + " rows cannot be sorted, 2147483647 can");
    order.resize(static_cast<std::size_t>(p.a.rows));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int32_t i, std::int32_t j) { return p.a.row_length(i) > p.a.row_length(j); });
  }
  const DeviceArray<std::int64_t> offsets(p.a.row_offsets);
  const DeviceArray<std::int32_t> columns(p.a.column_indices),
      device_order(std::span<const std::int32_t>{order});
  const DeviceArray<Value> values(p.values);
  const DeviceArray<X> x(std::span<const X>(p.x.memory()));
  const DeviceArray<Y> y(std::span<const Y>(p.y.memory()));
  const DeviceArray<Y> c(e.beta != 0 && !in_place ? p.c.memory() : std::span<const Y>{});
  const DeviceArray<float> bias(e.bias);
  SpmmCsr<DeviceCode<Value>, DeviceCode<X>, DeviceCode<Y>> o;
  o.rows = p.a.rows, o.cols = p.a.cols, o.n = p.y.cols, o.nnz = p.a.nnz();
  o.row_offsets = offsets.data();
  o.column_indices = columns.data();
  o.values = device_codes(values);
  o.row_order = device_order.data();
  o.x = device_codes(x), o.x_stride = p.x.stride;
  o.y = device_codes(y), o.y_stride = p.y.stride;
  o.c = in_place ? device_codes(y) : device_codes(c), o.c_stride = p.c.stride;
  o.alpha = e.alpha, o.beta = e.beta;
  if (e.bias_along == sparse::SpmmBias::rows) o.row_bias = bias.data();
  if (e.bias_along == sparse::SpmmBias::columns) o.column_bias = bias.data();
  o.activation = e.activation, o.low = e.low, o.high = e.high;
  spmm_csr(o, nullptr);
  const std::vector<Y> result = y.on_host();
  for (std::int64_t i = 0; i < p.y.rows && p.y.cols != 0; ++i)
    std::copy_n(result.begin() + i * p.y.stride, p.y.cols, p.y.data + i * p.y.stride);
}

template void run_spmm_csr(const SpmmCsrProblem<float, float, float>&);
template void run_spmm_csr(const SpmmCsrProblem<float, bf16_t, float>&);
template void run_spmm_csr(const SpmmCsrProblem<float, bf16_t, bf16_t>&);
template void run_spmm_csr(const SpmmCsrProblem<bf16_t, float, float>&);
template void run_spmm_csr(const SpmmCsrProblem<bf16_t, float, bf16_t>&);
template void run_spmm_csr(const SpmmCsrProblem<bf16_t, bf16_t, float>&);
template void run_spmm_csr(const SpmmCsrProblem<bf16_t, bf16_t, bf16_t>&);

// For gpu/host, which times them.
template void spmm_csr(const SpmmCsr<float, float, float>&, cudaStream_t);
template void spmm_csr(const SpmmCsr<__nv_bfloat16, __nv_bfloat16, __nv_bfloat16>&, cudaStream_t);

}  // namespace assay::gpu
