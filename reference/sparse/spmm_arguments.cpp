#include "reference/sparse/spmm_arguments.hpp"

#include <string>

namespace assay::sparse {

using std::to_string;

void check_extras(const Extent& x, const MutableDenseView& y, const SpmmExtras& e) {
  if (overlap(x, extent_of_matrix(y))) throw ContractError("spmm: y shares memory with x");
  if (e.beta != 0) {
    check_matrix("spmm", "c", e.c, y.rows, y.cols);
    const bool same = e.c.data == y.data && e.c.stride == y.stride;
    if (!same && overlap(extent_of_matrix(e.c), extent_of_matrix(y)))
      throw ContractError("spmm: y shares memory with c, and is not the same matrix");
  }
  if (e.bias_along != SpmmBias::none) {
    const std::int64_t wanted = e.bias_along == SpmmBias::rows ? y.rows : y.cols;
    if (static_cast<std::int64_t>(e.bias.size()) != wanted)
      throw ContractError("spmm: bias has " + to_string(e.bias.size()) + " values, not " + to_string(wanted));
    if (overlap(extent_of(e.bias), extent_of_matrix(y)))
      throw ContractError("spmm: y shares memory with bias");
  }
  if (e.alpha != e.alpha || e.beta != e.beta) throw ContractError("spmm: alpha or beta is NaN");
  if (e.activation == SpmmActivation::clip && !(e.low <= e.high))
    throw ContractError("spmm: clip to [" + to_string(e.low) + ", " + to_string(e.high) + "]");
}

SpmmEpilogue epilogue_of(const SpmmExtras& e) {
  SpmmEpilogue out{
      .alpha = e.alpha, .beta = e.beta, .low = e.low, .high = e.high, .activation = e.activation};
  out.plain =
      e.alpha == 1 && e.beta == 0 && e.bias_along == SpmmBias::none && e.activation == SpmmActivation::none;
  return out;
}

void aim(const MutableDenseView& y, const SpmmExtras& e, std::int64_t row, std::int64_t column,
         SpmmTask& task) {
  task.y = y.data + row * y.stride + column;
  task.y_stride = y.stride;
  task.epilogue = epilogue_of(e);
  if (e.beta != 0) {
    task.epilogue.c = e.c.data + row * e.c.stride + column;
    task.epilogue.c_stride = e.c.stride;
  }
  if (e.bias_along == SpmmBias::rows) task.epilogue.row_bias = e.bias.data() + row;
  if (e.bias_along == SpmmBias::columns) task.epilogue.column_bias = e.bias.data() + column;
}

}  // namespace assay::sparse
