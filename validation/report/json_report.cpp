#include "validation/report/json_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "reference/core/error.hpp"
#include "validation/report/comparison_report.hpp"
#include "validation/report/json.hpp"

namespace assay {
namespace {

using report::Json;

std::string line(const Json& json) { return report::one_line(json); }

Json mutants_json(const std::vector<TriedMutant>& mutants) {
  Json all = Json::array();
  for (const TriedMutant& m : mutants) {
    all.push_back({{"name", m.name},
                   {"by", m.by},
                   {"by_definition", m.by_definition},
                   {"kills", m.kills},
                   {"vectors", m.vectors}});
  }
  return all;
}

Json result_fields(const CaseResult& result) {
  Json figures = Json::array();
  for (const Figure& f : result.figures) {
    figures.push_back({{"name", f.name}, {"value", f.value}, {"unit", f.unit}});
  }
  Json json = {
      {"status", status_name(result.status)}, {"reason", result.reason},         {"checked", result.checked},
      {"mismatches", result.mismatches},      {"not_judged", result.not_judged}, {"figures", figures},
      {"details", detail_lines(result)},      {"evidence", result.evidence}};
  if (!result.mutants.empty()) json["mutants"] = mutants_json(result.mutants);
  if (result.status == Status::error) json["fault"] = fault_name(result.fault);
  if (result.comparison) json["comparison"] = Json::parse(json_comparison(*result.comparison));
  return json;
}

CaseResult result_of(const Json& json) {
  CaseResult result;
  result.status = parse_status(json.at("status").get<std::string>());
  if (result.status == Status::error) result.fault = parse_fault(json.at("fault").get<std::string>());
  json.at("reason").get_to(result.reason);
  json.at("checked").get_to(result.checked);
  json.at("mismatches").get_to(result.mismatches);
  json.at("not_judged").get_to(result.not_judged);
  for (const Json& f : json.at("figures")) {
    const Json& value = f.at("value");
    result.figures.push_back(
        {f.at("name").get<std::string>(),
         value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>(),
         f.at("unit").get<std::string>()});
  }
  json.at("details").get_to(result.details);
  json.at("evidence").get_to(result.evidence);
  if (const auto mutants = json.find("mutants"); mutants != json.end()) {
    for (const Json& m : *mutants) {
      result.mutants.push_back({.name = m.at("name").get<std::string>(),
                                .by = m.at("by").get<std::string>(),
                                .by_definition = m.at("by_definition").get<bool>(),
                                .kills = m.at("kills").get<std::uint64_t>(),
                                .vectors = m.at("vectors").get<std::uint64_t>()});
    }
    // Their lines are the last of the details.
    result.details.resize(result.details.size() - std::min(result.details.size(), result.mutants.size()));
  }
  if (const auto comparison = json.find("comparison"); comparison != json.end()) {
    result.comparison = std::make_shared<const compare::Comparison>(parse_comparison(comparison->dump()));
  }
  return result;
}

template <class Make>
auto parsed(std::string_view text, std::string_view what, Make make) {
  try {
    return make(Json::parse(text));
  } catch (const Json::exception& e) {
    throw InputError("", "", std::string(what), quoted(text) + " (" + e.what() + ")");
  }
}

}  // namespace

std::string json_header(const RunHeader& header) {
  Json isas = Json::array();
  Json unavailable = Json::object();
  for (const IsaState& isa : header.machine.isas) {
    if (isa.why_not.empty()) {
      isas.push_back(isa.name);
    } else {
      unavailable[isa.name] = isa.why_not;
    }
  }
  Json found = Json::array();
  Json missing = Json::array();
  for (const DataFolder& folder : header.data.folders) {
    for (const auto& file : folder.found) found.push_back(folder.name + "/" + file);
    for (const auto& file : folder.missing) missing.push_back(folder.name + "/" + file);
  }
  return line({{"record", "header"},
               {"schema", report_schema},
               {"schema_version", report_schema_version},
               {"assay", header.build.version},
               {"started", header.started},
               {"compiler", header.build.compiler},
               {"build_type", header.build.build_type},
               {"flags", header.build.flags},
               {"machine",
                {{"cpu", header.machine.cpu},
                 {"threads", header.machine.threads},
                 {"isas", isas},
                 {"unavailable", unavailable},
                 {"isa_limit", header.machine.isa_limit},
                 {"mxcsr", fmt::format("{:#06x}", header.machine.mxcsr)},
                 {"gpus", header.machine.gpus}}},
               {"seed", header.seed},
               {"scale", header.scale},
               {"suites", header.suites},
               {"cases", header.cases},
               {"data",
                {{"folder", header.data.folder.string()},
                 {"source", header.data.source},
                 {"found", found},
                 {"missing", missing},
                 {"fashion_mnist", header.data.fashion_mnist.string()}}}});
}

std::string json_case(const RunHeader& header, const CaseRecord& record) {
  Json json = {{"record", "case"}, {"name", record.name}};
  json.update(result_fields(record.result));
  json["seconds"] = record.seconds;
  json["repro"] = repro_line(header, record);
  return line(json);
}

std::string json_summary(const RunSummary& summary, std::span<const CaseRecord> records) {
  const Counts& c = summary.counts;
  Json skipped = Json::array();
  for (const CaseRecord& record : records) {
    if (record.result.status == Status::skipped) {
      skipped.push_back({{"name", record.name}, {"reason", record.result.reason}});
    }
  }
  Json json = {{"record", "summary"},
               {"verdict", summary.verdict},
               {"exit_code", summary.exit_code},
               {"interrupted", summary.interrupted},
               {"seconds", summary.seconds},
               {"counts",
                {{"cases", c.cases()},
                 {"passed", c.passed},
                 {"failed", c.failed},
                 {"vacuous", c.vacuous},
                 {"skipped", c.skipped},
                 {"errors", c.errors()}}},
               {"checked", c.checked},
               {"mismatches", c.mismatches},
               {"not_judged", c.not_judged},
               {"skipped", skipped}};
  for (const SuiteTime& suite : summary.suites) {
    Json one = {{"name", suite.name}, {"seconds", suite.seconds}};
    if (suite.budget > 0) one["budget"] = suite.budget;
    json["suites"].push_back(one);
  }
  if (!summary.report.empty()) json["report"] = summary.report;
  if (!summary.evidence.empty()) json["evidence"] = summary.evidence;
  return line(json);
}

std::string json_result(const CaseResult& result) { return line(result_fields(result)); }

CaseResult parse_json_result(std::string_view text) {
  return parsed(text, "the result of a case as JSON", [](const Json& json) { return result_of(json); });
}

CaseRecord parse_json_case(std::string_view text) {
  return parsed(text, "a case as JSON", [](const Json& json) {
    return CaseRecord{json.at("name").get<std::string>(), result_of(json), json.at("seconds").get<double>()};
  });
}

}  // namespace assay
