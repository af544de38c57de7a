// Strided views of arrays of codes, of a format known at run time: the operands of every operation on "any format".
//
// An element lies in the smallest unsigned integer that holds a code (uint8_t, uint16_t, uint32_t, uint64_t), as in
// Stored<> and in files. Strides count elements, may be negative, and 0 repeats one element. Views own nothing.
// Scales of blocks and indices of a sparse operand go along with its rows, columns and parts: code() does not read
// them, element_value() reads the scales.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "reference/exact/operand_extras.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/format_spec.hpp"
#include "reference/formats/formats.hpp"
#include "reference/formats/storage.hpp"

namespace assay {

namespace detail {

// memcpy: the elements may be float or double to everybody else.
template <class Code>
std::uint64_t load_code_as(const void* data, std::ptrdiff_t i) {
  Code code;
  std::memcpy(&code, static_cast<const unsigned char*>(data) + i * std::ptrdiff_t{sizeof(Code)},
              sizeof(Code));
  return code;
}
inline std::uint64_t load_code(const void* data, std::ptrdiff_t i, std::size_t bytes) {
  switch (bytes) {
    case 1: return load_code_as<std::uint8_t>(data, i);
    case 2: return load_code_as<std::uint16_t>(data, i);
    case 4: return load_code_as<std::uint32_t>(data, i);
    default: return load_code_as<std::uint64_t>(data, i);
  }
}

template <class Code>
void store_code_as(void* data, std::ptrdiff_t i, std::uint64_t code) {
  const Code narrow = static_cast<Code>(code);
  std::memcpy(static_cast<unsigned char*>(data) + i * std::ptrdiff_t{sizeof(Code)}, &narrow, sizeof(Code));
}
inline void store_code(void* data, std::ptrdiff_t i, std::size_t bytes, std::uint64_t code) {
  switch (bytes) {
    case 1: store_code_as<std::uint8_t>(data, i, code); break;
    case 2: store_code_as<std::uint16_t>(data, i, code); break;
    case 4: store_code_as<std::uint32_t>(data, i, code); break;
    default: store_code_as<std::uint64_t>(data, i, code); break;
  }
}

template <class Pointer>
constexpr Pointer advance_codes(Pointer data, std::ptrdiff_t elements, std::size_t bytes) {
  using Byte =
      std::conditional_t<std::is_const_v<std::remove_pointer_t<Pointer>>, const unsigned char, unsigned char>;
  return static_cast<Byte*>(data) + elements * static_cast<std::ptrdiff_t>(bytes);
}

}  // namespace detail

// `size` codes, `stride` elements apart.
struct CodeVector {
  const void* data = nullptr;
  std::size_t size = 0;
  std::ptrdiff_t stride = 1;
  FormatSpec format = formats::float32;
  BlockScales scales{};
  SparseIndices sparse{};

  std::uint64_t code(std::size_t i) const {
    return detail::load_code(data, static_cast<std::ptrdiff_t>(i) * stride, code_bytes(format));
  }
  CodeVector part(std::size_t begin, std::size_t count) const {
    return {detail::advance_codes(data, static_cast<std::ptrdiff_t>(begin) * stride, code_bytes(format)),
            count,
            stride,
            format,
            scales.part(begin, count),
            sparse};
  }
};

// The same to write to. Elements must not overlap.
struct MutableCodeVector {
  void* data = nullptr;
  std::size_t size = 0;
  std::ptrdiff_t stride = 1;
  FormatSpec format = formats::float32;

  void set(std::size_t i, std::uint64_t code) const {
    detail::store_code(data, static_cast<std::ptrdiff_t>(i) * stride, code_bytes(format), code);
  }
  MutableCodeVector part(std::size_t begin, std::size_t count) const {
    return {detail::advance_codes(data, static_cast<std::ptrdiff_t>(begin) * stride, code_bytes(format)),
            count, stride, format};
  }
  operator CodeVector() const { return {data, size, stride, format}; }
};

// rows x cols codes; element (i, j) is row_stride * i + col_stride * j elements from `data`.
struct CodeMatrix {
  const void* data = nullptr;
  std::size_t rows = 0, cols = 0;
  std::ptrdiff_t row_stride = 0, col_stride = 1;
  FormatSpec format = formats::float32;
  MatrixScales scales{};
  SparseIndices sparse{};

