// The steps of a sum, as text and as JSON.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "reference/exact/trace.hpp"

namespace assay {

// "0x1.8p-3", "-0x0p+0", "inf": exact, whatever its width.
std::string exact_text(const ExactValue<Wide>& x);

// "0x3f80": all digits of the format's width.
std::string code_text(std::uint64_t code, const FormatSpec& format);

// Its value, exact.
std::string value_text(std::uint64_t code, const FormatSpec& format);

// exact - entered; empty where both are the same or one is no number.
std::string dropped_text(const TraceTerm& term);

// A table for each step: every term, what of it entered, what was cut off; the sum and what became of it.
std::string trace_text(std::span<const TraceStep> steps);

}  // namespace assay
