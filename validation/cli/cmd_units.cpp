// assay units: machines' dot-product units, what they do and how it is known.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <ranges>
#include <string>
#include <vector>

#include "emulation/units/unit.hpp"
#include "reference/core/near_names.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/report/table.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string name;
  bool json = false;
};

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
std::vector<std::string> path_lines(const Unit& unit) {
  std::vector<std::string> lines;
  const std::vector<UnitPath> paths = unit.paths();
  for (const UnitPath& path : paths | std::views::reverse) {
    const std::string why = why_unavailable(path.needs);
    lines.push_back(why.empty() ? std::string(path.name) : fmt::format("{} ({})", path.name, why));
  }
  return lines;
}

nlohmann::ordered_json as_json(const Unit& unit) {
  const ArithmeticInfo& info = unit.info();
  auto inputs = nlohmann::ordered_json::array();
  for (const auto& [a, b] : info.inputs) inputs.push_back({a.dtype, b.dtype});
  auto outputs = nlohmann::ordered_json::array();
  for (const FormatSpec& f : info.outputs) outputs.push_back(f.dtype);
  nlohmann::ordered_json parameters = nlohmann::ordered_json::object();
  for (const auto& [key, value] : info.parameters) parameters[key] = value;
  auto paths = nlohmann::ordered_json::array();
  const std::vector<UnitPath> best_first = unit.paths();
  for (const UnitPath& path : best_first | std::views::reverse) {
    const std::string why = why_unavailable(path.needs);
    paths.push_back(
        {{"name", path.name}, {"needs", isa_name(path.needs)}, {"here", why.empty()}, {"why_not", why}});
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

std::string described(const Unit& unit) {
  const ArithmeticInfo& info = unit.info();
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
  rows.push_back({"paths", fmt::format("{}", fmt::join(path_lines(unit), "; "))});
  rows.push_back({"evidence", evidence_text(info)});
  rows.push_back({"source", info.source});
  return fmt::format("{}: {}\n{}", info.name, info.summary, table_text(rows, terminal_width(), 2));
}

std::string as_table(const std::vector<const Unit*>& units) {
  std::vector<std::vector<std::string>> rows{
      {"name", "inputs", "acc", "output", "step", "evidence", "summary"}};
  for (const Unit* unit : units) {
    const ArithmeticInfo& info = unit->info();
    rows.push_back({info.name, short_inputs_text(info), std::string(info.accumulator.short_name),
                    outputs_text(info), fmt::format("{}", info.step_terms), evidence_text(info),
                    info.summary});
  }
  return table_text(rows, terminal_width()) +
         "\nstep: products that enter one addition. evidence: HW run against the hardware, REC against its "
         "recorded\n"
         "results, CC read from compiled code, SRC from publications alone, UNV a guess; the last two are "
         "unverified.\n";
}

int units(const Options& o) {
  std::vector<const Unit*> all;
  std::vector<std::string> names;
  for (const Arithmetic* arithmetic : arithmetics().list()) {
    const Unit* const unit = as_unit(*arithmetic);
    if (unit == nullptr) continue;
    all.push_back(unit);
    names.push_back(unit->info().name);
  }
  if (o.name.empty()) {
    if (!o.json) {
      put(as_table(all));
      return agree;
    }
    auto array = nlohmann::ordered_json::array();
    for (const Unit* unit : all) array.push_back(as_json(*unit));
    put(array.dump(2) + '\n');
    return agree;
  }
  for (const Unit* unit : all) {
    if (unit->info().name != o.name) continue;
    put(o.json ? as_json(*unit).dump(2) + '\n' : described(*unit));
    return agree;
  }
  throw unknown_name("units", "a unit", o.name, names);
}

}  // namespace

std::function<int()> make_units(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  app.add_option("NAME", o->name, "One unit, with everything that is known of it; without it, the table");
  app.add_flag("--json", o->json, "JSON on stdout");
  return [o] { return units(*o); };
}

}  // namespace assay::cli
