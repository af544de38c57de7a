#include "reference/operations/array_view.hpp"

#include <algorithm>
#include <utility>

#include "reference/core/error.hpp"

namespace assay::operations {

std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ",") + std::to_string(shape[i]);
  return text + "]";
}

std::size_t size_of(const Shape& shape) {
  std::size_t n = 1;
  for (const std::size_t d : shape) n *= d;
  return n;
}

void mismatch(const ArrayView& array, std::string expected) {
  throw InputError(array.name, "", std::move(expected), "shape " + shape_text(array.shape));
}

std::optional<Batches> Batches::joined(const Batches& other) const {
  const std::size_t n = std::max(shape_.size(), other.shape_.size());
  Shape all(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t x = at(i, n), y = other.at(i, n);
    if (x != y && x != 1 && y != 1) return std::nullopt;
    all[i] = x == 1 ? y : x;
  }
  return Batches(std::move(all));
}

std::size_t Batches::place(std::size_t index, const Batches& all) const {
  std::size_t place = 0, step = 1;
  for (std::size_t i = all.shape_.size(); i-- > 0;) {
    const std::size_t size = all.shape_[i], own = at(i, all.shape_.size());
    if (own != 1) place += index % size * step;
    index /= size;
    step *= own;
  }
  return place;
}

std::size_t Batches::at(std::size_t i, std::size_t n) const {
  const std::size_t missing = n - shape_.size();
  return i < missing ? 1 : shape_[i - missing];
}

MatrixStack::MatrixStack(ArrayView array, bool transposed, VectorIs vector)
    : array_(std::move(array)), transposed_(transposed), is_vector_(array_.shape.size() == 1) {
  const Shape& shape = array_.shape;
  if (shape.empty()) mismatch(array_, "a matrix, a stack of matrices or a vector");
  if (is_vector_) {
    transposed_ = false;
    stored_rows_ = vector == VectorIs::row ? 1 : shape[0];
    stored_cols_ = vector == VectorIs::row ? shape[0] : 1;
    return;
  }
  stored_rows_ = shape[shape.size() - 2];
  stored_cols_ = shape[shape.size() - 1];
  batches_ = Batches(Shape(shape.begin(), shape.end() - 2));
}

CodeMatrix MatrixStack::matrix(std::size_t batch) const {
  CodeMatrix m{
      detail::advance_codes(array_.data, static_cast<std::ptrdiff_t>(batch * stored_rows_ * stored_cols_),
                            code_bytes(format())),
      stored_rows_,
      stored_cols_,
      static_cast<std::ptrdiff_t>(stored_cols_),
      1,
      format()};
  if (array_.scales) m.scales = turned_ ? array_.scales(batch).transposed() : array_.scales(batch);
  return transposed_ ? m.transposed() : m;
}

MatrixStack MatrixStack::with_dense_columns(std::vector<std::byte>& storage) const {
  if (transposed_ || is_vector_) return *this;
  const std::size_t bytes = code_bytes(format()), matrix_size = stored_rows_ * stored_cols_;
  storage.resize(array_.size() * bytes);
  MatrixStack turned = *this;
  turned.array_.data = storage.data();
  turned.transposed_ = true;
  turned.turned_ = true;
  std::swap(turned.stored_rows_, turned.stored_cols_);
  for (std::size_t b = 0; b < batches_.count(); ++b) {
    const CodeMatrix from = matrix(b);
    for (std::size_t i = 0; i < from.rows; ++i) {
      for (std::size_t j = 0; j < from.cols; ++j) {
        detail::store_code(storage.data(), static_cast<std::ptrdiff_t>(b * matrix_size + j * from.rows + i),
                           bytes, from.code(i, j));
      }
    }
  }
  return turned;
}

}  // namespace assay::operations
