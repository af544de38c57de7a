// d[i] = a[i] . b[i] (+ c[i]): the dot product of row i of two matrices, for every row.
#pragma once

#include <cstddef>
#include <optional>

#include "reference/exact/arithmetic.hpp"

namespace assay {

// a and b m x k; c and d m, c in the accumulator's format. Row i is output `first` + i of the arithmetic. Rows are
// shared out over threads. ContractError for sizes that do not match, and as Arithmetic::dot().
void dot_rows(const Arithmetic& arithmetic, const CodeMatrix& a, const CodeMatrix& b,
              const std::optional<CodeVector>& c, const MutableCodeVector& d, std::size_t first = 0);

}  // namespace assay
