// Compressed sparse row: the format that every other one converts from and to.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace assay::sparse {

// Arrays as in cuSPARSE and Sputnik. Row i holds the entries row_offsets[i] .. row_offsets[i + 1] - 1 of the other two,
// columns ascending. Entries that are stored and zero are entries: they multiply.
struct Csr {
  std::int32_t rows = 0, cols = 0;
  std::vector<std::int32_t> row_offsets{0};  // rows + 1
  std::vector<std::int32_t> column_indices;  // nnz
  std::vector<float> values;                 // nnz

  std::int64_t nnz() const { return static_cast<std::int64_t>(column_indices.size()); }
  std::span<const std::int32_t> row_columns(std::int32_t i) const;
  std::span<const float> row_values(std::int32_t i) const;

  // Compares values as numbers: -0 equals 0, NaN equals nothing.
  friend bool operator==(const Csr&, const Csr&) = default;
};

// ContractError, with the row and the values, unless the arrays have the sizes above, offsets start at 0 and do not
// fall, and columns lie in 0 .. cols - 1, strictly ascending within a row.
void check(const Csr& a);

// Entries of a row of the result stand in ascending order of the rows of `a`, values unchanged. `a` must pass check().
Csr transpose(const Csr& a);

}  // namespace assay::sparse
