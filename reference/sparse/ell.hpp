// ELLPACK: every row has room for the same number of entries, so no offsets are stored.
//
// Source: Rice and Boisvert, "Solving Elliptic Problems Using ELLPACK" (1985); padding marked by column -1 as in
// cuSPARSE's Blocked-ELL.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/sparse/csr.hpp"

namespace assay::sparse {

// Row-major: entry e of row i lies at i * width + e. Columns ascend; a row with fewer than `width` entries ends in
// padding: column -1, value +0. Padding is not an entry: it must not be multiplied (0 * Inf would make a NaN out of
// nothing).
struct Ell {
  static constexpr std::int32_t padding = -1;

  std::int32_t rows = 0, cols = 0, width = 0;
  std::vector<std::int32_t> column_indices;  // rows * width
  std::vector<float> values;                 // rows * width

  friend bool operator==(const Ell&, const Ell&) = default;
};

// ContractError unless the sizes are as above, columns ascend strictly in 0 .. cols - 1, and nothing follows padding.
void check(const Ell& a);

// The number of entries of the longest row: the least `width` that holds `a`.
std::int32_t longest_row(const Csr& a);

// Entries keep their order and their bits. `a` must pass check(); ContractError if a row does not fit `width`.
Ell ell_from_csr(const Csr& a, std::int32_t width);
inline Ell ell_from_csr(const Csr& a) { return ell_from_csr(a, longest_row(a)); }
Csr csr_from_ell(const Ell& a);

}  // namespace assay::sparse
