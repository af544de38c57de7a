// The operations that `assay check` knows: their shapes, and for each output the exact value, its bound, and
// the bits that a named arithmetic answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/exact/arithmetic.hpp"
#include "reference/operations/conv.hpp"
#include "reference/operations/gemm.hpp"
#include "reference/operations/reduce.hpp"
#include "reference/operations/result_set.hpp"
#include "validation/compare/comparator.hpp"
#include "validation/io/array.hpp"
#include "validation/io/scales.hpp"

namespace assay::cli {

// What is known of the output: its format, and what happens between the sum and it.
struct OutputSpec {
  FormatSpec format = formats::float32;
  Epilogue epilogue{};
};

class Operation {
 public:
  virtual ~Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  const compare::Shape& shape() const { return shape_; }
  std::size_t size() const;
  const std::string& parameters() const { return parameters_; }  // "m=64 n=33 k=1024 a=bfloat16 b=bfloat16"

  // Row and column of output i where the outputs are entries of a sparse matrix.
  virtual std::optional<std::pair<std::size_t, std::size_t>> entry(std::size_t) const { return std::nullopt; }

  // Any number of threads may ask.
  // `factor` loosens the bound.
  virtual ElementTruth truth(const Arithmetic& arithmetic, std::size_t i, double factor) const = 0;
  virtual std::uint64_t predicted(const Arithmetic& unit, std::size_t i) const = 0;
  // predicted() of all outputs at once, by the unit's own path for matrices; `progress` is told the share that is done.
  // False, and nothing is written, where there is no such path.
  virtual bool predict_all(const Arithmetic& /*unit*/, const MutableCodeVector& /*codes*/,
                           const std::function<void(double)>& /*progress*/) const {
    return false;
  }

 protected:
  explicit Operation(const OutputSpec& output) : output_(output) {}

  OutputSpec output_;
  compare::Shape shape_;
  std::string parameters_;
};

// Operands own what they hold. Shapes that do not go together are InputErrors that name the files.
struct GemmOperands {
  // Matrices, stacks of them, or vectors (A a row, B a column), with NumPy's rules: leading dimensions broadcast, and
  // the result has no dimension for a vector.
  io::Array a, b;
  bool transpose_a = false, transpose_b = false;
  std::optional<io::Array> c, bias;
  BiasAlong bias_along = BiasAlong::columns;
  bool c_first = false;                              // C starts the sum, as in matrix units; alpha = beta = 1
  std::optional<io::Scales> a_scales{}, b_scales{};  // of blocks; one of a vector lies along it
};
std::unique_ptr<const Operation> make_gemm(GemmOperands operands, const OutputSpec& output);

struct SpmmOperands {
  io::SparseArray a;  // stored order and explicit zeros are kept
  io::Array b;
  bool transpose_a = false, transpose_b = false;
  std::optional<io::Array> c, bias;
  BiasAlong bias_along = BiasAlong::columns;
};
std::unique_ptr<const Operation> make_spmm(SpmmOperands operands, const OutputSpec& output);

// D has the entries of `mask`, in its stored order: D = alpha (A B at that place) + beta C. The values of
// `mask` do not count.
struct SddmmOperands {
  io::SparseArray mask;
  io::Array a, b;
  bool transpose_a = false, transpose_b = false;
  std::optional<io::Array> c;  // one value an entry
};
std::unique_ptr<const Operation> make_sddmm(SddmmOperands operands, const OutputSpec& output);

// A and B n x K, one dot product a row; one of them may be a vector for all rows, or both, for one result. C, one value
// a row, starts the sum.
struct DotOperands {
  io::Array a, b;
  std::optional<io::Array> c;
  std::optional<io::Scales> a_scales{}, b_scales{};  // of blocks, along the rows
};
std::unique_ptr<const Operation> make_dot(DotOperands operands, const OutputSpec& output);

// `axis` is empty for all elements, negative from the end.
struct ReduceOperands {
  io::Array a;
  Reduction operation = Reduction::sum;
  std::optional<int> axis;
  NanElements nan = NanElements::propagate;
};
std::unique_ptr<const Operation> make_reduce(ReduceOperands operands, const OutputSpec& output);

struct ConvOperands {
  io::Array a, b;  // input and weights, in the order of problem.layout
  std::optional<io::Array> bias;
  ConvProblem problem;  // strides, padding, dilation, groups, layout; sizes come from the arrays
};
std::unique_ptr<const Operation> make_conv(ConvOperands operands, const OutputSpec& output);

// Each value rounded once into the output's format.
std::unique_ptr<const Operation> make_convert(io::Array a, const OutputSpec& output);

}  // namespace assay::cli
