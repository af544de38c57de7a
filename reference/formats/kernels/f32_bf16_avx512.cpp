#include "reference/formats/kernels/lanes_avx512.hpp"
//
#include "reference/formats/kernels/round_bf16.hpp"

void assay::kernels::f32_bf16_avx512(const void* src, void* dst, std::size_t n,
                                     const ConvertParams& p) noexcept {
  to_bf16<U32x16>(src, dst, n, p);
}
