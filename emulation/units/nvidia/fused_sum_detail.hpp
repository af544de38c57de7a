// What the scalar and the vector paths of a fused sum's gemm share.
#pragma once

#include <cstddef>
#include <exception>

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

// Runs body(i) for every i below n on OpenMP's threads; rethrows what one of them threw.
template <class Body>
void parallel(std::size_t n, bool worth_it, Body body) {
  std::exception_ptr failure;
  const auto count = static_cast<std::ptrdiff_t>(n);
#pragma omp parallel for schedule(dynamic) if (worth_it && n > 1)
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    try {
      body(static_cast<std::size_t>(i));
    } catch (...) {
#pragma omp critical(assay_fused_sum_failure)
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace assay::fused_sum_detail
