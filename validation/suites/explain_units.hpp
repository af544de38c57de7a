// What diagnosis needs from code that knows the machines: the steps of a unit, and an input that tells two apart.
#pragma once

#include <cstdint>

#include "validation/diagnose/explain/explain.hpp"

namespace assay {

// Options of explain() for this input, which outlives them; the search for inputs goes by the seed.
diagnose::ExplainOptions explain_options(const diagnose::ExplainInput& input, std::uint64_t seed);

}  // namespace assay
