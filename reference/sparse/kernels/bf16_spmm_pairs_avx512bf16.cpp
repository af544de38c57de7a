#include <immintrin.h>

#include "reference/sparse/bf16_spmm.hpp"
#include "reference/sparse/kernels/bf16_spmm_of.hpp"
#include "reference/sparse/kernels/words_avx512.hpp"

namespace assay::sparse {
namespace {

struct PairSums512 {
  __m512 v;

  static PairSums512 zero() { return {_mm512_setzero_ps()}; }
  static __m512bh pair(std::uint32_t codes) {
    return reinterpret_cast<__m512bh>(_mm512_set1_epi32(static_cast<int>(codes)));
  }
  void add(__m512bh values, Words512 x) { v = _mm512_dpbf16_ps(v, values, reinterpret_cast<__m512bh>(x.v)); }
  void store(float* p) const { _mm512_store_ps(p, v); }
};

}  // namespace

void kernels::bf16_spmm_pairs_avx512bf16(const Bf16PairTask& task) noexcept {
  add_pairs<Words512, PairSums512>(task);
}

}  // namespace assay::sparse
