#include "validation/judge/operands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "reference/core/error.hpp"

namespace assay::judge {
namespace {

io::SparseArray transposed_csr(io::SparseArray csr) {
  io::SparseArray turned;
  turned.layout = io::SparseArray::Layout::csc;
  turned.rows = csr.cols;
  turned.cols = csr.rows;
  turned.offsets = std::move(csr.offsets);
  turned.row_indices = std::move(csr.column_indices);
  turned.values = std::move(csr.values);
  turned.origin = std::move(csr.origin);
  return io::to_csr(turned);
}

// A sparse array that becomes rows when it is asked for them.
class SparseByRows {
 public:
  SparseByRows(io::SparseArray stored, bool transposed)
      : transposed_(transposed), stored_(std::move(stored)) {}

  operations::SparseRows rows() const {
    std::call_once(once_, [&] {
      csr_ = stored_.layout == io::SparseArray::Layout::csr ? std::move(stored_) : io::to_csr(stored_);
      stored_ = {};
      if (transposed_) csr_ = transposed_csr(std::move(csr_));
      values_ = view_of(csr_.values).codes();
    });
    return {csr_.csr_view(), values_};
  }

 private:
  bool transposed_;
  mutable std::once_flag once_;
  mutable io::SparseArray stored_, csr_;
  mutable CodeVector values_;
};

operations::SparseView sparse_view(io::SparseArray stored, bool transposed) {
  operations::SparseView view;
  view.rows = static_cast<std::size_t>(transposed ? stored.cols : stored.rows);
  view.cols = static_cast<std::size_t>(transposed ? stored.rows : stored.cols);
  view.nnz = static_cast<std::size_t>(stored.nnz());
  view.format = stored.values.element.format();
  view.name = stored.origin;
  const auto rows = std::make_shared<const SparseByRows>(std::move(stored), transposed);
  view.by_rows = [rows] { return rows->rows(); };
  return view;
}

// `scales` must outlive the view.
operations::ArrayView with_scales(operations::ArrayView view, const std::optional<io::Scales>& scales) {
  if (scales) view.scales = [&all = *scales](std::size_t batch) { return all.view(batch); };
  return view;
}

std::optional<operations::ArrayView> optional_view(const std::optional<io::Array>& array) {
  return array ? std::optional(view_of(*array)) : std::nullopt;
}

// Both as CSR: the first place where they differ.
void check_entries(const std::string& origin, const io::SparseArray& csr, const io::SparseArray& mask,
                   const std::string& mask_origin) {
  const std::string expected = "the entries of " + mask_origin + ", in its order: ";
  const auto shape = [](const io::SparseArray& x) { return fmt::format("{} x {}", x.rows, x.cols); };
  if (csr.rows != mask.rows || csr.cols != mask.cols)
    throw InputError(origin, "", expected + shape(mask), shape(csr));
  for (std::size_t row = 0; row < static_cast<std::size_t>(mask.rows); ++row) {
    const auto begin = mask.offsets[row], end = mask.offsets[row + 1];
    const auto found_end = csr.offsets[row + 1];
    const auto common = std::min(end, found_end);
    for (auto e = begin; e < common; ++e) {
      const auto wanted = mask.column_indices[static_cast<std::size_t>(e)],
                 found = csr.column_indices[static_cast<std::size_t>(e)];
      if (found == wanted) continue;
      throw InputError(origin, fmt::format("row {}, entry {} of it", row, e - begin),
                       fmt::format("{}column {}", expected, wanted), fmt::format("column {}", found));
    }
    if (end != found_end) {
      throw InputError(origin, fmt::format("row {}", row),
                       fmt::format("{}{} in the row", expected, end - begin),
                       fmt::format("{}", found_end - begin));
    }
  }
}

}  // namespace

io::Array values_at(const io::SparseArray& mask, const io::SparseArray& sparse, const std::string& origin) {
  io::SparseArray csr = io::to_csr(sparse);
  check_entries(origin, csr, io::to_csr(mask), mask.origin);
  io::Array values = std::move(csr.values);
  values.origin = origin;
  return values;
}

operations::ArrayView view_of(const io::Array& array) {
  return {.data = array.bytes.data(),
          .format = array.element.format(),
          .shape = operations::Shape(array.shape.begin(), array.shape.end()),
          .name = array.origin};
}

std::unique_ptr<const Operation> make_operation(const operations::OperationKind& kind, Operands operands,
                                                const OutputSpec& output) {
  const auto held = std::make_shared<Operands>(std::move(operands));
  operations::OperationInput in;
  if (held->sparse) {
    in.sparse = sparse_view(std::move(*held->sparse), kind.sparse_a && held->transpose_a);
    held->sparse.reset();
  }
  if (!kind.sparse_a) in.a = with_scales(view_of(held->a), held->a_scales);
  if (kind.has_b) in.b = with_scales(view_of(held->b), held->b_scales);
  in.c = optional_view(held->c);
  in.bias = optional_view(held->bias);
  in.transpose_a = held->transpose_a;
  in.transpose_b = held->transpose_b;
  in.bias_along = held->bias_along;
  in.c_first = held->c_first;
  in.reduction = held->reduction;
  in.axis = held->axis;
  in.nan = held->nan;
  in.conv = held->conv;
  std::unique_ptr<Operation> operation = kind.make(std::move(in), output);
  operation->keep(held);
  return operation;
}

}  // namespace assay::judge
