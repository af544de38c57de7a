// Outputs of an explanation as candidates read them. Private to the explanation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "validation/diagnose/explain/explain.hpp"

namespace assay::diagnose {

// An operand as an arithmetic reads it: codes with their scales.
CodeVector a_of(const ExplainElement& e, const ExplainInput& input);
CodeVector b_of(const ExplainElement& e, const ExplainInput& input);

// An operand as a chain reads it: the values, scaled.
CodeVector a_values_of(const ExplainElement& e, const ExplainInput& input);
CodeVector b_values_of(const ExplainElement& e, const ExplainInput& input);

bool same_bits(std::uint64_t x, std::uint64_t y, const FormatSpec& f);

// c as a code of an accumulator; empty if there is none. The caller has seen that it is held.
std::optional<std::uint64_t> start_of(const ExplainElement& e, const FormatSpec& c, const FormatSpec& f);

bool takes_formats(const Arithmetic& arithmetic, const ExplainInput& input);
bool takes(const Arithmetic& arithmetic, const ExplainInput& input);

// What leaves the candidate's sum, as a code of its sum_format.
std::uint64_t sum_of(const ExplainCandidate& c, const ExplainInput& input, std::size_t i);

}  // namespace assay::diagnose
