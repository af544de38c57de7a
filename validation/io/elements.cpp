#include "validation/io/elements.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "reference/core/cpu.hpp"

namespace assay::io {
namespace {

// `dst`, row-major, gets `src`, column-major. The first index is the fast one in src and the last in dst, so these two
// are walked in square tiles, which stay in cache; the indices between them are walked outside.
template <class Word>
void transpose(const std::byte* src, std::byte* dst, const Shape& shape) {
  constexpr std::int64_t tile = 32;
  const std::size_t dims = shape.size();
  std::vector<std::int64_t> src_stride(dims, 1), dst_stride(dims, 1);  // in elements
  for (std::size_t d = 1; d < dims; ++d) src_stride[d] = src_stride[d - 1] * shape[d - 1];
  for (std::size_t d = dims - 1; d-- > 0;) dst_stride[d] = dst_stride[d + 1] * shape[d + 1];
  const std::int64_t first = shape.front(), last = shape.back();
  const auto copy = [&](std::int64_t from, std::int64_t to) {
    std::memcpy(dst + to * std::int64_t{sizeof(Word)}, src + from * std::int64_t{sizeof(Word)}, sizeof(Word));
  };
  Shape index(dims, 0);
  std::int64_t from = 0, to = 0;  // of the middle indices
  for (std::size_t d = 0; d + 1 < dims;) {
    for (std::int64_t i0 = 0; i0 < first; i0 += tile) {
      for (std::int64_t j0 = 0; j0 < last; j0 += tile) {
        for (std::int64_t i = i0; i < std::min(i0 + tile, first); ++i) {
          for (std::int64_t j = j0; j < std::min(j0 + tile, last); ++j) {
            copy(from + i + j * src_stride.back(), to + i * dst_stride.front() + j);
          }
        }
      }
    }
    for (d = 1; d + 1 < dims; ++d) {
      from += src_stride[d];
      to += dst_stride[d];
      if (++index[d] < shape[d]) break;
      from -= src_stride[d] * shape[d];
      to -= dst_stride[d] * shape[d];
      index[d] = 0;
    }
  }
}

std::vector<std::byte> row_major(std::vector<std::byte>&& src, const Shape& shape, std::size_t width) {
  if (src.empty() || shape.size() < 2) return std::move(src);
  std::vector<std::byte> dst = allocate<std::byte>(src.size());
  switch (width) {
    case 1: transpose<std::uint8_t>(src.data(), dst.data(), shape); break;
    case 2: transpose<std::uint16_t>(src.data(), dst.data(), shape); break;
    case 4: transpose<std::uint32_t>(src.data(), dst.data(), shape); break;
    default: transpose<std::uint64_t>(src.data(), dst.data(), shape); break;
  }
  return dst;
}

void swap_bytes(std::vector<std::byte>& bytes, std::size_t width) {
  for (std::size_t i = 0; i < bytes.size(); i += width) {
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                 bytes.begin() + static_cast<std::ptrdiff_t>(i + width));
  }
}

}  // namespace

void require_memory(const std::string& origin, const std::string& what, std::optional<std::uint64_t> bytes) {
  const std::uint64_t available = available_memory_bytes();
  if (bytes && *bytes <= available) return;
  throw InputError(origin, "",
                   what + " within the " + std::to_string(available) + " bytes of memory that are free",
                   bytes ? std::to_string(*bytes) + " bytes" : "2^63 bytes and more");
}

std::optional<std::int64_t> byte_count(const Shape& shape, std::size_t element_bytes) {
  auto product = static_cast<std::int64_t>(element_bytes);
  bool empty = false;
  for (const std::int64_t n : shape) {
    if (n < 0) return std::nullopt;
    empty = empty || n == 0;
    if (n != 0 && __builtin_mul_overflow(product, n, &product)) return std::nullopt;
  }
  return empty ? 0 : product;
}

void check_codes(const Array& array) {
  const bool is_bool = array.element.kind() == ElementType::Kind::boolean;
  const std::size_t width = array.element.bytes();
  const int bits = is_bool ? 1 : array.element.bits();
  if (bits == static_cast<int>(width) * 8) return;
  for (std::int64_t i = 0; i < array.size(); ++i) {
    const std::uint64_t code = array.code(i);
    if (code >> bits == 0) continue;
    throw InputError(array.origin, "element " + std::to_string(i),
                     is_bool ? "a bool of 0 or 1"
                             : "a code of " + array.element.name() + ", at most " +
                                   std::to_string((std::uint64_t{1} << bits) - 1),
                     std::to_string(code));
  }
}

Array read_elements(ByteSource& source, const ElementLayout& layout) {
  const std::size_t width = layout.element.bytes();
  const std::optional<std::int64_t> need = byte_count(layout.shape, width);
  const auto claim = [&] { return layout.element.name() + " of shape " + to_string(layout.shape); };
  if (!need) source.fail("a shape of less than 2^63 bytes", claim());
  if (static_cast<std::uint64_t>(*need) > source.remaining_at_most()) {
    source.fail(std::to_string(*need) + " bytes of data for " + claim(),
                "at most " + std::to_string(source.remaining_at_most()));
  }
  Array array;
  array.element = layout.element;
  array.shape = layout.shape;
  array.file_order = layout.order;
  array.origin = source.origin();
  array.bytes = allocate<std::byte>(static_cast<std::size_t>(*need));
  source.read_exact(array.bytes.data(), array.bytes.size(), "data");
  if (layout.big_endian && width > 1) swap_bytes(array.bytes, width);
  if (layout.order == Order::column_major)
    array.bytes = row_major(std::move(array.bytes), array.shape, width);
  check_codes(array);
  return array;
}

Array with_format(Array&& array, const std::optional<FormatSpec>& format) {
  return format ? reinterpret_as(std::move(array), *format) : std::move(array);
}

void write_bytes(AtomicFile& file, std::span<const std::byte> bytes) {
  constexpr std::size_t piece = 1 << 20;
  while (!bytes.empty()) {
    const std::span<const std::byte> part = bytes.first(std::min(piece, bytes.size()));
    file.write({reinterpret_cast<const char*>(part.data()), part.size()});
    bytes = bytes.subspan(part.size());
  }
}

}  // namespace assay::io
