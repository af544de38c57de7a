// Exact sums of products and of their magnitudes for a tile of a matrix product, by float64 alone.
//
// Source: the splitting is S. M. Rump, T. Ogita, S. Oishi, "Accurate Floating-Point Summation, Part I" (SIAM J. Sci.
// Comput. 31 (2008), 189-224), with the part that is split off added in the same operation.
//
// Numerics
//   A product p of two float32 values is a float64. Let all K products of an output be multiples of 2^L and smaller
//   than 2^E, and 2^g >= K. The first part starts at the anchor 3/2 2^m, m = E + g + 1. It stays from 2^m to 2^(m+1),
//   for the sum is at most K 2^E <= 2^(m-1). There float64 has one last place, 2^(m-52): the rounded sum of the part
//   and p is the part plus p rounded to that place, the difference of the new part and the old one is what was added,
//   and the rest of p is exact, at most 2^(m-53) and a multiple of 2^L. The next part takes the rests as the first one
//   takes products; the last part has no anchor, and holds its sum exactly if K times the largest rest is at most
//   2^(L+53). Two parts are exact for E - L <= 105 - 2g, three for E - L <= 157 - 3g.
#pragma once

#include <cstddef>

#include "reference/core/dispatch.hpp"

namespace assay {

// One pass over `depth` products of each output. All values are products of float32 values; MXCSR at its default.
struct WindowTile {
  const double* a = nullptr;  // rows x depth, row by row
  const double* b = nullptr;  // panels of `lanes` columns: panel, then depth, then lane
  double* sums = nullptr;     // row, panel, then `parts` of the sum and `parts` of the magnitudes, then lane
  std::size_t rows = 0, panels = 0, depth = 0;
  int parts = 2;  // 2 or 3
};
using WindowSumsFn = void(const WindowTile&) noexcept;

namespace kernels {
#define WINDOW_SUMS(name, needs, lanes, description) WindowSumsFn name;
#include "reference/exact/window_sums.def"
#undef WINDOW_SUMS
}  // namespace kernels

struct WindowSumsKernel : KernelInfo {
  std::size_t lanes;
  WindowSumsFn* run;
};

// Every kernel of window_sums.def, best first.
const KernelTable<WindowSumsKernel>& window_sums_kernels();

// The parts that hold the sums of 2^terms_log2 products or fewer exactly, where E - L is `span`; 0 where three are too
// few.
constexpr int window_parts(int span, int terms_log2) {
  if (span <= 105 - 2 * terms_log2) return 2;
  return span <= 157 - 3 * terms_log2 ? 3 : 0;
}

}  // namespace assay
