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

// Y = A X, or with one value for each row added, or the ReLU of that.
inline bool takes_a_bias_at_most(const SpmmEpilogue& how) {
  return how.alpha == 1 && how.c == nullptr && how.column_bias == nullptr &&
         (how.activation == SpmmActivation::none || how.activation == SpmmActivation::relu);
}

// From where the sums lie, once they are complete: in registers they would cost the loop above registers.
template <class Lanes>
[[gnu::noinline]] void finish_row(const SpmmTask& task, std::uint32_t row, const float* sums) {
  for (std::uint32_t column = 0; column < task.columns; column += Lanes::width)
    finish(task, Lanes::load(sums + column), row, column);
}

// Rows lie far apart in X, where no prefetcher of the CPU follows: each is asked for some rows ahead.
template <class Lanes>
inline void pack_panel(const SpmmPanel& panel) {
  constexpr std::int64_t ahead = 8;
  constexpr std::uint32_t lanes = Lanes::width;
  const float* from = panel.x;
  float* to = panel.to;
  for (std::int64_t row = 0; row < panel.rows; ++row, from += panel.stride, to += panel.width) {
    if (row + ahead < panel.rows) {
      for (std::uint32_t column = 0; column < panel.columns; column += 16)
        __builtin_prefetch(from + ahead * panel.stride + column);
    }
    std::uint32_t column = 0;
    for (; column + lanes <= panel.columns; column += lanes)
      Lanes::load_any(from + column).store(to + column);
    for (; column < panel.width; column += lanes) {
      const bool some = column < panel.columns;
      (some ? Lanes::load_first(from + column, panel.columns - column) : Lanes::all(0)).store(to + column);
    }
  }
}

// Entries with columns of their own: a register of X for each multiply-add.
template <class Lanes, class Offset, int rows, int registers>
struct OwnColumns {
  static constexpr int lanes = Lanes::width, offset_bytes = sizeof(Offset);
  static constexpr bool is_near = sizeof(Offset) == 2;
  const unsigned char* x;
  std::size_t row_bytes;

  [[gnu::always_inline]] void add(Lanes (&sum)[registers], const unsigned char* value,
                                  const unsigned char* offset) const {
    const Lanes v = Lanes::all(read_as<float>(value));
    const auto* const row = reinterpret_cast<const float*>(x + read_as<Offset>(offset) * row_bytes);
#pragma GCC unroll 16
    for (int j = 0; j < registers; ++j)
      sum[j] =
          Lanes::fma(v, is_near ? Lanes::load(row + j * lanes) : Lanes::load_any(row + j * lanes), sum[j]);
  }
  [[gnu::always_inline]] const unsigned char* operator()(Lanes (&sum)[rows][registers], std::uint32_t common,
                                                         const std::uint32_t* extra,
                                                         const unsigned char* stream) const {
    for (std::uint32_t t = common; t != 0; --t, stream += (4 + offset_bytes) * rows) {
#pragma GCC unroll 16
      for (int r = 0; r < rows; ++r) add(sum[r], stream + 4 * r, stream + 4 * rows + offset_bytes * r);
    }
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      for (std::uint32_t t = extra[r]; t != 0; --t, stream += 8) add(sum[r], stream, stream + 4);
    }
    return stream;
  }
};

// Rows that share their columns: a register of X serves them all. What there is less of is held in registers, the
// values or the columns of X.
template <class Lanes, class Offset, int rows, int registers>
struct SharedColumns {
  static constexpr int lanes = Lanes::width;
  static constexpr bool is_near = sizeof(Offset) == 2;
  const unsigned char* x;
  std::size_t row_bytes;

  [[gnu::always_inline]] const unsigned char* operator()(Lanes (&sum)[rows][registers], std::uint32_t common,
                                                         const std::uint32_t*,
                                                         const unsigned char* stream) const {
    for (std::uint32_t t = common; t != 0; --t, stream += 4 * rows + sizeof(Offset)) {
      const auto* const row =
          reinterpret_cast<const float*>(x + read_as<Offset>(stream + 4 * rows) * row_bytes);
      const auto value = [&](int r) { return Lanes::all(read_as<float>(stream + 4 * r)); };
      const auto columns = [&](int j) {
        return is_near ? Lanes::load(row + j * lanes) : Lanes::load_any(row + j * lanes);
      };
      if constexpr (rows < registers) {
        Lanes v[rows];
#pragma GCC unroll 16
        for (int r = 0; r < rows; ++r) v[r] = value(r);
#pragma GCC unroll 16
        for (int j = 0; j < registers; ++j) {
          const Lanes c = columns(j);
#pragma GCC unroll 16
          for (int r = 0; r < rows; ++r) sum[r][j] = Lanes::fma(v[r], c, sum[r][j]);
        }
      } else {
        Lanes c[registers];
#pragma GCC unroll 16
        for (int j = 0; j < registers; ++j) c[j] = columns(j);
#pragma GCC unroll 16
        for (int r = 0; r < rows; ++r) {
          const Lanes v = value(r);
#pragma GCC unroll 16
          for (int j = 0; j < registers; ++j) sum[r][j] = Lanes::fma(v, c[j], sum[r][j]);
        }
      }
    }
    return stream;
  }
};

