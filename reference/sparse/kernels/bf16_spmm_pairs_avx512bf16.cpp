#include <immintrin.h>

#include "reference/sparse/bf16_spmm.hpp"

namespace assay::sparse {
namespace {

// Columns 32 h ... 32 h + 31 of two rows of X, as pairs of 16 columns each.
struct Pairs {
  __m512bh low, high;
};
inline Pairs pairs_of(const std::uint16_t* first, const std::uint16_t* second, __m512i low, __m512i high) {
  const __m512i a = _mm512_load_si512(first), b = _mm512_load_si512(second);
  return {reinterpret_cast<__m512bh>(_mm512_permutex2var_epi16(a, low, b)),
          reinterpret_cast<__m512bh>(_mm512_permutex2var_epi16(a, high, b))};
}

// Where a word of the interleaved rows comes from: word j of the first row is j, of the second one 32 + j.
inline __m512i interleaved_from(int first) {
  alignas(64) std::uint16_t from[32];
  for (int i = 0; i < 32; ++i) from[i] = static_cast<std::uint16_t>(first + i / 2 + (i % 2 == 0 ? 0 : 32));
  return _mm512_load_si512(from);
}

}  // namespace

void kernels::bf16_spmm_pairs_avx512bf16(const Bf16PairTask& task) noexcept {
  constexpr int halves = bf16_pair_width / 32;
  const __m512i low = interleaved_from(0), high = interleaved_from(16);
  const Bf16Pair* pair = task.pairs;
  for (std::uint32_t i = 0; i < task.row_count; ++i) {
    __m512 sum[2 * halves];
#pragma GCC unroll 8
    for (__m512& s : sum) s = _mm512_setzero_ps();
    for (std::uint32_t t = task.pair_count[i]; t != 0; --t, ++pair) {
      const auto values = reinterpret_cast<__m512bh>(_mm512_set1_epi32(static_cast<int>(pair->values)));
      const std::uint16_t* const first = task.x + std::size_t{pair->rows[0]} * bf16_pair_width;
      const std::uint16_t* const second = task.x + std::size_t{pair->rows[1]} * bf16_pair_width;
#pragma GCC unroll 8
      for (int h = 0; h < halves; ++h) {
        const Pairs x = pairs_of(first + 32 * h, second + 32 * h, low, high);
        sum[2 * h] = _mm512_dpbf16_ps(sum[2 * h], values, x.low);
        sum[2 * h + 1] = _mm512_dpbf16_ps(sum[2 * h + 1], values, x.high);
      }
    }
    float* const to = task.sums + std::size_t{i} * bf16_pair_width;
#pragma GCC unroll 8
    for (int j = 0; j < 2 * halves; ++j) _mm512_store_ps(to + 16 * j, sum[j]);
  }
}

}  // namespace assay::sparse
