#include "reference/formats/kernels/lanes_scalar.hpp"
//
#include "reference/formats/kernels/round_bf16.hpp"

void assay::kernels::f32_bf16_scalar(const void* src, void* dst, std::size_t n,
                                     const ConvertParams& p) noexcept {
  to_bf16<U32x1>(src, dst, n, p);
}
