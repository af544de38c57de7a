// D = activation(alpha op(A) op(B) + beta C + bias) with A sparse: the entries of a row are the terms, in their stored
// order; explicit zeros and repeated entries multiply, absent ones do not.
#include <utility>

#include "reference/operations/dot_products.hpp"

namespace assay::operations {
namespace {

class Spmm : public DotProducts {
 public:
  Spmm(OperationInput in, const OutputSpec& output)
      : DotProducts(output),
        a_(std::move(in.sparse).value()),
        b_(std::move(in.b), in.transpose_b, VectorIs::column),
        c_(std::move(in.c)),
        bias_(std::move(in.bias)),
        bias_along_(in.bias_along) {
    const std::size_t m = a_.rows, k = a_.cols;
    n_ = b_.cols();
    if (!b_.batches().shape().empty()) mismatch(b_.array(), "one matrix B");
    if (b_.rows() != k)
      mismatch(b_.array(), std::to_string(k) + " rows, as many as op(A) of " + a_.name + " has columns");
    shape_ = b_.is_vector() ? Shape{m} : Shape{m, n_};
    if (c_ && c_->shape != shape_) mismatch(*c_, "C of shape " + shape_text(shape_));
    const std::size_t wanted = bias_along_ == BiasAlong::columns ? n_ : m;
    if (bias_ && bias_->size() != wanted) mismatch(*bias_, std::to_string(wanted) + " values");
    parameters_ = "m=" + std::to_string(m) + " n=" + std::to_string(n_) + " k=" + std::to_string(k) +
                  " nnz=" + std::to_string(a_.nnz) + " " + formats_text(a_.format, b_.format());
  }

 private:
  Terms terms_of(std::size_t i, Scratch& scratch) const override {
    const std::size_t row = i / n_, col = i % n_;
    const SparseRows a = a_.by_rows();
    const auto begin = static_cast<std::size_t>(a.structure.row_offsets[row]),
               end = static_cast<std::size_t>(a.structure.row_offsets[row + 1]);
    const std::size_t bytes = code_bytes(b_.format());
    const CodeMatrix b = b_.matrix(0);
    scratch.resize((end - begin) * bytes);
    for (std::size_t e = begin; e < end; ++e) {
      detail::store_code(scratch.data(), static_cast<std::ptrdiff_t>(e - begin), bytes,
                         b.code(static_cast<std::size_t>(a.structure.column_indices[e]), col));
    }
    return {.a = a.values.part(begin, end - begin),
            .b = {scratch.data(), end - begin, 1, b_.format()},
            .c = addend(c_, i),
            .bias = addend(bias_, bias_along_ == BiasAlong::columns ? col : row)};
  }

  SparseView a_;
  MatrixStack b_;
  std::optional<ArrayView> c_, bias_;
  BiasAlong bias_along_;
  std::size_t n_ = 0;
};

}  // namespace

const OperationKind kind_of_spmm{
    .name = "spmm",
    .summary = "the same with A sparse: a row's entries are its terms, in stored order",
    .reads = "b c bias bias-along alpha beta activation transpose-a transpose-b epilogue",
    .has_b = true,
    .c = COperand::scaled,
    .sparse_a = true,
    .make = [](OperationInput in, const OutputSpec& output) -> std::unique_ptr<Operation> {
      return std::make_unique<Spmm>(std::move(in), output);
    }};

}  // namespace assay::operations
