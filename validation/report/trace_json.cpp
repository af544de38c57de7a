#include "validation/report/json.hpp"
#include "validation/report/trace_report.hpp"

namespace assay::report {

Json trace_json(std::span<const TraceStep> steps) {
  Json all = Json::array();
  for (const TraceStep& step : steps) {
    Json j{{"name", step.name}};
    if (step.quantum) j["quantum_exponent"] = *step.quantum;
    j["terms"] = Json::array();
    for (const TraceTerm& term : step.terms) {
      j["terms"].push_back({{"name", term.name},
                            {"exact", exact_text(term.exact)},
                            {"entered", exact_text(term.entered)},
                            {"cut_off", dropped_text(term)}});
    }
    j["sum"] = exact_text(step.sum);
    j["result"] = code_text(step.result, step.format);
    j["format"] = step.format.dtype;
    j["value"] = value_text(step.result, step.format);
    if (!step.note.empty()) j["note"] = step.note;
    all.push_back(std::move(j));
  }
  return all;
}

}  // namespace assay::report
