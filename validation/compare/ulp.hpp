// Distance between two codes of one format, counted in representable values.
#pragma once

#include <cstdint>
#include <optional>

#include "reference/formats/format_spec.hpp"

namespace assay::compare {

// Steps between codes of up to 64 bits: from the lowest float64 to the highest they exceed an int64_t.
__extension__ using Steps = __int128;

// Where a number lies in the order of the format's values: 0 for both zeros, ±1 for the smallest subnormals,
// and so on up to ±infinity, which is one step above the largest finite number. Meaningless for NaN.
constexpr std::int64_t ulp_position(std::uint64_t code, const FormatSpec& f) {
  const auto magnitude = static_cast<std::int64_t>(code & f.magnitude_mask());
  return f.is_negative(code) ? -magnitude : magnitude;
}

// Signed steps from `want` to `got`: +1 means got is the next value up. Both zeros are one point, so −0 to
// the smallest subnormal is one step and crossing zero does not jump (subtracting the raw bits, the usual
// short cut, is wrong by 2^(bits−1) there). Empty if either is NaN: the caller counts NaNs, it does not
// measure them.
constexpr std::optional<Steps> ulp_steps(std::uint64_t want, std::uint64_t got, const FormatSpec& f) {
  if (f.is_nan(want) || f.is_nan(got)) return std::nullopt;
  return Steps{ulp_position(got, f)} - Steps{ulp_position(want, f)};
}

}  // namespace assay::compare
