// What products of spmm.hpp's kind check before they run, and how they tell kernels where results go.
#pragma once

#include <cstdint>

#include "reference/sparse/arguments.hpp"
#include "reference/sparse/spmm.hpp"

namespace assay::sparse {

// ContractError, which names the argument. `x` is where X lies.
void check_extras(const Extent& x, const MutableDenseView& y, const SpmmExtras& extras);

// Sets y and the epilogue of a task whose first result is that of row `row` and column `column`.
void aim(const MutableDenseView& y, const SpmmExtras& extras, std::int64_t row, std::int64_t column,
         SpmmTask& task);

// All of the epilogue but C and the biases.
SpmmEpilogue epilogue_of(const SpmmExtras& extras);

}  // namespace assay::sparse
