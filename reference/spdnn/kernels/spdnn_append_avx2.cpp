#include "reference/spdnn/kernels.hpp"
#include "reference/spdnn/kernels/layer_avx2.hpp"

namespace assay::spdnn::kernels {

// AVX2 has no compress: VPERMPS with indices that PDEP and PEXT make from the mask, once for all rows.
void append_avx2(const AppendTask& task) noexcept {
  struct Part {
    std::uint32_t from, to;
    __m256i order, put;
  };
  Part parts[lanes_avx2 / 8];
  int count = 0;
  std::uint32_t to = task.at;
  for (std::uint32_t from = 0; from < lanes_avx2; from += 8) {
    const auto take = static_cast<unsigned>(task.mask[0] >> from & 0xFF);
    const auto lanes = static_cast<std::uint32_t>(_mm_popcnt_u32(take));
    if (lanes == 0) continue;
    const std::uint64_t bytes = _pdep_u64(take, 0x0101010101010101) * 0xFF;
    const std::uint64_t indices = _pext_u64(0x0706050403020100, bytes);
    const __m256i order = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(indices)));
    const __m256i put = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(lanes)),
                                           _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    parts[count++] = {from, to, order, put};
    to += lanes;
  }
  const float* src = task.src;
  float* dst = task.dst;
  for (std::uint32_t row = 0; row < task.rows; ++row, src += lanes_avx2, dst += lanes_avx2) {
    for (int p = 0; p < count; ++p) {
      const Part& part = parts[p];
      _mm256_maskstore_ps(dst + part.to, part.put,
                          _mm256_permutevar8x32_ps(_mm256_load_ps(src + part.from), part.order));
    }
  }
}

}  // namespace assay::spdnn::kernels
