// Arrays converted to the formats that a unit takes.
#pragma once

#include <string>
#include <utility>

#include "reference/exact/arithmetic.hpp"
#include "validation/io/array.hpp"

namespace assay::judge {

// The pair of formats in which `info` takes arrays of formats a and b: as they are, else one of them as it is, else its
// first pair.
std::pair<FormatSpec, FormatSpec> input_formats(const ArithmeticInfo& info, const FormatSpec& a,
                                                const FormatSpec& b);

// Every element in format `to`: exactly, or with `round` to nearest even. InputError with the array's origin, the
// element and what `info` takes for a value that does not fit.
io::Array fitted(io::Array&& array, const FormatSpec& to, bool round, const ArithmeticInfo& info);

}  // namespace assay::judge
