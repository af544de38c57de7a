// Lane = image, 8 to a register, the sums of up to 64 images of one output in eight accumulators. In an anonymous
// namespace: a function with external linkage could be picked by the linker for a CPU without AVX2.
#pragma once

#include <immintrin.h>

#include "reference/spdnn/kernel_task.hpp"

namespace assay::spdnn::kernels {
namespace {

constexpr std::uint32_t lanes_avx2 = 64;

// The first `vectors` * 8 lanes. `first_edge(j)` is where the edges of output j begin; they end where those of j + 1
// do.
template <int vectors, class FirstEdge>
void run_lanes(const LayerTask& task, FirstEdge first_edge) {
  const Edge* const edges = task.edges;
  const float* const x = task.x;
  float* const y = task.y;
  const __m256 lower = _mm256_set1_ps(task.lower), upper = _mm256_set1_ps(task.upper);
  __m256 alive[vectors];
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) alive[v] = _mm256_setzero_ps();
  for (std::uint32_t j = 0; j < task.outputs; ++j) {
    __m256 sum[vectors];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) sum[v] = _mm256_setzero_ps();
    for (const Edge *e = edges + first_edge(j), *const end = edges + first_edge(j + 1); e != end; ++e) {
      const __m256 weight = _mm256_set1_ps(e->weight);
      const float* const row = x + e->source;
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) sum[v] = _mm256_fmadd_ps(weight, _mm256_load_ps(row + 8 * v), sum[v]);
    }
    const __m256 bias = _mm256_set1_ps(task.bias[j]);
    float* const out = y + task.targets[j];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      const __m256 z = _mm256_add_ps(sum[v], bias);
      // NaN: "not <=" holds, and VMINPS returns its second operand, z.
      const __m256 inside = _mm256_cmp_ps(z, lower, _CMP_NLE_UQ);
      const __m256 clipped = _mm256_blendv_ps(lower, _mm256_min_ps(upper, z), inside);
      alive[v] = _mm256_or_ps(alive[v], _mm256_cmp_ps(clipped, _mm256_setzero_ps(), _CMP_NEQ_UQ));
      _mm256_store_ps(out + 8 * v, clipped);
    }
  }
  std::uint64_t mask = 0;
  for (int v = 0; v < vectors; ++v)
    mask |= static_cast<std::uint64_t>(_mm256_movemask_ps(alive[v])) << (8 * v);
  task.alive[0] = mask;
}

template <class FirstEdge>
void run_layer(const LayerTask& task, FirstEdge first_edge) {
  switch ((task.lanes + 7) / 8) {
    case 0: task.alive[0] = 0; break;
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
