// D = A B + C under a fused sum, by the paths that decode every operand once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "emulation/units/nvidia/fused_sum.hpp"
#include "emulation/units/nvidia/fused_sum_kernels.hpp"

namespace assay {

// The parameters of a FusedSumSpec without a fault.
struct FusedSumShape {
  std::size_t terms = 8;
  int fraction = 24;
  std::optional<int> floor{};
  FusedResult result = FusedResult::f32;
  bool by_f16_steps = false;
};

// One element by the definition, from +0 if there is no C: for rows and columns that hold NaN or infinities.
using FusedSumDot = std::function<std::uint64_t(const CodeVector& a, const CodeVector& b, std::uint64_t c)>;

// `path` is any but the definition. Shapes and formats are checked; d has elements.
void fused_sum_gemm(const FusedSumShape& shape, const UnitPath& path, const CodeMatrix& a,
                    const CodeMatrix& b, const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d,
                    const FusedSumDot& definition);

struct FusedSumKernel : KernelInfo {
  std::size_t columns;  // of a panel
  kernels::FusedSumFn* run;
};
// fused_sum.def.
const KernelTable<FusedSumKernel>& fused_sum_kernels();

// The vector paths, of D with elements and K > 0.
void fused_sum_panels(const FusedSumShape& shape, const UnitPath& path, const CodeMatrix& a,
                      const CodeMatrix& b, const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d,
                      const FusedSumDot& definition);

}  // namespace assay