  std::uint64_t code(std::size_t i, std::size_t j) const {
    return detail::load_code(
        data, static_cast<std::ptrdiff_t>(i) * row_stride + static_cast<std::ptrdiff_t>(j) * col_stride,
        code_bytes(format));
  }
  CodeVector row(std::size_t i) const {
    return {detail::advance_codes(data, static_cast<std::ptrdiff_t>(i) * row_stride, code_bytes(format)),
            cols,
            col_stride,
            format,
            scales.line(i, Lines::rows),
            sparse.line(i)};
  }
  CodeVector column(std::size_t j) const {
    return {detail::advance_codes(data, static_cast<std::ptrdiff_t>(j) * col_stride, code_bytes(format)),
            rows,
            row_stride,
            format,
            scales.line(j, Lines::columns),
            sparse.line(j)};
  }
  CodeMatrix transposed() const {
    return {data, cols, rows, col_stride, row_stride, format, scales.transposed(), sparse};
  }
};

// The same to write to. Elements must not overlap.
struct MutableCodeMatrix {
  void* data = nullptr;
  std::size_t rows = 0, cols = 0;
  std::ptrdiff_t row_stride = 0, col_stride = 1;
  FormatSpec format = formats::float32;

  void set(std::size_t i, std::size_t j, std::uint64_t code) const {
    detail::store_code(
        data, static_cast<std::ptrdiff_t>(i) * row_stride + static_cast<std::ptrdiff_t>(j) * col_stride,
        code_bytes(format), code);
  }
  operator CodeMatrix() const { return {data, rows, cols, row_stride, col_stride, format}; }
};

// The value of element i with its block's scale and its tensor's: exact in float64 if elements with scales have at
// most 8 bits. NaN where the scale is.
inline double element_value(const CodeVector& x, std::size_t i) {
  const double value = decode(x.code(i), x.format);
  if (!x.scales.given()) return value;
  return value * scale_value(x.scales.code(i), x.scales.use.format) * double{x.scales.tensor};
}

// Rows [first, first + count) of a CodeMatrix or MutableCodeMatrix. Scales must lie along the rows.
template <class Matrix>
Matrix some_rows(Matrix m, std::size_t first, std::size_t count) {
  if constexpr (requires { m.scales; }) {
    if (m.scales.given() && first + count != first) static_cast<void>(m.scales.line(first, Lines::rows));
    m.scales = m.scales.some_lines(first, count);
    m.sparse = m.sparse.line(first);
  }
  m.data =
      detail::advance_codes(m.data, static_cast<std::ptrdiff_t>(first) * m.row_stride, code_bytes(m.format));
  m.rows = count;
  return m;
}

// Views of typed arrays. Row-major and dense for matrices.
inline CodeVector code_vector(const float* x, std::size_t n, std::ptrdiff_t stride = 1) {
  return {x, n, stride, formats::float32};
}
inline CodeVector code_vector(const double* x, std::size_t n, std::ptrdiff_t stride = 1) {
  return {x, n, stride, formats::float64};
}
template <const FormatSpec& F>
CodeVector code_vector(const Stored<F>* x, std::size_t n, std::ptrdiff_t stride = 1) {
  return {x, n, stride, F};
}
template <class T>
CodeMatrix code_matrix(const T* x, std::size_t rows, std::size_t cols) {
  return {x, rows, cols, static_cast<std::ptrdiff_t>(cols), 1, code_vector(x, 0).format};
}
template <class T>
MutableCodeVector mutable_code_vector(T* x, std::size_t n) {
  return {x, n, 1, code_vector(x, 0).format};
}
template <class T>
MutableCodeMatrix mutable_code_matrix(T* x, std::size_t rows, std::size_t cols) {
  return {x, rows, cols, static_cast<std::ptrdiff_t>(cols), 1, code_vector(x, 0).format};
}

// Is every finite value of `inner` a value of `outer`?
constexpr bool contains_format(const FormatSpec& outer, const FormatSpec& inner) {
  return inner.precision <= outer.precision && inner.emin - inner.precision >= outer.emin - outer.precision &&
         inner.emax() <= outer.emax();
}

}  // namespace assay
