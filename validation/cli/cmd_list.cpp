// assay list: what there is of a family, from its registry.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "reference/core/near_names.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/registries.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/report/table.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string what;
  bool json = false;
};

std::string cell(const Member& value) {
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string as_table(const Registry& registry, const std::vector<Member>& members) {
  std::vector<std::vector<std::string>> rows;
  // A column that is empty in every row is left out: on a machine that runs every kernel there is nothing to explain.
  std::vector<std::string> columns;
  if (!members.empty()) {
    for (const auto& [key, value] : members.front().items()) {
      for (const Member& member : members) {
        if (cell(member.at(key)).empty()) continue;
        columns.push_back(key);
        break;
      }
    }
  }
  rows.push_back(columns);
  for (std::string& heading : rows.front()) {
    for (char& c : heading) c = c == '_' ? ' ' : c;
  }
  for (const Member& member : members) {
    std::vector<std::string> row;
    for (const std::string& column : columns) row.push_back(cell(member.at(column)));
    rows.push_back(std::move(row));
  }
  std::string text = table_text(rows, terminal_width());
  if (has_colour(stdout)) {
    const auto end = text.find('\n');
    text = "\x1b[1m" + text.substr(0, end) + "\x1b[0m" + text.substr(end);
  }
  if (!registry.note.empty()) text += fmt::format("\n{}\n", registry.note);
  return text;
}

int list(const Options& options) {
  std::vector<std::string> names;
  for (const Registry& registry : all_registries()) {
    names.emplace_back(registry.name);
    if (registry.name != options.what) continue;
    const std::vector<Member> members = registry.members();
    put(options.json ? Member(members).dump(2) + '\n' : as_table(registry, members));
    return agree;
  }
  if (!options.what.empty()) throw unknown_name("list", "a family", options.what, names);

  // Without a name: what can be listed.
  const auto families = [] {
    std::vector<Member> members;
    for (const Registry& r : all_registries()) {
      members.push_back({{"name", r.name}, {"members", r.members().size()}, {"summary", r.summary}});
    }
    return members;
  };
  const Registry all{"families", "", families};
  put(options.json ? Member(families()).dump(2) + '\n' : as_table(all, families()));
  return agree;
}

}  // namespace

std::function<int()> make_list(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  std::string names;
  for (const Registry& registry : all_registries())
    names += (names.empty() ? "" : ", ") + std::string(registry.name);
  app.add_option("FAMILY", options->what, "One of " + names + "; without it, these with their sizes");
  app.add_flag("--json", options->json, "An array of objects on stdout");
  return [options] { return list(*options); };
}

}  // namespace assay::cli
