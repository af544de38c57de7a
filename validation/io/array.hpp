// Arrays as files hold them: dense ones of any number format or integer type, and sparse ones in their stored order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/formats/formats.hpp"
#include "reference/formats/storage.hpp"
#include "reference/sparse/csr.hpp"

namespace assay::io {

// What an element is: a code of a floating-point format, an integer, or a bool. In memory an element takes the smallest
// of 1, 2, 4 and 8 bytes that hold its bits, in the low bits, the rest zero: six-bit and four-bit codes take a byte.
class ElementType {
 public:
  enum class Kind : std::uint8_t { floating, signed_integer, unsigned_integer, boolean };

  // Not explicit: a format is an element type.
  constexpr ElementType(const FormatSpec& format)
      : kind_(Kind::floating), bits_(format.bits), format_(format) {}
  // 8, 16, 32 or 64 bits.
  static constexpr ElementType signed_integer(int bits) { return {Kind::signed_integer, bits}; }
  static constexpr ElementType unsigned_integer(int bits) { return {Kind::unsigned_integer, bits}; }
  static constexpr ElementType boolean() { return {Kind::boolean, 8}; }  // one byte, 0 or 1

  constexpr Kind kind() const { return kind_; }
  constexpr bool is_floating() const { return kind_ == Kind::floating; }
  constexpr int bits() const { return bits_; }
  constexpr std::size_t bytes() const { return bits_ > 32 ? 8 : bits_ > 16 ? 4 : bits_ > 8 ? 2 : 1; }
  std::string name() const;           // "bfloat16", "int32", "uint8", "bool"
  const FormatSpec& format() const {  // ContractError for integers and bool
    if (!is_floating()) throw ContractError("an array of " + name() + " has no floating-point format");
    return format_;
  }

  friend constexpr bool operator==(const ElementType&, const ElementType&) = default;

 private:
  constexpr ElementType(Kind kind, int bits) : kind_(kind), bits_(bits), format_() {}

  Kind kind_;
  int bits_;
  FormatSpec format_;
};

// "int8" .. "uint64", "bool", and whatever parse_format() knows. InputError names the nearest known names.
ElementType parse_element_type(std::string_view name);

// Which index of the file's data varies fastest: the last (C, row-major) or the first (Fortran, column-major).
enum class Order : std::uint8_t { row_major, column_major };

using Shape = std::vector<std::int64_t>;
using Metadata = std::map<std::string, std::string>;  // op, k, unit and whatever else the writer said

// A dense array, owning. An array with a dimension of zero has no elements; one without dimensions has one.
struct Array {
  ElementType element = formats::float32;
  Shape shape;
  std::vector<std::byte>
      bytes;  // size() elements, contiguous, row-major, little-endian, whatever the file had
  Order file_order = Order::row_major;  // of the file it came from, for the record
  Metadata metadata;
  std::string origin;  // where it came from, for messages: "run.npz:out"; empty if it came from no file

  std::int64_t size() const;  // number of elements

  // The code or the integer's bits of element i, row-major, as unsigned. For loops over all elements take as().
  std::uint64_t code(std::int64_t i) const;

  // The elements as unsigned integers of their width (codes of any element type), as float, double, Stored<format> or
  // a signed integer. ContractError if the array holds anything else.
  template <class T>
  std::span<const T> as() const {
    require_holds<T>();
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  template <class T>
  std::span<T> as() {
    require_holds<T>();
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
  }

 private:
  template <class T>
  bool holds() const {
    if (sizeof(T) != element.bytes()) return false;
    if constexpr (std::is_same_v<T, float>) {
      return element == formats::float32;
    } else if constexpr (std::is_same_v<T, double>) {
      return element == formats::float64;
    } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
      return element.kind() == ElementType::Kind::signed_integer;
    } else if constexpr (std::is_integral_v<T>) {
      return !std::is_same_v<T, bool> || element.kind() == ElementType::Kind::boolean;
    } else {
      return element == T::format;  // Stored<>
    }
  }
  template <class T>
  void require_holds() const {
    if (!holds<T>()) {
      throw ContractError("an array of " + element.name() + " asked for as another type of " +
                          std::to_string(sizeof(T)) + " bytes");
    }
  }
};

// Of zeros. ContractError for a negative dimension, Unavailable if memory does not hold it.
Array make_array(const ElementType& element, Shape shape);

// "[64,1024]"; "[]" for no dimensions.
std::string to_string(const Shape& shape);

// An array of codes, read as the format they are codes of: integers of either sign and the format's width in bytes; the
// bytes stay. InputError with the array's origin for elements of another width or kind, or if a code has bits above the
// format's. An array that already is of that format passes through.
Array reinterpret_as(Array&& codes, const FormatSpec& format);

// A sparse array, owning: what the file stored, in the file's order, entries that are zero and repeated entries
// included (each is a separate term). All indices count from zero.
struct SparseArray {
  enum class Layout : std::uint8_t { csr, csc, bsr, coo };

  Layout layout = Layout::coo;
  std::int64_t rows = 0, cols = 0;              // both below 2^31
  std::int64_t block_rows = 1, block_cols = 1;  // bsr: of a block; they divide rows and cols
  std::vector<std::int64_t> offsets;  // csr: rows + 1; csc: cols + 1; bsr: rows / block_rows + 1; coo: none
  std::vector<std::int32_t> row_indices;  // csc, coo: of every entry; else none
  std::vector<std::int32_t>
      column_indices;  // csr, coo: of every entry; bsr: of every block, in blocks; else none
  Array values;        // [nnz]; bsr: [blocks, block_rows, block_cols]
  Metadata metadata;
  std::string origin;

  std::int64_t nnz() const { return values.size(); }  // stored values; those of whole blocks in bsr
  // The structure as those who compute take it, columns in stored order. ContractError unless the layout is csr.
  sparse::CsrView csr_view() const;
};

std::string_view name(SparseArray::Layout layout);  // "csr"

// InputError, with the origin, the array ("indices[7]") and the values, unless sizes are as above, offsets start at 0,
// do not fall and end at the number of entries, and indices lie inside the matrix.
void check(const SparseArray& a);

// Indices as a file or a caller has them, in 32 bits. InputError, with the origin of `a`, for one that is not from 0 to
// below `limit` and does not fit; the others are left to check().
std::vector<std::int32_t> narrowed_indices(const SparseArray& a, std::string_view place,
                                           const std::vector<std::int64_t>& indices, std::int64_t limit);

// The same entries as csr. Within a row they stand in the order in which the file has them: coo in file order, csc by
// column, bsr block after block. Repeated entries stay apart. `a` must pass check(). InputError if free memory does not
// hold an offset for every row.
SparseArray to_csr(const SparseArray& a);

// The CSR of reference/sparse. InputError if it cannot hold `a` as it is: values other than float32, columns of a row
// not strictly ascending. `a` must pass check().
sparse::Csr<float> to_reference_csr(const SparseArray& a);

// Dense [rows, cols]; absent entries are zero. InputError if an entry is repeated, as their sum would be a rounding, or
// if free memory does not hold the array.
Array to_dense(const SparseArray& a);

}  // namespace assay::io
