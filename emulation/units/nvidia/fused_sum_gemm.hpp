// D = A B + C under a fused sum, by the paths that decode every operand once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

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

// Writes these elements of D by the definition: for rows and columns that hold NaN or infinities.
struct OutputRange {
  std::size_t first = 0, count = 1;
};
using FusedSumDefinition = std::function<void(OutputRange rows, OutputRange columns)>;

// Whole rows by the definition, those for which special[row] is not zero. Neighbours go together, so that the
// definition reads the columns once for all of them.
void define_rows(const std::vector<std::uint8_t>& special, const MutableCodeMatrix& d,
                 const FusedSumDefinition& definition);

// `path` is any but the definition. Shapes and formats are checked; d has elements.
void fused_sum_gemm(const FusedSumShape& shape, const UnitPath& path, const CodeMatrix& a,
                    const CodeMatrix& b, const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d,
                    const FusedSumDefinition& definition);

struct FusedSumKernel : KernelInfo {
  std::size_t columns;  // of a panel
  kernels::FusedSumFn* run;
};
// fused_sum.def.
const KernelTable<FusedSumKernel>& fused_sum_kernels();

// The vector paths, of D with elements and K > 0.
void fused_sum_panels(const FusedSumShape& shape, const UnitPath& path, const CodeMatrix& a,
                      const CodeMatrix& b, const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d,
                      const FusedSumDefinition& definition);

}  // namespace assay
