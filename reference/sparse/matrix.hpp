// A sparse matrix is a structure, which gives the positions of its entries, and values of any type. A structure without
// values is a mask, and several matrices may share one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "reference/exact/code_view.hpp"

namespace assay::sparse {

// The structures are those of csr.hpp and ell.hpp. T: float, double, an integer, Stored<format>.
template <class Structure, class T>
struct Matrix {
  Structure structure{};
  std::vector<T> values{};  // structure.value_count() of them, in the order of its indices

  std::int64_t rows() const { return structure.rows; }
  std::int64_t cols() const { return structure.cols; }
  std::int64_t nnz() const { return structure.nnz(); }
  std::span<const std::int32_t> row_columns(std::int64_t i) const { return structure.row_columns(i); }
  std::span<const T> row_values(std::int64_t i) const {
    return std::span(values).subspan(static_cast<std::size_t>(structure.row_begin(i)),
                                     static_cast<std::size_t>(structure.row_length(i)));
  }

  // Compares values as their type does: of floats -0 equals 0 and NaN equals nothing, of Stored<> the codes.
  friend bool operator==(const Matrix&, const Matrix&) = default;
};

// A view of a structure and of its values, in a format known at run time only: what operations take.
template <class View>
struct CodesOf {
  View structure{};
  CodeVector values{};
};

template <class Structure, class T>
auto code_view(const Matrix<Structure, T>& a) {
  return CodesOf<decltype(a.structure.view())>{a.structure.view(),
                                               code_vector(a.values.data(), a.values.size())};
}

// ContractError unless the structure passes its own check() and has a value for each of its places.
template <class Structure, class T>
void check(const Matrix<Structure, T>& a) {
  check(a.structure.view());
  check_value_count(a.structure.view(), a.values.size());
}

}  // namespace assay::sparse
