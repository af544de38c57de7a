// Every format of formats.def: as a named constant, as a table to search or list, and by name.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "reference/formats/format_spec.hpp"

namespace assay {

namespace formats {

#define FORMAT(dtype, short_name, bits, p, emin, specials) \
  inline constexpr FormatSpec dtype{#dtype, short_name, bits, p, emin, Specials::specials};
#include "reference/formats/formats.def"
#undef FORMAT

inline constexpr auto all = std::to_array<const FormatSpec*>({
#define FORMAT(dtype, ...) &dtype,
#include "reference/formats/formats.def"
#undef FORMAT
});

}  // namespace formats

std::string_view specials_name(Specials specials);  // "ieee", "fn", "fnuz", "finite"

// What keeps a custom format from being used ("precision 60 is outside 2..53"); empty if it is sound. Every value of a
// sound format is a float64, so that decode() is exact.
std::string why_unsound(const FormatSpec& f);

// By dtype name, short name, or "custom:bits,p,emin,specials" (custom:12,6,-14,ieee). InputError names the nearest
// known names. A custom format is called "custom" in both names.
FormatSpec parse_format(std::string_view name);

}  // namespace assay
