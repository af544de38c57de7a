#include "reference/formats/kernels/lanes_scalar.hpp"
//
#include "reference/formats/kernels/narrow.hpp"

void assay::kernels::f32_f8_scalar(const void* src, void* dst, std::size_t n,
                                   const ConvertParams& p) noexcept {
  narrow<U32x1, 1>(src, dst, n, p);
}
