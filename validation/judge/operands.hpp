// Arrays of files as the operands of an operation, which keeps them.
#pragma once

#include <memory>
#include <optional>

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

// An operation that owns its operands. InputError, with the array's origin, for shapes that do not go together.
std::unique_ptr<const Operation> make_operation(const operations::OperationKind& kind, Operands operands,
                                                const OutputSpec& output);

}  // namespace assay::judge
