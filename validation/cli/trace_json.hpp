// How a sum came about, for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "reference/exact/trace.hpp"

namespace assay::cli {

// An array of steps; numbers are exact, as C99 hex.
nlohmann::ordered_json trace_json(std::span<const TraceStep> steps);

}  // namespace assay::cli
