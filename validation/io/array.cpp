#include "validation/io/array.hpp"

#include <cstring>

#include "reference/core/near_names.hpp"
#include "validation/io/elements.hpp"

namespace assay::io {

std::string ElementType::name() const {
  switch (kind_) {
    case Kind::floating: return std::string(format_.dtype);
    case Kind::signed_integer: return "int" + std::to_string(bits_);
    case Kind::unsigned_integer: return "uint" + std::to_string(bits_);
    case Kind::boolean: break;
  }
  return "bool";
}

ElementType parse_element_type(std::string_view name) {
  std::vector<std::string> known;
  std::vector<ElementType> types{ElementType::boolean()};
  for (const int bits : {8, 16, 32, 64}) {
    types.push_back(ElementType::signed_integer(bits));
    types.push_back(ElementType::unsigned_integer(bits));
  }
  for (const ElementType& type : types) {
    if (type.name() == name) return type;
    known.push_back(type.name());
  }
  for (const FormatSpec* f : formats::all) {
    if (f->dtype == name || f->short_name == name) return *f;
    known.emplace_back(f->dtype);
    known.emplace_back(f->short_name);
  }
  if (name.starts_with("custom:")) return parse_format(name);
  throw unknown_name("dtype", "an element type", name, known);
}

std::int64_t Array::size() const {
  std::int64_t n = 1;
  for (const std::int64_t dimension : shape) {
    if (dimension == 0) return 0;
    n *= dimension;
  }
  return n;
}

std::uint64_t Array::code(std::int64_t i) const {
  // Little-endian: the low bytes come first, whatever the width.
  std::uint64_t value = 0;
  const std::size_t width = element.bytes();
  std::memcpy(&value, bytes.data() + static_cast<std::size_t>(i) * width, width);
  return value;
}

Array make_array(const ElementType& element, Shape shape) {
  const std::optional<std::int64_t> bytes = byte_count(shape, element.bytes());
  if (!bytes) {
    throw ContractError("no array of " + element.name() + " has the shape " + to_string(shape));
  }
  Array array;
  array.element = element;
  array.shape = std::move(shape);
  array.bytes = allocate<std::byte>(static_cast<std::size_t>(*bytes));
  return array;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t d = 0; d < shape.size(); ++d) text += (d == 0 ? "" : ",") + std::to_string(shape[d]);
  return text + "]";
}

Array reinterpret_as(Array&& codes, const FormatSpec& format) {
  const ElementType wanted = format;
  if (codes.element == wanted) return std::move(codes);
  const bool integers = codes.element.kind() == ElementType::Kind::signed_integer ||
                        codes.element.kind() == ElementType::Kind::unsigned_integer;
  if (!integers || codes.element.bytes() != wanted.bytes()) {
    throw InputError(
        codes.origin, "",
        "codes of " + wanted.name() + ": integers of " + std::to_string(8 * wanted.bytes()) + " bits",
        codes.element.name());
  }
  Array array = std::move(codes);
  array.element = wanted;
  check_codes(array);
  return array;
}

}  // namespace assay::io
