// The body of sddmm_f32_<isa>.cpp, over a type of lanes: see reference/sparse/sddmm_task.hpp.
//
// A register holds as many outputs as it has lanes, of one row. Their sums run over k in one order, so a lane needs
// B[k][j] of its own column: rows of B (columns of the product) are read a register's length at a time and transposed.
//
// In an unnamed namespace: a file that includes this has code of its own, compiled for its own ISA, and exports none.
#pragma once

#include <cstdint>

#include "reference/sparse/sddmm_task.hpp"

namespace assay::sparse {
namespace {

// The sums of entries [at, at + n), n at most the lanes: through the epilogue, into out.
template <class Lanes>
inline void finish_entries(const SddmmTask& task, Lanes s, std::int64_t at, std::uint32_t n) {
  if (task.alpha == 0) s = Lanes::all(0);
  if (task.alpha != 0 && task.alpha != 1) s = s * Lanes::all(task.alpha);
  if (task.scale != nullptr) s = s * Lanes::load_first(task.scale + at, n);
  if (task.c != nullptr) {
    const Lanes c = Lanes::load_first(task.c + at, n);
    s = s + (task.beta == 1 ? c : c * Lanes::all(task.beta));
  }
  s.with_one_nan().store_first(task.out + at, n);
}

// Calls use(t, column) for `depth` values k = from + t of as many rows as there are lanes, t ascending. Lane i of
// `column` is rows[i][k].
template <class Lanes, class Use>
inline void for_each_column(const float* const* rows, std::int64_t from, std::int64_t depth, const Use& use) {
  constexpr std::int64_t width = Lanes::width;
  Lanes tile[width];
  std::int64_t t = 0;
  for (; t + width <= depth; t += width) {
    Lanes::read_tile(rows, from + t, tile);
#pragma GCC unroll 16
    for (std::int64_t j = 0; j < width; ++j) use(t + j, tile[j]);
  }
  for (; t < depth; ++t) {
    alignas(64) float column[width];
    for (std::int64_t i = 0; i < width; ++i) column[i] = rows[i][from + t];
    use(t, Lanes::load(column));
  }
}

// Rows of B of `count` columns; what is missing of `lanes` is the last one again.
template <int lanes>
inline void rows_of(const SddmmTask& task, const std::int32_t* columns, std::uint32_t count,
                    const float* (&rows)[lanes]) {
  for (std::uint32_t i = 0; i < lanes; ++i)
    rows[i] = task.b + columns[i < count ? i : count - 1] * task.b_stride;
}

// `registers` times the lanes of entries of one row, from entry `at`, of which `count` are left.
template <class Lanes, int registers>
inline void add_entries(const SddmmTask& task, const float* a, std::int64_t at, std::uint32_t count) {
  constexpr std::int64_t width = Lanes::width;
  const float* rows[registers * width];
  rows_of(task, task.columns + at, count, rows);
  Lanes sum[registers];
#pragma GCC unroll 16
  for (int j = 0; j < registers; ++j) sum[j] = Lanes::all(0);
  // Registers take turns: the sums of one run while the next is transposed.
  for (std::int64_t t = 0; t < task.depth; t += width) {
    const std::int64_t depth = task.depth - t < width ? task.depth - t : width;
#pragma GCC unroll 16
    for (int j = 0; j < registers; ++j) {
      for_each_column<Lanes>(
          rows + j * width, t,
          depth, [&](std::int64_t k, const Lanes& column) __attribute__((always_inline)) {
            sum[j] = Lanes::fma(Lanes::all(a[t + k]), column, sum[j]);
          });
    }
  }
  for (std::uint32_t j = 0; j < registers && j * Lanes::width < count; ++j) {
    const std::uint32_t left = count - j * Lanes::width;
    finish_entries(task, sum[j], at + j * width, left < Lanes::width ? left : Lanes::width);
  }
}

template <class Lanes, int registers>
inline void multiply_own(const SddmmTask& task) {
  const float* a = task.a;
  std::int64_t at = 0;
  for (std::uint32_t r = 0; r < task.rows; ++r, a += task.a_stride) {
    std::uint32_t left = task.row_entries[r];
    while (left > Lanes::width) {
      const std::uint32_t some = left < registers * Lanes::width ? left : registers * Lanes::width;
      add_entries<Lanes, registers>(task, a, at, some);
      at += some;
      left -= some;
    }
    if (left != 0) add_entries<Lanes, 1>(task, a, at, left);
    at += left;
  }
}

// B of `count` columns and `depth` values of k, turned: `registers` registers for each k.
template <class Lanes, int registers>
inline void fill_panel(const SddmmTask& task, const std::int32_t* columns, std::uint32_t count,
                       std::int64_t from, std::int64_t depth) {
  constexpr std::int64_t width = Lanes::width;
  const float* rows[registers * width];
  rows_of(task, columns, count, rows);
  for (int j = 0; j < registers; ++j) {
    float* const to = task.panel + j * width;
    for_each_column<Lanes>(rows + j * width, from, depth, [&](std::int64_t k, const Lanes& column) {
      column.store(to + k * registers * width);
    });
  }
}

// `rows` rows of A times a panel, added to their sums.
template <class Lanes, int rows, int registers>
inline void add_panel(const SddmmTask& task, const float* a, std::int64_t depth, bool first, float* sums) {
  constexpr int width = Lanes::width;
  Lanes sum[rows][registers];
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 16
    for (int j = 0; j < registers; ++j)
      sum[r][j] = first ? Lanes::all(0) : Lanes::load(sums + r * task.sums_stride + j * width);
  }
  const float* panel = task.panel;
  for (std::int64_t k = 0; k < depth; ++k, panel += registers * width) {
    Lanes column[registers];
#pragma GCC unroll 16
    for (int j = 0; j < registers; ++j) column[j] = Lanes::load(panel + j * width);
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      const Lanes value = Lanes::all(a[r * task.a_stride + k]);
#pragma GCC unroll 16
      for (int j = 0; j < registers; ++j) sum[r][j] = Lanes::fma(value, column[j], sum[r][j]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 16
    for (int j = 0; j < registers; ++j) sum[r][j].store(sums + r * task.sums_stride + j * width);
  }
}

// What the entries of a row are among all its products.
template <class Lanes>
inline void keep_entries(const SddmmTask& task, const float* sums, std::int64_t at, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; i += Lanes::width) {
    const std::uint32_t n = count - i < Lanes::width ? count - i : Lanes::width;
    Lanes s;
    if (task.places == nullptr) {
      s = Lanes::load(sums + i);
    } else if (n == Lanes::width) {
      s = Lanes::gather(sums, task.places + at + i);
    } else {
      std::int32_t places[Lanes::width] = {};
      for (std::uint32_t lane = 0; lane < n; ++lane) places[lane] = task.places[at + i + lane];
      s = Lanes::gather(sums, places);
    }
    finish_entries(task, s, at + i, n);
  }
}

template <class Lanes, int rows, int registers>
inline void multiply_shared(const SddmmTask& task) {
  constexpr std::uint32_t columns = registers * Lanes::width;
  static_assert(columns <= sddmm_panel, "the caller's panel holds the columns");
  for (std::uint32_t first = 0; first < task.shared; first += columns) {
    const std::uint32_t count = task.shared - first < columns ? task.shared - first : columns;
    // Sums begin at +0 even where there is no k.
    std::int64_t from = 0;
    do {
      const std::int64_t left = task.depth - from, depth = left < sddmm_depth ? left : sddmm_depth;
      fill_panel<Lanes, registers>(task, task.columns + first, count, from, depth);
      std::uint32_t r = 0;
      const auto a = [&] { return task.a + r * task.a_stride + from; };
      const auto sums = [&] { return task.sums + r * task.sums_stride + first; };
      for (; r + rows <= task.rows; r += rows)
        add_panel<Lanes, rows, registers>(task, a(), depth, from == 0, sums());
      for (; r < task.rows; ++r) add_panel<Lanes, 1, registers>(task, a(), depth, from == 0, sums());
      from += depth;
    } while (from < task.depth);
  }
  std::int64_t at = 0;
  for (std::uint32_t r = 0; r < task.rows; at += task.row_entries[r++])
    keep_entries<Lanes>(task, task.sums + r * task.sums_stride, at, task.row_entries[r]);
}

}  // namespace
}  // namespace assay::sparse
