// The arithmetic of a kernel of which only the formats are known: it has exact results and a bound, but no
// bits.
#pragma once

#include <memory>

#include "reference/exact/arithmetic.hpp"

namespace assay::judge {

// Dot products accumulated as `how` says, in `how.order`, given as codes of how.accumulator or of `output`.
// dot() and step() throw ContractError: many results are right. bound() is infinite where partial sums may
// pass the accumulator's range.
std::unique_ptr<const Arithmetic> make_any_order(const Accumulation& how, const FormatSpec& output);

}  // namespace assay::judge
