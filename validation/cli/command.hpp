// A command of `assay`: a name, a one-line summary, an example, and a function that adds its options to the parser.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace assay::cli {

// Exit codes of every command; the larger precedence wins: internal > usage > disagree > nothing > agree.
enum Exit : int { agree = 0, disagree = 1, usage = 2, nothing_verified = 3, internal = 4 };

struct Command {
  std::string_view name;
  std::string_view summary;
  std::string_view example;  // shown by --help, a line that works as it stands
  // Adds options to the subcommand's parser and returns what to run once they are parsed; its result is the exit code.
  std::function<int()> (*make)(CLI::App& app);
};

// What followed a lone "--" on the command line: the arguments of the program that `assay simt run` runs.
const std::vector<std::string>& words_after_dashes();

std::span<const Command> all_commands();  // commands.def, in its order

#define COMMAND(name, summary, example) std::function<int()> make_##name(CLI::App& app);
#include "validation/cli/commands.def"
#undef COMMAND

}  // namespace assay::cli
