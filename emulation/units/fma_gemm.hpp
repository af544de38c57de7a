// Matrix products for the float32 chains of fma_chain.hpp, computed with the host's multiply-adds.
//
// Numerics
//   x86       VFMADD231PS acc, a, b with MXCSR = 0x9FC0 (nearest-even, operands and results flushed, the latter if tiny
//             after rounding) is the multiply-add of VDPBF16PS and TDPBF16PS to the bit, the NaN included: its order is
//             a, b, acc. The operands' places are fixed: a compiler may commute them, which would change the NaN.
//   CUDA      the same instruction, or VMULPS and VADDPS, under 0x1F80, or 0x9FC0 for -ftz=true; a NaN becomes
//             0x7FFFFFFF at the end, which is enough because no operation turns a NaN into a number.
//   baseline  a CPU without FMA. bfloat16 products that neither over- nor underflow are exact in float32: MULPS and
//             ADDPS. Otherwise product and sum are formed in float64, the product exactly, the sum to odd, and
//             rounded once to float32, which equals one rounding as 53 >= 24 + 2. An infinite or NaN operand of an x86
//             unit goes back to the definition: a generated NaN must give way to an operand's there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "reference/core/dispatch.hpp"
#include "reference/exact/code_view.hpp"

namespace assay {

// How the terms of K are chained: in what order they are packed.
enum class ChainShape : std::uint8_t {
  sequential,  // 0, 1, 2, ...
  pairs,       // 1, 0, 3, 2, ...: VDPBF16PS
  tiles,       // for each 32 elements, the odd ones and the even ones apart: TDPBF16PS
};

struct FmaGemm {
  ChainShape shape = ChainShape::sequential;
  bool fused = true;
  bool flush = false;
  bool canonical_nan = false;  // 0x7FFFFFFF
};

struct FmaKernel;
// fma_gemm.def.
const KernelTable<FmaKernel>& fma_kernels();

// D = A B + C for A and B of bfloat16 or float32 codes, C and D of float32 codes. False if the operands need the
// definition: only with the baseline's kernel, an infinity or a NaN in A or B, and NaNs that are not canonical.
// `any_range`: the baseline uses float64 even if float32 would be enough.
bool fma_gemm(const FmaGemm& how, const FmaKernel& kernel, const CodeMatrix& a, const CodeMatrix& b,
              const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d, bool any_range = false);

// --- for kernels/fma_gemm_<isa>.cpp

// rows x columns outputs from packed panels. A's panel of tile_rows rows: element (k, r) at k * tile_rows + r; B's
// panel of tile_columns columns likewise. Outputs are read and written in place.
struct FmaPanels {
  const float* a = nullptr;  // the panels of A, one after another
  const float* b = nullptr;
  unsigned char* d = nullptr;
  std::ptrdiff_t d_row_bytes = 0;
  std::size_t rows = 0, columns = 0;     // of outputs; panels are padded, outputs are not
  std::size_t depth = 0;                 // elements of K
  std::size_t a_panel = 0, b_panel = 0;  // elements from one panel to the next
  bool tiles = false;  // ChainShape::tiles: in each 32 of depth, 16 odd elements, then 16 even ones;
                       // a shorter last block has as many of each
  bool fresh = false;  // sums start at +0, and D's old contents are ignored
  bool fused = true;
  bool flush = false;
};

using FmaPanelsFn = void(const FmaPanels&) noexcept;

// Rows and columns of a tile of each kernel.
struct FmaTile {
  std::size_t rows, columns;
};

struct FmaKernel : KernelInfo {
  FmaPanelsFn *run, *any_range;
  FmaTile tile;

  bool is_fused() const { return run == any_range; }
};

namespace kernels {
FmaPanelsFn fma_gemm_scalar_any_range;
#define FMA_GEMM(isa, any_range, rows, columns, description) FmaPanelsFn fma_gemm_##isa;
#include "emulation/units/fma_gemm.def"
#undef FMA_GEMM
}  // namespace kernels
#define FMA_GEMM(isa, any_range, rows, columns, description) \
  inline constexpr FmaTile fma_tile_##isa{rows, columns};
#include "emulation/units/fma_gemm.def"
#undef FMA_GEMM

}  // namespace assay
