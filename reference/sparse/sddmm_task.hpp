// The arguments of a kernel of SDDMM: plain pointers and sizes, so that a kernel compiled for a wide ISA shares no
// inline code with the rest of the program.
//
// Numerics, the contract of every kernel (Arithmetic chain_f32_fused, then the epilogue), for each entry (i, j)
//   sum    s starts at +0 and takes k ascending, one fused multiply-add each: s = fma(A[i][k], B[k][j], s).
//   then   s = alpha s (alpha = 0: +0, whatever s is), s *= scale, s += beta c (rounded product, rounded sum; left out
//          for beta = 0): one rounding each.
//   NaN    comes out as 0x7FC00000.
//   hence  no output reads another; scalar, AVX2 and AVX-512, every cut of the work and number of threads give the same
//          bits. MXCSR is the default (no flushing).
#pragma once

#include <cstdint>

namespace assay::sparse {

// A row of B is a column of the product: all `depth` values of it lie side by side.
struct SddmmTask {
  const float* a = nullptr;  // the first row
  const float* b = nullptr;
  std::int64_t a_stride = 0, b_stride = 0, depth = 0;
  std::uint32_t rows = 1;
  const std::uint32_t* row_entries = nullptr;  // of each row
  const std::int32_t* columns = nullptr;       // of each entry, row by row; where they are shared, those
  float* out = nullptr;                        // for each entry
  const float* c = nullptr;                    // null: none
  const float* scale = nullptr;                // null: none
  float alpha = 1, beta = 0;

  // For rows that share columns: all products of `rows` rows and `shared` columns are computed, and those of the
  // entries kept.
  std::uint32_t shared = 0;
  const std::int32_t* places =
      nullptr;                   // of each entry, in `columns`; null: every row has all of them, in order
  float* panel = nullptr;        // sddmm_depth rows of columns turned; 64-byte aligned
  float* sums = nullptr;         // `rows` times sums_stride; 64-byte aligned
  std::int64_t sums_stride = 0;  // `shared`, rounded up to the columns of a panel
};

inline constexpr std::int64_t sddmm_depth = 256;  // of a panel, at most: what the first two caches hold
inline constexpr std::uint32_t sddmm_panel = 32;  // columns of the widest panel

using SddmmFn = void(const SddmmTask& task) noexcept;

}  // namespace assay::sparse
