// Rounding directions, what happens above the largest number, and what happens to subnormals.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace assay {

enum class Rounding : std::uint8_t {
#define ROUNDING(enumerator, ...) enumerator,
#include "reference/formats/roundings.def"
#undef ROUNDING
};

inline constexpr auto all_roundings = std::to_array<Rounding>({
#define ROUNDING(enumerator, ...) Rounding::enumerator,
#include "reference/formats/roundings.def"
#undef ROUNDING
});

// All but stochastic.
inline constexpr auto deterministic_roundings =
    std::to_array<Rounding>({Rounding::nearest_even, Rounding::nearest_away, Rounding::toward_zero,
                             Rounding::toward_positive, Rounding::toward_negative, Rounding::to_odd});

std::string_view rounding_name(Rounding mode);   // "nearest-even"
std::string_view rounding_alias(Rounding mode);  // "RNE"
// By name or alias; InputError with the nearest names.
Rounding parse_rounding(std::string_view name);

enum class Overflow : std::uint8_t {
  ieee,  // infinity, or NaN where there is none, as the rounding direction asks; finite-only formats saturate
  saturate,  // largest finite magnitude, also for an infinite input
};

enum class Subnormals : std::uint8_t {
  keep,
  flush_input,   // an input below the format's smallest normal number counts as zero of its sign
  flush_result,  // a subnormal result becomes zero of its sign
};

}  // namespace assay
