#include "validation/compare/integer_type.hpp"

#include <algorithm>

namespace assay::compare {

std::string IntegerType::name() const {
  return is_boolean ? "bool" : (is_signed ? "int" : "uint") + std::to_string(bits);
}

std::optional<IntegerType> parse_integer_type(std::string_view name) {
  for (const int bits : {8, 16, 32, 64}) {
    for (const bool is_signed : {true, false}) {
      const IntegerType type{.bits = bits, .is_signed = is_signed};
      if (type.name() == name) return type;
    }
  }
  const IntegerType boolean{.bits = 8, .is_signed = false, .is_boolean = true};
  return name == "bool" ? std::optional(boolean) : std::nullopt;
}

std::string integer_text(Int128 x) {
  if (x == 0) return "0";
  std::string text;
  for (Int128 rest = x; rest != 0; rest /= 10) {
    const auto digit = static_cast<int>(rest % 10);
    text += static_cast<char>('0' + (digit < 0 ? -digit : digit));
  }
  if (x < 0) text += '-';
  std::reverse(text.begin(), text.end());
  return text;
}

std::optional<Int128> parse_integer(std::string_view text) {
  constexpr std::size_t most_digits = 38;  // 10^38 < 2^127
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > most_digits) return std::nullopt;
  Int128 x = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    x = x * 10 + (c - '0');
  }
  return negative ? -x : x;
}

}  // namespace assay::compare
