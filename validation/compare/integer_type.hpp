// Integers of up to 64 bits and bool, by their bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace assay::compare {

// Holds every integer of 64 bits, of either sign, and every difference of two of them.
__extension__ using Int128 = __int128;

struct IntegerType {
  int bits = 64;  // 8, 16, 32 or 64
  bool is_signed = true;
  bool is_boolean = false;  // one byte, 0 or 1

  std::size_t bytes() const { return static_cast<std::size_t>(bits) / 8; }
  std::string name() const;  // "int64", "uint8", "bool"
  friend bool operator==(const IntegerType&, const IntegerType&) = default;
};
std::optional<IntegerType> parse_integer_type(std::string_view name);  // empty if it is none

// The integer behind the bits in `code`, which stand in its low end.
constexpr Int128 integer_value(std::uint64_t code, const IntegerType& type) {
  const int unused = 64 - type.bits;
  if (!type.is_signed) return static_cast<Int128>(code << unused >> unused);
  return static_cast<Int128>(static_cast<std::int64_t>(code << unused) >> unused);
}

std::string integer_text(Int128 x);  // decimal: "-9223372036854775808"
// Empty unless the text is a decimal integer of at most 38 digits.
std::optional<Int128> parse_integer(std::string_view text);

}  // namespace assay::compare
