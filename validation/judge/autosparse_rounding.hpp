// Private to the judge: results that are off by rounding alone, a sum or a sigmoid of too little precision.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "validation/judge/autosparse_mistakes.hpp"

namespace assay::judge {

// ds as a loop in float32 makes it, term by term. Told where ds is off by more than a few ulp, has the bits of that
// loop's sum, and neither those of a pairwise sum nor those of a float64 one. `is_wrong`: the bound refuses it.
std::optional<std::string> naive_sum(const AutosparseLayer& layer, const ExactProducts& g,
                                     const AutosparseResult& result, bool is_wrong);

// A sigmoid of less than the weights' precision: of each threshold, one T a few ulp away from the right one explains
// every element of a mask, or of a v. `outside`: 1 where the right T does not.
std::optional<std::string> inexact_threshold(const AutosparseLayer& layer, const AutosparseResult& result,
                                             const std::vector<std::uint8_t>& outside);

}  // namespace assay::judge