// `width` columns a panel, of which `registers` are computed.
template <class Lanes, class Offset, int rows, int registers, int width,
          template <class, class, int, int> class Columns>
inline const unsigned char* add_group(const SpmmTask& task, const SpmmGroup& group,
                                      const unsigned char* stream) {
  constexpr int lanes = Lanes::width;
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
  if (!stay) {
    // The next rows' sums, which lie anywhere in the second cache.
    for (int r = rows; r < 2 * rows; ++r) {
      const float* const next = task.sums + static_cast<std::size_t>(at[r]) * width;
#pragma GCC unroll 16
      for (int column = 0; column < registers * lanes; column += 16) __builtin_prefetch(next + column);
    }
  }
  Lanes sum[rows][registers];
  if (task.first) {
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 16
      for (int j = 0; j < registers; ++j) sum[r][j] = Lanes::all(0);
    }
  } else {
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      const float* const from = sums_of(r);
#pragma GCC unroll 16
      for (int j = 0; j < registers; ++j) sum[r][j] = Lanes::load(from + j * lanes);
    }
  }
  stream = Columns<Lanes, Offset, rows, registers>{x, row_bytes}(sum, group.common, extra, stream);
  if (task.last && task.columns == width && takes_a_bias_at_most(task.epilogue)) {
    // Straight from the registers.
    const SpmmEpilogue& how = task.epilogue;
    const bool relu = how.activation == SpmmActivation::relu;
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      if (how.row_bias != nullptr) {
        const Lanes bias = Lanes::all(how.row_bias[at[r]]);
#pragma GCC unroll 16
        for (int j = 0; j < registers; ++j) sum[r][j] = sum[r][j] + bias;
      }
      if (relu) {
#pragma GCC unroll 16
        for (int j = 0; j < registers; ++j) sum[r][j] = sum[r][j].positive_or_nan();
      }
      float* const y = task.y + static_cast<std::int64_t>(at[r]) * task.y_stride;
#pragma GCC unroll 16
      for (int j = 0; j < registers; ++j) sum[r][j].with_one_nan().store_any(y + j * lanes);
    }
    return stream;
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

// Asks for what is packed next, a part of it with each group.
class Asking {
 public:
  explicit Asking(const SpmmTask& task) : ahead_(task.ahead) {
    const std::uint32_t groups = task.slice.shared_groups + task.slice.full_groups + task.slice.single_groups;
    if (ahead_.x != nullptr && groups != 0) rows_at_once_ = (ahead_.rows + groups - 1) / groups;
  }
  void next() {
    for (std::uint32_t i = 0; i < rows_at_once_ && row_ < ahead_.rows; ++i, ++row_) {
      const float* const x = ahead_.x + static_cast<std::int64_t>(row_) * ahead_.stride;
      for (std::uint32_t column = 0; column < ahead_.columns; column += 16)
        __builtin_prefetch(x + column, 0, 2);
    }
  }

 private:
  const SpmmAhead& ahead_;
  std::uint32_t rows_at_once_ = 0, row_ = 0;
};

// A panel that is half empty, as the last one may be, takes half of the registers.
template <class Lanes, class Offset, int rows, int registers, int width = registers* int{Lanes::width}>
inline void add_slice(const SpmmTask& task) {
  if constexpr (registers > 1) {
    constexpr int half = registers / 2;
    if (task.columns <= std::uint32_t{half} * Lanes::width) {
      add_slice<Lanes, Offset, rows, half, width>(task);
      return;
    }
  }
  const unsigned char* stream = task.slice.stream;
  const SpmmGroup* group = task.slice.groups;
  Asking asking(task);
  if constexpr (rows > 1) {
    for (std::uint32_t i = 0; i < task.slice.shared_groups; ++i, asking.next())
      stream = add_group<Lanes, Offset, rows, registers, width, SharedColumns>(task, *group++, stream);
  }
  for (std::uint32_t i = 0; i < task.slice.full_groups; ++i, asking.next())
    stream = add_group<Lanes, Offset, rows, registers, width, OwnColumns>(task, *group++, stream);
  for (std::uint32_t i = 0; i < task.slice.single_groups; ++i, asking.next())
    stream = add_group<Lanes, Offset, 1, registers, width, OwnColumns>(task, *group++, stream);
}

}  // namespace
}  // namespace assay::sparse
