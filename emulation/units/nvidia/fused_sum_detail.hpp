// Code shared by the scalar and the vector paths of a fused sum's gemm.
#pragma once

#include <cstddef>

#include "reference/core/parallel.hpp"

namespace assay::fused_sum_detail {

// Where in K the unit's i-th product of a run that starts at a chunk comes from.
constexpr std::size_t source_of(std::size_t i, bool by_f16_steps) {
  if (!by_f16_steps) return i;
  const std::size_t in_chunk = i % 32, in_step = in_chunk % 16;
  return i - in_chunk + in_step / 2 * 4 + in_step % 2 + in_chunk / 16 * 2;
}

constexpr std::size_t rounded_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// Runs body(i) for every i below n, on threads if that is worth it.
template <class Body>
void parallel(std::size_t n, bool worth_it, const Body& body) {
  parallel_for(n, {worth_it ? 0 : 1, Share::dynamic, 1}, body);
}

}  // namespace assay::fused_sum_detail
