// Reduces a wrong prediction to the fewest terms that still differ.
#pragma once

#include <optional>

#include "validation/diagnose/reveal/reveal.hpp"

namespace assay::diagnose {

// The operands of the misprediction `wrong` with as many terms as possible set to +0, such that the target's answer
// still differs from the prediction. Terms are removed by halves, quarters, ... down to single ones. Empty for a matrix
// product. Asks the target, and passes on its exceptions.
std::optional<SumOperands> fewest_terms(const Revelation& revelation, const Target& target,
                                        const Misprediction& wrong);

}  // namespace assay::diagnose
