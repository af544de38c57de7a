// The arguments of a kernel of SpMM: plain pointers and sizes, so that a kernel compiled for a wide ISA shares no
// inline code with the rest of the program.
//
// Numerics, the contract of every float32 kernel (Arithmetic chain_f32_fused, then the epilogue)
//   sum    s starts at +0 and takes the stored entries of its row in stored order, one fused multiply-add each:
//          s = fma(value, x, s). An entry that is stored and zero multiplies; a place without entry does not.
//   then   s = alpha s (alpha = 0: +0, whatever s is), s += beta c (rounded product, rounded sum; left out for
//          beta = 0), s += bias, then the activation: one rounding each, as epilogue.hpp has it.
//   NaN    comes out as 0x7FC00000.
//   hence  no output reads another; scalar, AVX2 and AVX-512, every cut of the work and number of threads give the same
//          bits. MXCSR is the default (no flushing).
#pragma once

#include <cstdint>

namespace assay::sparse {

enum class SpmmActivation : std::uint32_t { none, relu, relu_max, clip };

// What becomes of the sums of a panel, written to y.
struct SpmmEpilogue {
  float alpha = 1, beta = 0, low = 0, high = 0;
  SpmmActivation activation = SpmmActivation::none;
  bool plain = true;                   // y = s
  const float* c = nullptr;            // of output (0, column 0 of the panel); null: none
  std::int64_t c_stride = 0;           // between rows
  const float* column_bias = nullptr;  // of column 0 of the panel; null: none
  const float* row_bias = nullptr;     // of row 0; null: none
};

// `rows` rows that are computed side by side. Of each, the first `common` entries of the slice come from the shared
// part of the stream, the others from a part of its own.
struct SpmmGroup {
  std::uint32_t common = 0;
  std::uint32_t first_row = 0;  // place of its rows in SpmmSlice::rows, and of `extra` in SpmmSlice::extra
};

// The entries of one slice of K, in order. The stream of a group: for each common entry the values of its rows, then
// their offsets; then row by row the extra entries, a value, an offset and two bytes that mean nothing. Rows that share
// their columns have one offset for each common entry, and no extra ones.
// An offset is that of a row of X in the slice's part of a panel: in bytes as uint16 (`near`), or its number as uint32.
struct SpmmSlice {
  const unsigned char* stream = nullptr;
  const SpmmGroup* groups = nullptr;
  const std::uint32_t* rows = nullptr;
  const std::uint32_t* extra = nullptr;
  // Groups of as many rows as the kernel takes that share their columns; as many with columns of their own; one row.
  std::uint32_t shared_groups = 0, full_groups = 0, single_groups = 0;
};

// Rows of X that the next task packs: asked for while this one computes.
struct SpmmAhead {
  const float* x = nullptr;
  std::int64_t stride = 0;
  std::uint32_t rows = 0, columns = 0;
};

// One slice of one panel: Y[rows, columns of the panel] from sums so far, or from 0.
struct SpmmTask {
  SpmmSlice slice{};
  const float* x = nullptr;   // the slice's rows of the panel; near: 64-byte aligned, `width` floats a row
  std::int64_t x_stride = 0;  // far: floats between rows, which may lie anywhere
  float* sums = nullptr;      // of row i: sums + i * width; 64-byte aligned
  bool first = true, last = true;  // slice of K
  float* y = nullptr;              // of output (0, column 0 of the panel)
  std::int64_t y_stride = 0;
  std::uint32_t columns = 0;  // of the panel that are outputs: 1 ... width
  SpmmEpilogue epilogue{};
  SpmmAhead ahead{};
};

using SpmmFn = void(const SpmmTask& task) noexcept;

// What becomes of the sums of one row of a panel, by the task's epilogue: 64-byte aligned, and readable up to a
// multiple of 16.
using SpmmFinishFn = void(const SpmmTask& task, std::uint32_t row, const float* sums) noexcept;

// What is packed of X: `rows` rows of `columns` numbers, each to `width` floats at `to`, the rest zeros. 64-byte
// aligned; the width is a multiple of the kernel's lanes.
struct SpmmPanel {
  const float* x = nullptr;
  std::int64_t stride = 0, rows = 0;
  std::uint32_t columns = 0, width = 0;
  float* to = nullptr;
};
using SpmmPackFn = void(const SpmmPanel& panel) noexcept;

}  // namespace assay::sparse
