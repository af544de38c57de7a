// How a unit's result came about, for people and for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "emulation/units/unit.hpp"

namespace assay::cli {

// A table for each step: every term, what of it entered, what was cut off; the sum and what became of it.
std::string trace_text(std::span<const TraceStep> steps);

// An array of steps; numbers are exact, as C99 hex.
nlohmann::ordered_json trace_json(std::span<const TraceStep> steps);

}  // namespace assay::cli
