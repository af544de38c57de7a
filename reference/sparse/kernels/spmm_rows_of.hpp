// The body of spmm_f32_<isa>.cpp, over a type of lanes: see reference/sparse/spmm_task.hpp.
//
// A register holds `Lanes::width` columns of one output row. `registers` of them times `rows` rows are summed side by
// side: enough chains to hide the latency of a multiply-add, few enough for the register file.
//
// In an unnamed namespace: a file that includes this has code of its own, compiled for its own ISA, and exports none.
#pragma once

#include <cstdint>
#include <cstring>

#include "reference/sparse/spmm_task.hpp"

namespace assay::sparse {
namespace {

template <class T>
inline T read_as(const unsigned char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// One register of the results of a row: through the epilogue, into `columns` of y.
template <class Lanes>
inline void finish(const SpmmTask& task, Lanes s, std::uint32_t row, std::uint32_t column) {
  const SpmmEpilogue& how = task.epilogue;
  const std::uint32_t left = task.columns - column;
  const bool whole = left >= Lanes::width;
  if (!how.plain) {
    const auto read = [&](const float* from) {
      return whole ? Lanes::load_any(from) : Lanes::load_first(from, left);
    };
    s = how.alpha == 0 ? Lanes::all(0) : how.alpha == 1 ? s : s * Lanes::all(how.alpha);
    if (how.c != nullptr) {
      const Lanes c = read(how.c + static_cast<std::int64_t>(row) * how.c_stride + column);
      s = s + (how.beta == 1 ? c : c * Lanes::all(how.beta));
    }
    if (how.column_bias != nullptr) s = s + read(how.column_bias + column);
    if (how.row_bias != nullptr) s = s + Lanes::all(how.row_bias[row]);
    switch (how.activation) {
      case SpmmActivation::none: break;
      case SpmmActivation::relu: s = s.positive_or_nan(); break;
      case SpmmActivation::relu_max: s = s.positive(); break;
      case SpmmActivation::clip: s = s.clipped(how.low, how.high); break;
    }
  }
  s = s.with_one_nan();
  float* const y = task.y + static_cast<std::int64_t>(row) * task.y_stride + column;
  if (whole) {
    s.store_any(y);
  } else {
    s.store_first(y, left);
  }
}

// From where the sums lie, once they are complete: in registers they would cost the loop above registers.
template <class Lanes>
[[gnu::noinline]] void finish_row(const SpmmTask& task, std::uint32_t row, const float* sums) {
  for (std::uint32_t column = 0; column < task.columns; column += Lanes::width)
    finish(task, Lanes::load(sums + column), row, column);
}

template <class Lanes, class Offset, int rows, int registers>
inline const unsigned char* add_group(const SpmmTask& task, const SpmmGroup& group,
                                      const unsigned char* stream) {
  constexpr int lanes = Lanes::width, width = registers * lanes;
  constexpr bool is_near = sizeof(Offset) == 2;
  const std::size_t row_bytes = is_near ? 1 : static_cast<std::size_t>(task.x_stride) * sizeof(float);
  const auto* const x = reinterpret_cast<const unsigned char*>(task.x);
  const std::uint32_t* const at = task.slice.rows + group.first_row;
  const std::uint32_t* const extra = task.slice.extra + group.first_row;
  // Sums that need not travel to another slice lie in one place, which stays in the first cache.
  const bool stay = task.first && task.last;
  const auto sums_of = [&](int r) __attribute__((always_inline)) {
    return task.sums + (stay ? static_cast<std::size_t>(r) : static_cast<std::size_t>(at[r])) * width;
  };
  if (task.last) {
    // What is written at the end is asked for now, by lines of 64 bytes.
    for (int r = 0; r < rows; ++r) {
      const float* const y = task.y + static_cast<std::int64_t>(at[r]) * task.y_stride;
      for (std::uint32_t column = 0; column < task.columns; column += 16) __builtin_prefetch(y + column, 1);
    }
  }
  Lanes sum[rows][registers];
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r) {
    const float* const from = sums_of(r);
#pragma GCC unroll 16
    for (int j = 0; j < registers; ++j)
      sum[r][j] = task.first ? Lanes::all(0) : Lanes::load(from + j * lanes);
  }
  const auto add = [&](int r, const unsigned char* value, const unsigned char* offset)
      __attribute__((always_inline)) {
    const Lanes v = Lanes::all(read_as<float>(value));
    const auto* const row = reinterpret_cast<const float*>(x + read_as<Offset>(offset) * row_bytes);
#pragma GCC unroll 16
    for (int j = 0; j < registers; ++j)
      sum[r][j] =
          Lanes::fma(v, is_near ? Lanes::load(row + j * lanes) : Lanes::load_any(row + j * lanes), sum[r][j]);
  };
  constexpr int offset_bytes = sizeof(Offset);
  for (std::uint32_t t = group.common; t != 0; --t, stream += (4 + offset_bytes) * rows) {
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) add(r, stream + 4 * r, stream + 4 * rows + offset_bytes * r);
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r) {
    for (std::uint32_t t = extra[r]; t != 0; --t, stream += 8) add(r, stream, stream + 4);
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r) {
    float* const to = sums_of(r);
#pragma GCC unroll 16
    for (int j = 0; j < registers; ++j) sum[r][j].store(to + j * lanes);
  }
  if (task.last) {
    for (int r = 0; r < rows; ++r) finish_row<Lanes>(task, at[r], sums_of(r));
  }
  return stream;
}

template <class Lanes, class Offset, int rows, int registers>
inline void add_slice(const SpmmTask& task) {
  const unsigned char* stream = task.slice.stream;
  const SpmmGroup* group = task.slice.groups;
  for (std::uint32_t i = 0; i < task.slice.full_groups; ++i)
    stream = add_group<Lanes, Offset, rows, registers>(task, *group++, stream);
  for (std::uint32_t i = 0; i < task.slice.single_groups; ++i)
    stream = add_group<Lanes, Offset, 1, registers>(task, *group++, stream);
}

}  // namespace
}  // namespace assay::sparse
