#include "validation/report/pairs_report.hpp"

#include <fmt/format.h>

#include <utility>

#include "reference/core/printable.hpp"
#include "validation/report/json.hpp"
#include "validation/report/json_report.hpp"
#include "validation/report/table.hpp"

namespace assay {
namespace {

using report::Json;

std::vector<std::string> table_row(const PairedArray& row) {
  const CaseResult& result = row.record.result;
  const std::string status(row.is_missing ? "MISSING" : row.is_extra ? "EXTRA" : status_name(result.status));
  if (!result.comparison) return {status, printable(row.array), "", "", "", "", "", result.reason};
  const compare::Comparison& c = *result.comparison;
  std::string most = "0";
  if (c.class_mismatches > 0) {
    most = "NaN or infinity on one side";
  } else if (c.integers) {
    most = compare::integer_text(c.integers->largest_difference);
  } else if (c.max_absolute.value > 0) {
    most = fmt::format("{:.3g}", c.max_absolute.value);
  }
  return {status,
          printable(row.array),
          !row.type.empty() ? row.type
          : c.integers      ? c.integers->got_type.name()
                            : std::string(c.format.dtype),
          compare::shape_text(c.shape),
          std::to_string(c.values),
          std::to_string(c.differ),
          std::to_string(c.outside),
          most};
}

}  // namespace

std::string pairs_text(std::span<const PairedArray> rows, const RunHeader& header, const RunSummary& summary,
                       const TextStyle& style) {
  std::vector<std::vector<std::string>> table{
      {"", "array", "type", "shape", "values", "differ", "outside", "largest error"}};
  for (const PairedArray& row : rows) table.push_back(table_row(row));
  std::string text = table_text(table, 0);
  for (const PairedArray& row : rows) {
    // Rows that did not pass say it below.
    if (row.record.result.comparison && row.record.result.status != Status::passed) continue;
    for (const std::string& note : row.notes) text += note + '\n';
  }
  for (const PairedArray& row : rows) {
    if (row.record.result.comparison && row.record.result.status != Status::passed)
      text += '\n' + text_case(header, row.record, style);
  }
  return text + '\n' + text_summary(summary, style);
}

namespace {

Json case_of(const PairedArray& row, const RunHeader& header) {
  Json found = Json::parse(json_case(header, row.record));
  found["array"] = row.array;
  if (!row.notes.empty()) found["notes"] = row.notes;
  return found;
}

void add_summary(Json& json, const RunSummary& summary) {
  const Json whole = Json::parse(json_summary(summary, {}));
  for (const char* const key : {"verdict", "exit_code", "seconds", "counts"}) json[key] = whole.at(key);
}

}  // namespace

std::string pairs_json(const std::string& got, const std::string& want, std::span<const PairedArray> rows,
                       const RunHeader& header, const RunSummary& summary) {
  Json missing = Json::array(), extra = Json::array(), pairs = Json::array();
  for (const PairedArray& row : rows) {
    if (row.is_missing) missing.push_back(row.array);
    if (row.is_extra) extra.push_back(row.array);
    if (!row.is_missing && !row.is_extra) pairs.push_back(case_of(row, header));
  }
  Json json = {{"record", "pairs"}, {"got", got}, {"want", want}};
  add_summary(json, summary);
  json["missing"] = std::move(missing);
  json["extra"] = std::move(extra);
  json["pairs"] = std::move(pairs);
  return report::one_line(json);
}

std::string results_json(const std::string& command, std::span<const PairedArray> results,
                         const RunHeader& header, const RunSummary& summary) {
  Json json = {{"record", "results"}, {"command", command}};
  add_summary(json, summary);
  json["results"] = Json::array();
  for (const PairedArray& row : results) json["results"].push_back(case_of(row, header));
  return report::one_line(json);
}

}  // namespace assay
