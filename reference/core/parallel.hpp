// A loop shared out over OpenMP's threads, whose body may throw. Who includes this links OpenMP.
#pragma once

#include <omp.h>

#include <cstddef>
#include <exception>

namespace assay {

// body(i) for every i of [0, n), in any order, by so many threads (0: as OpenMP decides). If some throw, one of their
// exceptions leaves after all threads have ended: none may leave a parallel region by itself.
template <class Body>
void parallel_for(std::size_t n, int threads, const Body& body) {
  const int team = threads > 0 ? threads : omp_get_max_threads();
  const std::size_t share = n / (16 * static_cast<std::size_t>(team)) + 1;  // late threads find work left
  std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, share) num_threads(team)
  for (std::size_t i = 0; i < n; ++i) {
    try {
      body(i);
    } catch (...) {
#pragma omp critical(assay_parallel_for)
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace assay
