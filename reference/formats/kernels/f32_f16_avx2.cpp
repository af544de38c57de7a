#include "reference/formats/kernels/lanes_avx2.hpp"
//
#include "reference/formats/kernels/narrow.hpp"

void assay::kernels::f32_f16_avx2(const void* src, void* dst, std::size_t n,
                                  const ConvertParams& p) noexcept {
  narrow<U32x8, 2>(src, dst, n, p);
}
