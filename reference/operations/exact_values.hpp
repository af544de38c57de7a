// Exact values of codes, and on which side of a float64 they lie. For the files of this folder.
#pragma once

#include <cstdint>

#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/encode.hpp"

namespace assay::detail {

inline ExactValue<Wide> value_of(std::uint64_t code, const FormatSpec& f) {
  return widened(exact_from_code(code, f));
}

// Roundings keep order, so that float64's neighbours decide.
inline bool is_below(const ExactValue<Wide>& x, double limit) {
  return decode(encode(x, formats::float64, {.rounding = Rounding::toward_negative}).code, formats::float64) <
         limit;
}
inline bool is_above(const ExactValue<Wide>& x, double limit) {
  return decode(encode(x, formats::float64, {.rounding = Rounding::toward_positive}).code, formats::float64) >
         limit;
}

}  // namespace assay::detail
