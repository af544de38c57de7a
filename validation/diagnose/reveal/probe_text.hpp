// What a probe found, as a person reads it.
#pragma once

#include <cstdint>
#include <string>

#include "validation/diagnose/reveal/draw.hpp"
#include "validation/diagnose/reveal/reveal.hpp"

namespace assay::diagnose {

// Every tree with its picture and what could not be told apart; the verdict of the predictions, and the first that
// were wrong.
std::string probe_text(const Revelation& revelation, const PredictionScore& score,
                       const DrawOptions& draw = {});

// The terms of a wrong prediction: those alone that are needed to see it. Asks the target; empty for gemm.
std::string fewest_terms_text(const Revelation& revelation, const Target& target, const Misprediction& wrong);

}  // namespace assay::diagnose
