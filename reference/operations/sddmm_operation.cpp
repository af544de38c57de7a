// D = alpha (op(A) op(B) at the entries of a sparse mask) + beta C: one output an entry, in the mask's stored order by
// rows. The mask's values do not count.
#include <algorithm>
#include <utility>

#include "reference/operations/dot_products.hpp"

namespace assay::operations {
namespace {

class Sddmm : public DotProducts {
 public:
  Sddmm(OperationInput in, const OutputSpec& output)
      : DotProducts(output),
        mask_(std::move(in.sparse).value()),
        a_(std::move(in.a), in.transpose_a),
        b_(MatrixStack(std::move(in.b), in.transpose_b).with_dense_columns(columns_of_b_)),
        c_(std::move(in.c)) {
    const std::size_t m = mask_.rows, n = mask_.cols;
    for (const MatrixStack* s : {&a_, &b_}) {
      if (s->array().shape.size() != 2) mismatch(s->array(), "one matrix");
    }
    if (a_.rows() != m) mismatch(a_.array(), std::to_string(m) + " rows, as the mask " + mask_.name + " has");
    if (b_.cols() != n)
      mismatch(b_.array(), std::to_string(n) + " columns, as the mask " + mask_.name + " has");
    if (b_.rows() != a_.cols())
      mismatch(b_.array(), std::to_string(a_.cols()) + " rows, as many as op(A) has columns");
    if (c_ && c_->size() != mask_.nnz)
      mismatch(*c_, std::to_string(mask_.nnz) + " values, one an entry of the mask");
    shape_ = {mask_.nnz};
    parameters_ = "m=" + std::to_string(m) + " n=" + std::to_string(n) + " k=" + std::to_string(a_.cols()) +
                  " nnz=" + std::to_string(mask_.nnz) + " " + formats_text(a_.format(), b_.format());
  }

  std::optional<std::pair<std::size_t, std::size_t>> entry(std::size_t i) const override {
    const SparseRows mask = mask_.by_rows();
    return std::pair(row_of(mask, i), static_cast<std::size_t>(mask.structure.column_indices[i]));
  }

 private:
  // The last row that begins no later than entry i: of empty rows before it the offsets are the same.
  static std::size_t row_of(const SparseRows& mask, std::size_t i) {
    const auto next = std::upper_bound(mask.structure.row_offsets.begin(), mask.structure.row_offsets.end(),
                                       static_cast<std::int64_t>(i));
    return static_cast<std::size_t>(next - mask.structure.row_offsets.begin()) - 1;
  }

  Terms terms_of(std::size_t i, Scratch&) const override {
    const SparseRows mask = mask_.by_rows();
    return {.a = a_.matrix(0).row(row_of(mask, i)),
            .b = b_.matrix(0).column(static_cast<std::size_t>(mask.structure.column_indices[i])),
            .c = addend(c_, i)};
  }

  std::vector<std::byte> columns_of_b_;  // where B is turned; before b_, which points into it
  SparseView mask_;
  MatrixStack a_, b_;
  std::optional<ArrayView> c_;
};

}  // namespace

const OperationKind kind_of_sddmm{
    .name = "sddmm",
    .summary = "alpha A B at the entries of a sparse mask, + beta C",
    .reads = "b c mask alpha beta activation transpose-a transpose-b epilogue",
    .has_b = true,
    .c = COperand::scaled,
    .sparse_mask = true,
    .make = [](OperationInput in, const OutputSpec& output) -> std::unique_ptr<Operation> {
      return std::make_unique<Sddmm>(std::move(in), output);
    }};

}  // namespace assay::operations
