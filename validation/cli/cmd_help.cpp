// assay help: what --help of a command shows, for those who type it as words.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/near_names.hpp"
#include "validation/cli/command.hpp"

namespace assay::cli {
namespace {

int run(const CLI::App& help, const std::vector<std::string>& words) {
  const CLI::App* at = help.get_parent();
  std::string above;
  for (const std::string& word : words) {
    std::vector<std::string> names;
    const CLI::App* below = nullptr;
    for (const CLI::App* sub : at->get_subcommands([](const CLI::App*) { return true; })) {
      names.push_back(sub->get_name());
      if (names.back() == word) below = sub;
    }
    above += (above.empty() ? "" : " ") + at->get_name();
    if (below == nullptr) throw unknown_name("", "a command", word, names);
    at = below;
  }
  // Of the formatter, and not at->help(): the root would hand over to the subcommand that was parsed, `help` itself.
  fmt::print("{}",
             at->get_formatter()->make_help(at, above.empty() ? at->get_name() : above + " " + at->get_name(),
                                            CLI::AppFormatMode::Normal));
  return agree;
}

}  // namespace

std::function<int()> make_help(CLI::App& app) {
  const auto words = std::make_shared<std::vector<std::string>>();
  app.add_option("command", *words, "The command to explain, for example check (default: all commands)");
  return [words, &app] { return run(app, *words); };
}

}  // namespace assay::cli
