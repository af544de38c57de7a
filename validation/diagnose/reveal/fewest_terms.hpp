// The smallest part of a wrong prediction that still shows it.
#pragma once

#include <optional>

#include "validation/diagnose/reveal/reveal.hpp"

namespace assay::diagnose {

// The operands of the misprediction `wrong` with as many terms as possible set to +0, such that what the target answers
// still differs from the prediction. Terms go by halves, quarters, ... down to single ones. Empty for a matrix product.
// Asks the target, and throws what it throws.
std::optional<SumOperands> fewest_terms(const Revelation& revelation, const Target& target,
                                        const Misprediction& wrong);

}  // namespace assay::diagnose
