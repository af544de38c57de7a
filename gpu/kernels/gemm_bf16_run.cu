#include "gpu/kernels/gemm_bf16_run.hpp"

#include "gpu/kernels/device_array.cuh"
#include "gpu/kernels/gemm_bf16.cuh"

namespace assay::gpu {
namespace {

void require_rows(std::size_t size, std::size_t rows, std::size_t columns, std::size_t stride,
                  const char* what) {
  const std::size_t least = rows == 0 || columns == 0 ? 0 : (rows - 1) * stride + columns;
  if (size < least)
    throw ContractError(std::string("gemm_bf16: ") + what + " has " + std::to_string(size) + " of " +
                        std::to_string(least) + " numbers");
}

template <class Out>
std::vector<Out> run_gemm(const GemmBf16Problem& p) {
  require_rows(p.a.size(), p.m, p.k, p.a_stride, "a");
  require_rows(p.b.size(), p.k, p.n, p.b_stride, "b");
  const DeviceArray<std::uint16_t> a(p.a), b(p.b);
  const DeviceArray<Out> d(p.m * p.n);
  gemm_bf16(GemmBf16<Out>{p.m, p.n, p.k, a.data(), p.a_stride, b.data(), p.b_stride, d.data(), p.n}, nullptr);
  return d.on_host();
}

}  // namespace

std::vector<float> run_gemm_bf16_f32(const GemmBf16Problem& p) { return run_gemm<float>(p); }
std::vector<std::uint16_t> run_gemm_bf16_bf16(const GemmBf16Problem& p) { return run_gemm<std::uint16_t>(p); }

// For gpu/host, which times them.
template void gemm_bf16(const GemmBf16<std::uint16_t>&, cudaStream_t);

}  // namespace assay::gpu
