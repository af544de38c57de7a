// Lane = image, 16 to a register, the sums of up to 128 images of one output in eight accumulators. In an anonymous
// namespace: a function with external linkage could be picked by the linker for a CPU without AVX-512.
#pragma once

#include <immintrin.h>

#include "reference/spdnn/kernel_task.hpp"

namespace assay::spdnn::kernels {
namespace {

constexpr std::uint32_t lanes_avx512 = 128;

// The first `vectors` * 16 lanes. `first_edge(j)` is where the edges of output j begin; they end where those of j + 1
// do.
template <int vectors, class FirstEdge>
void run_lanes(const LayerTask& task, FirstEdge first_edge) {
  const Edge* const edges = task.edges;
  const float* const x = task.x;
  float* const y = task.y;
  const __m512 lower = _mm512_set1_ps(task.lower), upper = _mm512_set1_ps(task.upper);
  __mmask16 alive[vectors] = {};
  for (std::uint32_t j = 0; j < task.outputs; ++j) {
    __m512 sum[vectors];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) sum[v] = _mm512_setzero_ps();
    for (const Edge *e = edges + first_edge(j), *const end = edges + first_edge(j + 1); e != end; ++e) {
      const __m512 weight = _mm512_set1_ps(e->weight);
      const float* const row = x + e->source;
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v)
        sum[v] = _mm512_fmadd_ps(weight, _mm512_load_ps(row + 16 * v), sum[v]);
    }
    const __m512 bias = _mm512_set1_ps(task.bias[j]);
    float* const out = y + task.targets[j];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      const __m512 z = _mm512_add_ps(sum[v], bias);
      // NaN: "not <=" holds, and VMINPS returns its second operand, z.
      const __mmask16 inside = _mm512_cmp_ps_mask(z, lower, _CMP_NLE_UQ);
      const __m512 clipped = _mm512_mask_min_ps(lower, inside, upper, z);
      alive[v] =
          static_cast<__mmask16>(alive[v] | _mm512_cmp_ps_mask(clipped, _mm512_setzero_ps(), _CMP_NEQ_UQ));
      _mm512_store_ps(out + 16 * v, clipped);
    }
  }
  task.alive[0] = task.alive[1] = 0;
  for (int v = 0; v < vectors; ++v)
    task.alive[v / 4] |= static_cast<std::uint64_t>(alive[v]) << (16 * (v % 4));
}

template <class FirstEdge>
void run_layer(const LayerTask& task, FirstEdge first_edge) {
  switch ((task.lanes + 15) / 16) {
    case 0: task.alive[0] = task.alive[1] = 0; break;
    case 1: run_lanes<1>(task, first_edge); break;
    case 2: run_lanes<2>(task, first_edge); break;
    case 3: run_lanes<3>(task, first_edge); break;
    case 4: run_lanes<4>(task, first_edge); break;
    case 5: run_lanes<5>(task, first_edge); break;
    case 6: run_lanes<6>(task, first_edge); break;
    case 7: run_lanes<7>(task, first_edge); break;
    default: run_lanes<8>(task, first_edge); break;
  }
}

}  // namespace
}  // namespace assay::spdnn::kernels
