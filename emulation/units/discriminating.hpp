// Inputs of dot products that tell arithmetics apart; random data of unit scale hardly ever do.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "reference/exact/distinction.hpp"

namespace assay {

enum class InputClass : std::uint8_t {
  simple,       // small numbers of few bits
  normal,       // unit scale, all bits
  gap,          // product exponents up to 40 below the largest
  cancel_c,     // the same, and c cancels the sum except for a few last places
  cancel_pair,  // products cancel each other in pairs
  underflow,    // products and c around the smallest normal and subnormal numbers of c's format
  overflow,     // products and c around the largest
  zeros,        // most products are zeros of either sign, c tiny or a zero
  halfway,      // few bits: sums that lie half way between two results
  tail,         // half a last place of c, and a little more or less than that
  any_code,     // every finite code
  specials      // every code, NaN and infinities rare
};
inline constexpr auto all_input_classes = std::to_array<InputClass>(
    {InputClass::simple, InputClass::normal, InputClass::gap, InputClass::cancel_c, InputClass::cancel_pair,
     InputClass::underflow, InputClass::overflow, InputClass::zeros, InputClass::halfway, InputClass::tail,
     InputClass::any_code, InputClass::specials});
std::string_view input_class_name(InputClass kind);  // "cancel_c"

// n products and a c of the class, a function of the arguments on every machine. Exponents outside a format's range are
// moved to the nearest one inside.
DotInput discriminating_input(InputClass kind, std::size_t n, const FormatSpec& a, const FormatSpec& b,
                              const FormatSpec& c, std::uint64_t seed);

}  // namespace assay
