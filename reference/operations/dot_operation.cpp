// Dot products, one a row: A and B are n x K; one of them may be a vector for all rows, or both, for one result. C, one
// value a row, starts the sum.
#include <utility>

#include "reference/operations/dot_products.hpp"

namespace assay::operations {
namespace {

class Dot : public DotProducts {
 public:
  Dot(OperationInput in, const OutputSpec& output)
      : DotProducts(output), a_(std::move(in.a)), b_(std::move(in.b)), c_(std::move(in.c)) {
    for (const ArrayView* x : {&a_, &b_}) {
      if (x->shape.empty() || x->shape.size() > 2)
        mismatch(*x, "n x K values, one dot product a row, or a vector");
    }
    k_ = a_.shape.back();
    const bool rows_a = a_.shape.size() == 2, rows_b = b_.shape.size() == 2;
    const std::size_t n = rows_a ? a_.shape[0] : rows_b ? b_.shape[0] : 1;
    if (b_.shape.back() != k_ || (rows_a && rows_b && b_.shape[0] != n)) {
      mismatch(b_, (rows_a ? "shape " + shape_text(a_.shape) : "rows of " + std::to_string(k_) + " values") +
                       ", or a vector of " + std::to_string(k_) + " for all rows of " + a_.name);
    }
    if (rows_a || rows_b) shape_ = {n};
    step_a_ = rows_a ? k_ : 0;
    step_b_ = rows_b ? k_ : 0;
    if (c_ && c_->size() != n) mismatch(*c_, std::to_string(n) + " values, one a dot product");
    parameters_ =
        "n=" + std::to_string(n) + " k=" + std::to_string(k_) + " " + formats_text(a_.format, b_.format);
  }

 private:
  Terms terms_of(std::size_t i, Scratch&) const override {
    Terms t{
        .a = a_.codes().part(i * step_a_, k_), .b = b_.codes().part(i * step_b_, k_), .start = addend(c_, i)};
    if (a_.scales) t.a.scales = a_.scales(0).line(step_a_ != 0 ? i : 0, Lines::rows);
    if (b_.scales) t.b.scales = b_.scales(0).line(step_b_ != 0 ? i : 0, Lines::rows);
    return t;
  }

  ArrayView a_, b_;
  std::optional<ArrayView> c_;
  std::size_t k_ = 0, step_a_ = 0, step_b_ = 0;  // a vector serves every row
};

}  // namespace

const OperationKind kind_of_dot{
    .name = "dot",
    .summary = "dot products of the rows of A and B; C starts the sums",
    .reads = "b c a-scales b-scales a-tensor-scale b-tensor-scale",
    .has_b = true,
    .c = COperand::starts,
    .make = [](OperationInput in, const OutputSpec& output) -> std::unique_ptr<Operation> {
      return std::make_unique<Dot>(std::move(in), output);
    }};

}  // namespace assay::operations
