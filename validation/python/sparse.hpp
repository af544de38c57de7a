// Sparse matrices of Python: the module's own and those of scipy.sparse.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>

#include "validation/io/array.hpp"

namespace assay::python {

// A sparse array shared by its Python object and the views of its parts.
struct Sparse {
  std::shared_ptr<io::SparseArray> array{};
};

// A Sparse, or a matrix or array of scipy.sparse.
bool is_sparse(const pybind11::handle& x);
// A copy of one. InputError for a layout other than csr, csc, bsr and coo, and for indices outside the matrix.
io::SparseArray sparse_of(const pybind11::handle& x);

}  // namespace assay::python
