// Matrices, stacks of them and vectors as operands of a product, with NumPy's rules.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/exact/code_view.hpp"
#include "validation/io/array.hpp"
#include "validation/io/scales.hpp"

namespace assay::cli {

[[noreturn]] inline void mismatch(const io::Array& array, std::string expected) {
  throw InputError(array.origin, "", std::move(expected), "shape " + io::to_string(array.shape));
}

inline std::size_t dimension(const io::Array& array, std::size_t i) {
  return static_cast<std::size_t>(array.shape.at(i));
}

// Leading dimensions of stacks as NumPy broadcasts them: aligned at the last one, a 1 or a missing one repeats.
class Batches {
 public:
  explicit Batches(io::Shape shape = {}) : shape_(std::move(shape)) {}

  const io::Shape& shape() const { return shape_; }
  std::size_t count() const {
    std::size_t n = 1;
    for (const std::int64_t d : shape_) n *= static_cast<std::size_t>(d);
    return n;
  }
  // Nothing if the two do not go together.
  std::optional<Batches> joined(const Batches& other) const {
    const std::size_t n = std::max(shape_.size(), other.shape_.size());
    io::Shape all(n);
    for (std::size_t i = 0; i < n; ++i) {
      const std::int64_t x = at(i, n), y = other.at(i, n);
      if (x != y && x != 1 && y != 1) return std::nullopt;
      all[i] = x == 1 ? y : x;
    }
    return Batches(std::move(all));
  }
  // Which of these matrices serves matrix `index` of `all`.
  std::size_t place(std::size_t index, const Batches& all) const {
    std::size_t place = 0, step = 1;
    for (std::size_t i = all.shape_.size(); i-- > 0;) {
      const auto size = static_cast<std::size_t>(all.shape_[i]),
                 own = static_cast<std::size_t>(at(i, all.shape_.size()));
      if (own != 1) place += index % size * step;
      index /= size;
      step *= own;
    }
    return place;
  }

 private:
  // Dimension i of n, counted as if ones stood before the first.
  std::int64_t at(std::size_t i, std::size_t n) const {
    const std::size_t missing = n - shape_.size();
    return i < missing ? 1 : shape_[i - missing];
  }
  io::Shape shape_;
};

enum class VectorIs : std::uint8_t { row, column };

// A matrix, a stack of matrices of one shape, or a vector in the place of a matrix.
class Stack {
 public:
  // `transposed` says nothing about a vector.
  Stack(io::Array array, bool transposed, VectorIs vector = VectorIs::row)
      : array_(std::move(array)), transposed_(transposed), is_vector_(array_.shape.size() == 1) {
    const std::size_t d = array_.shape.size();
    if (d == 0) mismatch(array_, "a matrix, a stack of matrices or a vector");
    if (is_vector_) {
      transposed_ = false;
      stored_rows_ = vector == VectorIs::row ? 1 : dimension(array_, 0);
      stored_cols_ = vector == VectorIs::row ? dimension(array_, 0) : 1;
      return;
    }
    stored_rows_ = dimension(array_, d - 2);
    stored_cols_ = dimension(array_, d - 1);
    batches_ = Batches(io::Shape(array_.shape.begin(), array_.shape.end() - 2));
  }

  // The scales of its blocks go with every matrix.
  void set_scales(std::optional<io::Scales> scales) { scales_ = std::move(scales); }

  const io::Array& array() const { return array_; }
  bool is_vector() const { return is_vector_; }
  const Batches& batches() const { return batches_; }
  std::size_t rows() const { return transposed_ ? stored_cols_ : stored_rows_; }
  std::size_t cols() const { return transposed_ ? stored_rows_ : stored_cols_; }
  const FormatSpec& format() const { return array_.element.format(); }

  CodeMatrix matrix(std::size_t batch) const {
    CodeMatrix m{detail::advance_codes(static_cast<const void*>(array_.bytes.data()),
                                       static_cast<std::ptrdiff_t>(batch * stored_rows_ * stored_cols_),
                                       code_bytes(format())),
                 stored_rows_,
                 stored_cols_,
                 static_cast<std::ptrdiff_t>(stored_cols_),
                 1,
                 format()};
    if (scales_) m.scales = turned_ ? scales_->view(batch).transposed() : scales_->view(batch);
    return transposed_ ? m.transposed() : m;
  }

  // The same values, stored so that the elements of a column lie side by side.
  Stack with_dense_columns() && {
    if (transposed_ || is_vector_) return std::move(*this);
    Stack turned = *this;
    turned.array_ = io::make_array(array_.element, array_.shape);
    turned.array_.origin = array_.origin;
    turned.transposed_ = true;
    turned.turned_ = true;
    std::swap(turned.stored_rows_, turned.stored_cols_);
    const std::size_t bytes = code_bytes(format()), matrix_size = stored_rows_ * stored_cols_;
    for (std::size_t b = 0; b < batches_.count(); ++b) {
      const CodeMatrix from = matrix(b);
      for (std::size_t i = 0; i < from.rows; ++i) {
        for (std::size_t j = 0; j < from.cols; ++j) {
          detail::store_code(turned.array_.bytes.data(),
                             static_cast<std::ptrdiff_t>(b * matrix_size + j * from.rows + i), bytes,
                             from.code(i, j));
        }
      }
    }
    return turned;
  }

 private:
  io::Array array_;
  std::optional<io::Scales> scales_;
  bool transposed_, is_vector_;
  bool turned_ = false;  // stored otherwise than the scales are
  std::size_t stored_rows_ = 0, stored_cols_ = 0;
  Batches batches_;
};

}  // namespace assay::cli
