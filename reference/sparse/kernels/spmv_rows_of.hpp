// The body of spmv_f32_<isa>.cpp, over a type of lanes: see reference/sparse/spmv_task.hpp.
//
// A register holds the sums of as many rows as it has lanes: each takes its own entries in their order, and no sum
// waits for another.
//
// In an unnamed namespace: a file that includes this has code of its own, compiled for its own ISA, and exports none.
#pragma once

#include <cstdint>

#include "reference/sparse/kernels/spmm_rows_of.hpp"
#include "reference/sparse/spmv_task.hpp"

namespace assay::sparse {
namespace {

template <class Lanes, class Index>
inline void multiply_rows(const SpmvTask& task) {
  constexpr std::uint32_t width = Lanes::width;
  const float* values = task.values;
  const auto* columns = static_cast<const Index*>(task.columns);
  const auto add_rest = [&](std::uint32_t place, float s) __attribute__((always_inline)) {
    for (std::uint32_t t = task.extra[place]; t != 0; --t) s = Lanes::fma(*values++, task.x[*columns++], s);
    task.sums[task.numbers[place]] = s;
  };
  std::uint32_t place = 0;
  for (std::uint32_t group = 0; group < task.groups; ++group) {
    Lanes sum = Lanes::all(0);
    for (std::uint32_t t = task.common[group]; t != 0; --t, values += width, columns += width)
      sum = Lanes::fma(Lanes::load_any(values), Lanes::gather(task.x, columns), sum);
    alignas(64) float sums[width];
    sum.store(sums);
    for (std::uint32_t i = 0; i < width; ++i) add_rest(place++, sums[i]);
  }
  for (; place < task.rows; ++place) add_rest(place, 0);
  // The rows are the columns of one row of outputs.
  finish_row<Lanes>({.y = task.y, .columns = task.rows, .epilogue = task.epilogue}, 0, task.sums);
}

}  // namespace
}  // namespace assay::sparse
