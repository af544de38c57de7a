#include "reference/formats/kernels/lanes_avx512.hpp"
//
#include "reference/formats/kernels/narrow.hpp"

void assay::kernels::f32_f8_avx512(const void* src, void* dst, std::size_t n,
                                   const ConvertParams& p) noexcept {
  narrow<U32x16, 1>(src, dst, n, p);
}
