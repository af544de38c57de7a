// assay list: what there is of a family, from its registry.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "reference/core/near_names.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/registries.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/report/listing.hpp"

namespace assay::cli {
namespace {

struct ListCommand {
  std::string what;
  bool json = false;
};

void show(const std::vector<Member>& members, std::string_view note, bool json) {
  put(json ? listing_json(members) + '\n'
           : listing_text(members, note, terminal_width(), has_colour(stdout)));
}

int list(const ListCommand& options) {
  std::vector<std::string> names;
  for (const Registry& registry : all_registries()) {
    names.emplace_back(registry.name);
    if (registry.name != options.what) continue;
    show(registry.members(), registry.note, options.json);
    return agree;
  }
  if (!options.what.empty()) throw unknown_name("list", "a family", options.what, names);

  // Without a name: what can be listed.
  std::vector<Member> families;
  for (const Registry& r : all_registries())
    families.push_back({{"name", r.name}, {"members", r.members().size()}, {"summary", r.summary}});
  show(families, "", options.json);
  return agree;
}

}  // namespace

std::function<int()> make_list(CLI::App& app) {
  const auto options = std::make_shared<ListCommand>();
  std::string names;
  for (const Registry& registry : all_registries())
    names += (names.empty() ? "" : ", ") + std::string(registry.name);
  app.add_option("FAMILY", options->what, "One of " + names + " (default: a table of these)");
  app.add_flag("--json", options->json, "Print an array of objects on stdout");
  return [options] { return list(*options); };
}

}  // namespace assay::cli
