#include "gpu/kernels/spmm_bsr_bf16_run.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "gpu/kernels/device_array.cuh"
#include "gpu/kernels/spmm_bsr_bf16_mma.cuh"
#include "gpu/kernels/spmm_bsr_bf16_wgmma.cuh"

namespace assay::gpu {
namespace {

void require_count(std::size_t size, std::size_t least, const char* what) {
  if (size < least)
    throw ContractError(std::string("spmm_bsr_bf16: ") + what + " has " + std::to_string(size) + " of " +
                        std::to_string(least) + " numbers");
}

// Rows of X at multiples of 16 bytes, as TMA takes them.
std::vector<std::uint16_t> x_in_pieces(const SpmmBsrBf16Problem& p, std::size_t stride) {
  const auto rows = static_cast<std::size_t>(p.a.cols);
  std::vector<std::uint16_t> x(rows * stride);
  for (std::size_t r = 0; r < rows; ++r)
    std::copy_n(p.x.begin() + static_cast<std::ptrdiff_t>(r * p.x_stride), p.n,
                x.begin() + static_cast<std::ptrdiff_t>(r * stride));
  return x;
}

template <class Out>
std::vector<Out> run_bsr(BsrKernel kernel, const SpmmBsrBf16Problem& p) {
  sparse::check(p.a);
  if (p.a.block_height != p.a.block_width || p.a.block_height > 128)
    throw ContractError("spmm_bsr_bf16: square blocks of at most 128, not " +
                        std::to_string(p.a.block_height) + " x " + std::to_string(p.a.block_width));
  const auto rows = static_cast<std::size_t>(p.a.rows), cols = static_cast<std::size_t>(p.a.cols);
  require_count(p.values.size(), static_cast<std::size_t>(p.a.slots()), "values");
  require_count(p.x.size(), rows == 0 || cols == 0 || p.n == 0 ? 0 : (cols - 1) * p.x_stride + p.n, "x");
  if (!p.bias.empty()) require_count(p.bias.size(), rows, "bias");

  std::size_t x_stride = p.x_stride;
  std::vector<std::uint16_t> in_pieces;
  if (kernel == BsrKernel::wgmma && p.x_stride % 8 != 0 && p.a.blocks() != 0) {
    x_stride = (p.n + 7) / 8 * 8;
    in_pieces = x_in_pieces(p, x_stride);
  }
  std::vector<std::int32_t> order;
  if (p.order == BlockRowOrder::longest_first) order = longest_rows_first(p.a);
  const DeviceArray<std::int64_t> row_offsets(p.a.row_offsets);
  const DeviceArray<std::int32_t> column_indices(p.a.column_indices),
      row_order(std::span<const std::int32_t>{order});
  const DeviceArray<std::uint16_t> values(p.values),
      x(in_pieces.empty() ? p.x : std::span<const std::uint16_t>{in_pieces});
  const DeviceArray<float> bias(p.bias);
  const DeviceArray<Out> y(rows * p.n);
  const SpmmBsrBf16<Out> o{rows,
                           cols,
                           p.n,
                           static_cast<int>(p.a.block_height),
                           static_cast<std::size_t>(p.a.blocks()),
                           row_offsets.data(),
                           column_indices.data(),
                           values.data(),
                           row_order.data(),
                           x.data(),
                           x_stride,
                           bias.data(),
                           p.relu,
                           y.data(),
                           p.n};
  if (kernel == BsrKernel::mma) {
    spmm_bsr_bf16_mma(o, nullptr);
  } else {
    spmm_bsr_bf16_wgmma(o, {p.multiprocessors}, nullptr);
  }
  return y.on_host();
}

}  // namespace

std::vector<std::int32_t> longest_rows_first(const sparse::BsrView& a) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(a.block_rows()));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [&](std::int32_t row) { return a.block_row_columns(row).size(); });
  return order;
}

std::vector<float> run_spmm_bsr_bf16_f32(BsrKernel kernel, const SpmmBsrBf16Problem& p) {
  return run_bsr<float>(kernel, p);
}
std::vector<std::uint16_t> run_spmm_bsr_bf16_bf16(BsrKernel kernel, const SpmmBsrBf16Problem& p) {
  return run_bsr<std::uint16_t>(kernel, p);
}

// For gpu/host, which times them.
template void spmm_bsr_bf16_mma(const SpmmBsrBf16<std::uint16_t>&, cudaStream_t);
template void spmm_bsr_bf16_wgmma(const SpmmBsrBf16<std::uint16_t>&, const SpmmBsrWgmmaLaunch&, cudaStream_t);

}  // namespace assay::gpu
