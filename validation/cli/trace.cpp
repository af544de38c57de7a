#include "validation/cli/trace.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "reference/exact/exact_sum.hpp"
#include "reference/formats/encode.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/cli/unit_command.hpp"

namespace assay::cli {
namespace {

// exact - entered; nothing where both are the same or one is no number.
std::string dropped_text(const TraceTerm& term) {
  if (term.exact.kind != Kind::finite || term.entered.kind != Kind::finite) return "";
  ExactSum difference;
  difference.add(term.entered);
  difference.negate();
  difference.add(term.exact);
  const ExactValue<Wide> rest = difference.result();
  return rest.is_zero() ? "" : exact_text(rest);
}

std::string code_text(std::uint64_t code, const FormatSpec& f) {
  return fmt::format("{:#0{}x}", code, (f.bits + 3) / 4 + 2);
}

}  // namespace

std::string trace_text(std::span<const TraceStep> steps) {
  std::string text;
  for (const TraceStep& step : steps) {
    text += step.name;
    if (step.quantum) text += fmt::format(", cut to multiples of 2^{}", *step.quantum);
    text += '\n';
    std::vector<std::vector<std::string>> rows{{"term", "exact", "entered", "cut off"}};
    for (const TraceTerm& term : step.terms)
      rows.push_back({term.name, exact_text(term.exact), exact_text(term.entered), dropped_text(term)});
    text += table_text(rows, 0, 2);
    text += fmt::format("  sum {}  ->  {} {} = {}{}{}\n\n", exact_text(step.sum), step.format.dtype,
                        code_text(step.result, step.format),
                        exact_text(widened(exact_from_code(step.result, step.format))),
                        step.note.empty() ? "" : "  ", step.note);
  }
  if (!text.empty()) text.pop_back();
  return text;
}

nlohmann::ordered_json trace_json(std::span<const TraceStep> steps) {
  auto all = nlohmann::ordered_json::array();
  for (const TraceStep& step : steps) {
    nlohmann::ordered_json j{{"name", step.name}};
    if (step.quantum) j["quantum_exponent"] = *step.quantum;
    j["terms"] = nlohmann::ordered_json::array();
    for (const TraceTerm& term : step.terms) {
      j["terms"].push_back({{"name", term.name},
                            {"exact", exact_text(term.exact)},
                            {"entered", exact_text(term.entered)},
                            {"cut_off", dropped_text(term)}});
    }
    j["sum"] = exact_text(step.sum);
    j["result"] = code_text(step.result, step.format);
    j["format"] = step.format.dtype;
    j["value"] = exact_text(widened(exact_from_code(step.result, step.format)));
    if (!step.note.empty()) j["note"] = step.note;
    all.push_back(std::move(j));
  }
  return all;
}

}  // namespace assay::cli
