// Exact reading of typed numbers: a decimal or hexadecimal text becomes an exact value, which is then rounded once into
// the requested format, never by way of float64.
#pragma once

#include <string_view>

#include "reference/formats/exact_value.hpp"

namespace assay {

// Decimal ("1.00390625000000000001", "-3e-45"), C99 hexadecimal ("0x1.8p-3"), "inf", "infinity", "nan" with an optional
// sign, in any case. InputError for anything else, and for more than 100,000 digits.
ExactValue<Wide> parse_number(std::string_view text);

// Is `text` a typed code ("bits:0x3f80")?
bool is_typed_code(std::string_view text);

struct TypedCode {
  std::uint64_t code;
  FormatSpec format;
};
// "bits:0x3f80": a code of `f` if it is written with as many hexadecimal digits as `f` needs; else 8 digits are float32
// and 16 digits float64. InputError if the digits fit none of them or exceed the width.
TypedCode parse_typed_code(std::string_view text, const FormatSpec& f);

}  // namespace assay
