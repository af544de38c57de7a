// Arrays of files as the operands of an operation, which owns them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "reference/operations/operation.hpp"
#include "validation/io/array.hpp"
#include "validation/io/scales.hpp"

namespace assay::judge {

using operations::Operation;
using operations::OutputSpec;

// What operations::OperationInput has views of.
struct Operands {
  std::optional<io::SparseArray>
      sparse{};  // A of spmm, whose stored order and explicit zeros are kept; mask of sddmm
  io::Array a{}, b{};
  bool transpose_a = false, transpose_b = false;
  std::optional<io::Array> c{}, bias{};
  BiasAlong bias_along = BiasAlong::columns;
  bool c_first = false;
  Reduction reduction = Reduction::sum;
  std::optional<int> axis{};
  NanElements nan = NanElements::propagate;
  ConvProblem conv{};
  std::optional<io::Scales> a_scales{}, b_scales{};  // of blocks; those of a vector lie along it
};

// The view of an array, by its origin. ContractError for integers.
operations::ArrayView view_of(const io::Array& array);

// The values of `sparse` in the order of the rows of `mask`, with `origin`. InputError, with it and the first place
// where they differ, unless both have the same entries in the same order.
io::Array values_at(const io::SparseArray& mask, const io::SparseArray& sparse, const std::string& origin);

// An operation that owns its operands. InputError, with the array's origin, for shapes that do not go together.
std::unique_ptr<const Operation> make_operation(const operations::OperationKind& kind, Operands operands,
                                                const OutputSpec& output);

}  // namespace assay::judge
