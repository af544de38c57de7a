// JSON writing for the files of this folder; users of the reports get strings and need no JSON library.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "reference/exact/trace.hpp"

namespace assay::report {

// Keys stay in the order in which a reader wants them.
using Json = nlohmann::ordered_json;

// On one line, without the line feed; what is not UTF-8 is shown with replacement characters.
inline std::string one_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}
// The same over several lines, indented by two.
inline std::string indented_json(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

// JSON has no infinities and NaNs: they are strings.
inline Json number_json(double x) {
  if (std::isfinite(x)) return x;
  return std::isnan(x) ? "nan" : x < 0 ? "-inf" : "inf";
}

// {name, quantum_exponent, terms: [{name, exact, entered, cut_off}], sum, result, format, value, note} of each step.
Json trace_json(std::span<const TraceStep> steps);

}  // namespace assay::report
