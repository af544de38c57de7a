// Shared by the readers: checks of an array's size against its file, and its bytes brought into one order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "validation/io/array.hpp"
#include "validation/io/byte_source.hpp"

namespace assay::io {

// Bytes of an array. Empty if a dimension is negative, or if the dimensions that are not zero give 2^63 bytes or
// more: an array with a zero in its shape holds nothing, and its other dimensions still have to be possible ones
// (NumPy's rule).
std::optional<std::int64_t> byte_count(const Shape& shape, std::size_t element_bytes);

// How a file holds an array.
struct ElementLayout {
  ElementType element;
  Shape shape;
  Order order = Order::row_major;
  bool big_endian = false;
};

// The array whose bytes come next. Sizes are held against what is left of the source before memory is asked for; codes
// with bits above their format's and bools other than 0 and 1 are InputErrors.
Array read_elements(ByteSource& source, const ElementLayout& layout);

// InputError with the origin if a code has bits above those of its format, or a bool is neither 0 nor 1.
void check_codes(const Array& array);

// What ReadOptions.format asks for: `array` as that format, or unchanged if none is asked for.
Array with_format(Array&& array, const std::optional<FormatSpec>& format);

// All of `bytes`, in pieces that the file passes on as they come.
void write_bytes(AtomicFile& file, std::span<const std::byte> bytes);

// Arrays to be written under names; no copies of them.
struct NamedRef {
  std::string name;
  const Array* array;
};

// InputError unless `bytes` more are free. For sizes that a file claims without holding as much: a kernel hands out
// pages that it does not have, and ends the process when they are written. Empty: more than can be counted.
void require_memory(const std::string& origin, const std::string& what, std::optional<std::uint64_t> bytes);

// Memory for `n` elements, or Unavailable: a size that the file could hold may still be more than this machine has.
template <class T>
std::vector<T> allocate(std::size_t n) {
  // The allocator is not asked for more than a process can address: sanitizers would report that as an error.
  constexpr std::size_t most = (std::size_t{1} << 47) / sizeof(T);
  if (n <= most) {
    try {
      return std::vector<T>(n);
    } catch (const std::bad_alloc&) {  // Unavailable, below
    }
  }
  throw Unavailable("not enough memory for " + std::to_string(n) + " elements of " +
                    std::to_string(sizeof(T)) + " bytes");
}

}  // namespace assay::io
