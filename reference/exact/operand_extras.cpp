#include "reference/exact/operand_extras.hpp"

#include "reference/core/error.hpp"

namespace assay {

BlockScales MatrixScales::line(std::size_t i, Lines wanted) const {
  if (!given()) return {};
  if (along != wanted) {
    throw ContractError(along == Lines::rows ? "a column of a matrix whose blocks lie along its rows"
                                             : "a row of a matrix whose blocks lie along its columns");
  }
  return {.data = data + static_cast<std::ptrdiff_t>(i) * line_stride,
          .count = blocks,
          .stride = block_stride,
          .use = use,
          .tensor = tensor};
}

}  // namespace assay
