// What the values outside look like: moved, flipped, scaled, truncated.
#pragma once

#include <string>
#include <vector>

#include "validation/compare/pairs.hpp"
#include "validation/compare/place_tally.hpp"
#include "validation/compare/vacuity.hpp"

namespace assay::compare {

// A hint is a hypothesis that gives every value of tally.sample() within the noise of its format. It is said only if
// chance would not have done as well: each value that it predicts is worth log2(size of the error / what the prediction
// leaves open) bits, values that a parameter was fitted to are worth none, and the sum must exceed the logarithm of the
// number of hypotheses tried by 12 bits (one in four thousand). So an error of one ulp, which any neighbour could be,
// is worth one bit, and a NaN or an infinity none. Hints describe the data and are no diagnosis.
std::vector<std::string> hints(const Pairs& pairs, const PlaceTally& tally, const CodeAt& stale);

}  // namespace assay::compare
