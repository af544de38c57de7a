#include "validation/report/unit_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "validation/report/json.hpp"
#include "validation/report/table.hpp"
#include "validation/report/trace_report.hpp"

namespace assay {
namespace {

using report::Json;

std::string inputs_text(const ArithmeticInfo& info) {
  std::vector<std::string> pairs;
  for (const auto& [a, b] : info.inputs) {
    pairs.push_back(a == b ? std::string(a.short_name) : fmt::format("{} x {}", a.short_name, b.short_name));
  }
  return fmt::format("{}", fmt::join(pairs, ", "));
}

// The same for a table: a unit that takes any pair of many formats names the formats.
std::string short_inputs_text(const ArithmeticInfo& info) {
  std::vector<std::string_view> names;
  for (const auto& [a, b] : info.inputs) {
    for (const FormatSpec& f : {a, b}) {
      if (std::find(names.begin(), names.end(), f.short_name) == names.end()) names.push_back(f.short_name);
    }
  }
  return info.inputs.size() > 4 ? fmt::format("{}, any two", fmt::join(names, " ")) : inputs_text(info);
}

std::string outputs_text(const ArithmeticInfo& info) {
  std::vector<std::string_view> names;
  for (const FormatSpec& f : info.outputs) names.push_back(f.short_name);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string evidence_text(const ArithmeticInfo& info) {
  return fmt::format("{}{}", evidence_name(info.evidence),
                     is_unverified(info.evidence) ? ", unverified" : "");
}

// Every path, with the reason where this CPU cannot run it.
std::vector<std::string> path_texts(const UnitDescription& unit) {
  std::vector<std::string> texts;
  for (const UnitDescription::Path& path : unit.paths) {
    texts.push_back(path.why_not.empty() ? std::string(path.name)
                                         : fmt::format("{} ({})", path.name, path.why_not));
  }
  return texts;
}

Json description_json(const UnitDescription& unit) {
  const ArithmeticInfo& info = *unit.info;
  Json inputs = Json::array();
  for (const auto& [a, b] : info.inputs) inputs.push_back({a.dtype, b.dtype});
  Json outputs = Json::array();
  for (const FormatSpec& f : info.outputs) outputs.push_back(f.dtype);
  Json parameters = Json::object();
  for (const auto& [key, value] : info.parameters) parameters[key] = value;
  Json paths = Json::array();
  for (const UnitDescription::Path& path : unit.paths) {
    paths.push_back({{"name", path.name},
                     {"needs", path.needs},
                     {"here", path.why_not.empty()},
                     {"why_not", path.why_not}});
  }
  return {{"name", info.name},
          {"family", info.family},
          {"summary", info.summary},
          {"inputs", inputs},
          {"accumulator", info.accumulator.dtype},
          {"outputs", outputs},
          {"step_terms", info.step_terms},
          {"order", info.order},
          {"products", info.products},
          {"fused", info.fused},
          {"rounding", info.rounding},
          {"flush_inputs", info.flush_inputs},
          {"flush_results", info.flush_results},
          {"nan", info.nan},
          {"parameters", parameters},
          {"paths", paths},
          {"evidence", evidence_name(info.evidence)},
          {"unverified", is_unverified(info.evidence)},
          {"source", info.source}};
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ","));
}

const char* unverified_text(const ArithmeticInfo& info) {
  return is_unverified(info.evidence) ? " (unverified)" : "";
}

}  // namespace

std::string unit_text(const UnitDescription& unit, std::size_t width) {
  const ArithmeticInfo& info = *unit.info;
  std::vector<std::vector<std::string>> rows{
      {"family", info.family},
      {"inputs", inputs_text(info)},
      {"accumulator", std::string(info.accumulator.dtype)},
      {"output", outputs_text(info)},
      {"step", fmt::format("{} product{}", info.step_terms, info.step_terms == 1 ? "" : "s")},
      {"order", info.order},
      {"products", info.products},
      {"rounding", info.rounding + (info.fused ? ", product and addition together" : "")},
      {"subnormals", fmt::format("operands {}, results {}", info.flush_inputs ? "flushed" : "kept",
                                 info.flush_results ? "flushed" : "kept")},
      {"NaN", info.nan}};
  for (const auto& [key, value] : info.parameters) rows.push_back({key, value});
  rows.push_back({"paths", fmt::format("{}", fmt::join(path_texts(unit), "; "))});
  rows.push_back({"evidence", evidence_text(info)});
  rows.push_back({"source", info.source});
  return fmt::format("{}: {}\n{}", info.name, info.summary, table_text(rows, width, 2));
}

std::string units_text(std::span<const UnitDescription> units, std::size_t width) {
  std::vector<std::vector<std::string>> rows{
      {"name", "inputs", "acc", "output", "step", "evidence", "summary"}};
  for (const UnitDescription& unit : units) {
    const ArithmeticInfo& info = *unit.info;
    rows.push_back({info.name, short_inputs_text(info), std::string(info.accumulator.short_name),
                    outputs_text(info), fmt::format("{}", info.step_terms), evidence_text(info),
                    info.summary});
  }
  return table_text(rows, width) +
         "\nstep: products that enter one addition. evidence: HW run against the hardware, REC against its "
         "recorded\n"
         "results, CC read from compiled code, SRC from publications alone, UNV a guess; the last two are "
         "unverified.\n";
}

std::string unit_json(const UnitDescription& unit) { return report::indented_json(description_json(unit)); }

std::string units_json(std::span<const UnitDescription> units) {
  Json all = Json::array();
  for (const UnitDescription& unit : units) all.push_back(description_json(unit));
  return report::indented_json(all);
}

std::string unit_products_text(const UnitProducts& c) {
  std::string text = fmt::format("{}{}: {} x {} into {} {}, {} products in {:.3g} s\n", c.info->name,
                                 unverified_text(*c.info), c.a, c.b, c.output.dtype, shape_text(c.shape),
                                 c.products, c.seconds);
  if (!c.out.empty()) text += fmt::format("written to {}\n", c.out);
  return text;
}

std::string unit_products_json(const UnitProducts& c) {
  return report::one_line({{"unit", c.info->name},
                           {"evidence", evidence_name(c.info->evidence)},
                           {"unverified", is_unverified(c.info->evidence)},
                           {"a", c.a},
                           {"b", c.b},
                           {"output", c.output.dtype},
                           {"shape", c.shape},
                           {"products", c.products},
                           {"seconds", c.seconds},
                           {"out", c.out}});
}

std::string unit_trace_text(const UnitTrace& trace) {
  return fmt::format("{}, row {}: {} products{}\n\n{}", trace.info->name, trace.row, trace.products,
                     unverified_text(*trace.info), trace_text(trace.steps));
}

std::string unit_trace_json(const UnitTrace& trace) {
  return report::one_line({{"unit", trace.info->name},
                           {"evidence", evidence_name(trace.info->evidence)},
                           {"unverified", is_unverified(trace.info->evidence)},
                           {"row", trace.row},
                           {"steps", report::trace_json(trace.steps)},
                           {"products", trace.products}});
}

}  // namespace assay
