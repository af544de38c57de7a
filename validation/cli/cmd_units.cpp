// assay units: machines' dot-product units, what they do and how it is known.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "emulation/units/unit.hpp"
#include "reference/core/near_names.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/report/unit_report.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::cli {
namespace {

struct UnitsCommand {
  std::string name;
  bool json = false;
};

UnitDescription described(const Unit& unit) {
  UnitDescription d{.info = &unit.info()};
  std::vector<UnitPath> plainest_first = unit.paths();
  std::reverse(plainest_first.begin(), plainest_first.end());
  for (const UnitPath& path : plainest_first) {
    d.paths.push_back(
        {.name = path.name, .needs = isa_name(path.needs), .why_not = why_unavailable(path.needs)});
  }
  return d;
}

int units(const UnitsCommand& o) {
  std::vector<UnitDescription> all;
  std::vector<std::string> names;
  for (const Arithmetic* arithmetic : arithmetics().list()) {
    const Unit* const unit = as_unit(*arithmetic);
    if (unit == nullptr) continue;
    all.push_back(described(*unit));
    names.push_back(unit->info().name);
  }
  if (o.name.empty()) {
    put(o.json ? units_json(all) + '\n' : units_text(all, terminal_width()));
    return agree;
  }
  for (const UnitDescription& unit : all) {
    if (unit.info->name != o.name) continue;
    put(o.json ? unit_json(unit) + '\n' : unit_text(unit, terminal_width()));
    return agree;
  }
  throw unknown_name("units", "a unit", o.name, names);
}

}  // namespace

std::function<int()> make_units(CLI::App& app) {
  const auto o = std::make_shared<UnitsCommand>();
  app.add_option("NAME", o->name, "Show everything known about this unit (default: a table of all units)");
  app.add_flag("--json", o->json, "Print JSON on stdout");
  return [o] { return units(*o); };
}

}  // namespace assay::cli
