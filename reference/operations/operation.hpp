// The interface between operations and a judge: the shape of the result, and for each output its terms, its exact value
// with the set of right results, and the bits of a named arithmetic.
//
// An operation is one file and one line of operations.def: an OperationKind that says what it reads and makes an
// Operation of views. Views must outlive it, or it is given what they lie in to keep (keep()).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reference/exact/arithmetic.hpp"
#include "reference/operations/array_view.hpp"
#include "reference/operations/conv.hpp"
#include "reference/operations/epilogue.hpp"
#include "reference/operations/gemm.hpp"
#include "reference/operations/reduce.hpp"
#include "reference/operations/result_set.hpp"

namespace assay::operations {

// What is known of the output: its format, and what happens between the sum and it.
struct OutputSpec {
  FormatSpec format = formats::float32;
  Epilogue epilogue{};
};

// One output as a dot product with what joins it. Vectors may point into the scratch memory of the call.
struct Terms {
  CodeVector a{}, b{};
  std::optional<Addend> start{};  // begins the sum
  std::optional<Addend> c{}, bias{};
};
using Scratch = std::vector<std::byte>;

class Operation {
 public:
  virtual ~Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  const Shape& shape() const { return shape_; }
  std::size_t size() const { return size_of(shape_); }
  const std::string& parameters() const { return parameters_; }  // "m=64 n=33 k=1024 a=bfloat16 b=bfloat16"

  // Any number of threads may ask the following.

  // Row and column of output i where the outputs are entries of a sparse matrix.
  virtual std::optional<std::pair<std::size_t, std::size_t>> entry(std::size_t /*i*/) const {
    return std::nullopt;
  }
  // The terms of output i in their order, where it is a dot product; else nothing.
  virtual std::optional<Terms> terms(std::size_t /*i*/, Scratch& /*scratch*/) const { return std::nullopt; }

  // The exact value of output i and what is right for sums under `arithmetic`; `factor` >= 1 loosens the bound.
  virtual ElementTruth truth(const Arithmetic& arithmetic, std::size_t i, double factor) const = 0;

  // truth() of all outputs, read together: take(i, truth) for each, by several threads at once and in any order;
  // `progress` is told the share that is done and may be null. False, and nothing is taken, where there is no such
  // path.
  using Take = std::function<void(std::size_t i, const ElementTruth& truth)>;
  virtual bool truths(const Arithmetic& /*arithmetic*/, double /*factor*/, int /*threads*/,
                      const Take& /*take*/, const std::function<void(double)>& /*progress*/) const {
    return false;
  }

  // The bits of output i under `unit`.
  virtual std::uint64_t predicted(const Arithmetic& unit, std::size_t i) const = 0;

  // predicted() of all outputs at once, by the unit's own path for matrices; `progress` is told the share that is done.
  // False, and nothing is written, where there is no such path.
  virtual bool predict_all(const Arithmetic& /*unit*/, const MutableCodeVector& /*codes*/,
                           const std::function<void(double)>& /*progress*/) const {
    return false;
  }

  // `memory` lives as long as the operation.
  void keep(std::shared_ptr<const void> memory) { kept_.push_back(std::move(memory)); }

 protected:
  explicit Operation(const OutputSpec& output) : output_(output) {}

  OutputSpec output_;
  Shape shape_;
  std::string parameters_;

 private:
  std::vector<std::shared_ptr<const void>> kept_;
};

// Everything that any operation reads; each looks at what its kind names.
struct OperationInput {
  ArrayView a{}, b{};
  std::optional<ArrayView> c{}, bias{};
  std::optional<SparseView> sparse{};  // spmm: in the place of a; sddmm: the mask, whose values do not count
  bool transpose_a = false, transpose_b = false;
  BiasAlong bias_along = BiasAlong::columns;
  bool c_first = false;  // C starts the sum, as in matrix units; alpha = beta = 1
  Reduction reduction = Reduction::sum;
  std::optional<int> axis{};  // empty: all elements; negative: from the end
  NanElements nan = NanElements::propagate;
  ConvProblem conv{};  // strides, padding, dilation, groups, layout; sizes come from the arrays
};

// What becomes of C.
enum class COperand : std::uint8_t {
  none,
  scaled,  // beta C joins the sum
  starts,  // each sum starts with it
};

struct OperationKind {
  std::string_view name{};
  std::string_view summary{};  // one line for a list
  // The operands and settings that it reads beside a, by the names of the command's options, separated by blanks:
  // "b c alpha beta transpose-a". Others are errors.
  std::string_view reads{};
  bool has_b = false;
  COperand c = COperand::none;
  bool sparse_a = false, sparse_mask = false;
  bool sums = true;  // results depend on an arithmetic
  // InputErrors that name the array, for shapes that do not go together.
  std::unique_ptr<Operation> (*make)(OperationInput input, const OutputSpec& output) = nullptr;
};

#define OPERATION(name) extern const OperationKind kind_of_##name;
#include "reference/operations/operations.def"
#undef OPERATION

// All of them, in the order of operations.def.
std::span<const OperationKind* const> operation_kinds();
// Null if there is none of this name.
const OperationKind* find_operation(std::string_view name);

std::string_view reduction_name(Reduction r);

}  // namespace assay::operations
