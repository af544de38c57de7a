// Arrays as operations read them: views of codes with a shape and a name for messages, and batches of matrices by
// NumPy's broadcasting rules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "reference/exact/code_view.hpp"
#include "reference/sparse/csr.hpp"

namespace assay::operations {

using Shape = std::vector<std::size_t>;

// "[64,1024]"; "[]" for no dimensions.
std::string shape_text(const Shape& shape);
// The number of elements; 1 for no dimensions.
std::size_t size_of(const Shape& shape);

// Codes in row-major order, contiguous. Owns nothing. An array without dimensions has one element.
struct ArrayView {
  const void* data = nullptr;
  FormatSpec format = formats::float32;
  Shape shape{};
  std::string name{};  // what messages call it: a file, or "A"
  // The scales of the blocks of matrix `batch` as it is stored (a vector or rows are matrix 0); null: there are none.
  std::function<MatrixScales(std::size_t batch)> scales{};

  std::size_t size() const { return size_of(shape); }
  CodeVector codes() const { return {data, size(), 1, format}; }
  std::uint64_t code(std::size_t i) const { return codes().code(i); }
};

// InputError of the array's name: what was expected, and the shape that was found.
[[noreturn]] void mismatch(const ArrayView& array, std::string expected);

// A sparse matrix by rows: the entries of a row in their stored order, which is the order of the terms. Repeated
// entries and explicit zeros are entries. Owns nothing.
struct SparseRows {
  sparse::CsrView structure{};
  CodeVector values{};  // of every entry
};

// A sparse matrix whose rows are made when the first value is asked for, and so after every shape was checked: a file
// of coordinates may claim 2^31 rows in a few bytes, and their offsets would be the first to need memory.
struct SparseView {
  std::size_t rows = 0, cols = 0, nnz = 0;
  FormatSpec format = formats::float32;
  std::string name{};
  std::function<SparseRows()> by_rows{};  // any number of threads may call it; always the same rows
};

// Leading dimensions of stacks as NumPy broadcasts them: aligned at the last one, a 1 or a missing one repeats.
class Batches {
 public:
  explicit Batches(Shape shape = {}) : shape_(std::move(shape)) {}

  const Shape& shape() const { return shape_; }
  std::size_t count() const { return size_of(shape_); }
  // Nothing if the two do not go together.
  std::optional<Batches> joined(const Batches& other) const;
  // Which of these matrices serves matrix `index` of `all`.
  std::size_t place(std::size_t index, const Batches& all) const;

 private:
  // Dimension i of n, counted as if ones stood before the first.
  std::size_t at(std::size_t i, std::size_t n) const;
  Shape shape_;
};

enum class VectorIs : std::uint8_t { row, column };

// A matrix, a stack of matrices of one shape, or a vector in the place of a matrix.
class MatrixStack {
 public:
  // `transposed` says nothing about a vector. InputError for an array without dimensions.
  MatrixStack(ArrayView array, bool transposed, VectorIs vector = VectorIs::row);

  const ArrayView& array() const { return array_; }
  bool is_vector() const { return is_vector_; }
  const Batches& batches() const { return batches_; }
  std::size_t rows() const { return transposed_ ? stored_cols_ : stored_rows_; }
  std::size_t cols() const { return transposed_ ? stored_rows_ : stored_cols_; }
  const FormatSpec& format() const { return array_.format; }

  CodeMatrix matrix(std::size_t batch) const;

  // The same values with the elements of a column side by side: in `storage`, which must outlive the stack, unless they
  // lie so already.
  MatrixStack with_dense_columns(std::vector<std::byte>& storage) const;

 private:
  ArrayView array_;
  bool transposed_, is_vector_;
  bool turned_ = false;  // stored otherwise than the scales are
  std::size_t stored_rows_ = 0, stored_cols_ = 0;
  Batches batches_;
};

}  // namespace assay::operations
