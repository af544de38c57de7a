#include "validation/cli/command_line.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <system_error>
#include <utility>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "reference/core/near_names.hpp"
#include "validation/cli/memory.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/report/doctor_report.hpp"
#include "validation/report/table.hpp"

namespace assay::cli {
namespace {

// What the parser did not take, as it is to be printed.
struct ParseFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A closed descriptor 0, 1 or 2 would be handed to the next file that is opened, and a report would receive what is
// meant for stdout. What takes its place cannot be read where input is meant and cannot be written where output is, so
// that both still fail.
void occupy_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    const int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF && ::open("/dev/null", mode) != fd) return;
  }
}

// A signal that ends the process leaves no half-written file. What `assay run` does about signals goes before this.
void clean_up_on_signals() {
  struct sigaction clean {};
  clean.sa_handler = [](int signal) {
    remove_unfinished_files();
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  };
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    ::sigaction(signal, nullptr, &before);
    // What nohup or a shell's `&` has had ignored stays ignored.
    if (before.sa_handler == SIG_DFL) ::sigaction(signal, &clean, nullptr);
  }
}

[[noreturn]] void end_by_signal(int signal) {
  std::signal(signal, SIG_DFL);
  std::raise(signal);
  std::_Exit(128 + signal);  // the signal is blocked
}

// Help of at most 100 columns that says what an option takes and not which others it excludes: the message does when it
// matters.
class HelpFormat : public CLI::Formatter {
 public:
  HelpFormat() { column_width(left); }
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string text;
    const std::string type = option->get_type_name();  // "N:INT in [1 - 4096]" where a check is attached
    if (option->get_type_size() != 0) text += " " + type.substr(0, type.find(':'));
    if (!option->get_default_str().empty()) text += "=" + option->get_default_str();
    if (option->get_expected_max() >= CLI::detail::expected_max_vector_size) text += " ...";
    return text;
  }
  std::string make_option_desc(const CLI::Option* option) const override {
    return fmt::format("{}", fmt::join(wrapped(option->get_description(), 100 - left), "\n"));
  }

 private:
  static constexpr std::size_t left = 30;
};

// `assay run`, `assay spdnn generate`: the parser that took the words last.
const CLI::App& deepest(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  return *at;
}

std::string full_name(const CLI::App& app) {
  const CLI::App* const parent = app.get_parent();
  return parent == nullptr ? app.get_name() : full_name(*parent) + " " + app.get_name();
}

std::string usage_message(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& at = deepest(app);
  std::string what = error.what();
  // The words that no option and no position took.
  const std::vector<std::string> extras = at.remaining();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && !extras.empty()) {
    const std::string word = extras.front().substr(0, extras.front().find('='));
    std::vector<std::string> known;
    const bool is_option = word.starts_with("-");
    if (is_option) {
      for (const CLI::Option* option : at.get_options()) {
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
      }
    } else {
      for (const CLI::App* sub : at.get_subcommands([](const CLI::App*) { return true; }))
        known.push_back(sub->get_name());
    }
    what = fmt::format("{} {}", is_option ? "there is no option" : "there is no use for the argument",
                       quoted(word));
    std::string label = "; near names: ";
    for (const std::string& name : near_names(word, known)) what += std::exchange(label, ", ") + name;
  }
  return fmt::format("{}: {}\n{} --help shows what it takes", full_name(at), what, full_name(at));
}

std::string examples(std::span<const Command> commands) {
  std::string text = "Examples:";
  for (const Command& command : commands) text += fmt::format("\n  {}", command.example);
  return text +
         "\n\nExit codes: 0 all agree, 1 some disagree, 2 usage or unreadable input, 3 nothing was "
         "verified,\n"
         "4 internal error. With --json a command puts JSON, and nothing else, on stdout.";
}

std::vector<std::string>& program_words() {
  static std::vector<std::string> words;
  return words;
}

int parse_and_run(std::span<const Command> commands, int argc, char** argv) {
  CLI::App app("Says whether the numbers of sparse and low-precision kernels are right.", "assay");
  app.formatter(std::make_shared<HelpFormat>());  // before the commands, which inherit it
  bool version = false, json = false;
  app.add_flag("--version", version, "Print version, compiler and flags");
  app.add_flag("--json", json, "With --version: print JSON");
  app.footer(examples(commands));
  std::vector<std::string> names;
  std::map<const CLI::App*, std::function<int()>> bodies;
  for (const Command& command : commands) {
    CLI::App* const sub = app.add_subcommand(std::string(command.name), std::string(command.summary));
    sub->footer(fmt::format("Example:\n  {}", command.example));
    bodies[sub] = command.make(*sub);
    names.emplace_back(command.name);
  }
  app.require_subcommand(0, 1);

  if (argc > 1 && argv[1][0] != '-' && std::find(names.begin(), names.end(), argv[1]) == names.end()) {
    throw unknown_name("", "a command", argv[1], names);
  }
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  // The arguments of a program are nobody's options.
  if (!words.empty() && words.front() == "simt") {
    const auto dashes = std::find(words.begin(), words.end(), "--");
    if (dashes != words.end()) program_words().assign(dashes + 1, words.end());
    words.erase(dashes, words.end());
  }
  // A command whose values are extras takes whatever is no option of its own, so "--" has nothing to end there. The
  // parser would hand it to the parent, which has no use for it.
  for (const auto& [sub, body] : bodies) {
    if (words.empty() || sub->get_name() != words.front() || !sub->get_allow_extras()) continue;
    if (const auto end = std::find(words.begin(), words.end(), "--"); end != words.end()) words.erase(end);
  }
  std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
  try {
    app.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return agree;
  } catch (const CLI::ParseError& e) {
    throw ParseFailure(usage_message(app, e));
  }
  if (!app.get_subcommands().empty()) {
    if (version || json)
      throw ParseFailure("assay: --version and --json before a command belong to no command");
    return bodies.at(app.get_subcommands().front())();
  }
  if (!version) throw ParseFailure("assay: a command is missing\n\n" + app.help());
  const Build build = this_build();
  fmt::print("{}", json ? version_json(build) + '\n' : version_text(build));
  return agree;
}

void complain(std::string_view text) {
  std::fflush(stdout);
  // Nobody may be there to read it.
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fputc('\n', stderr);
}

}  // namespace

const std::vector<std::string>& words_after_dashes() { return program_words(); }

int run_command_line(std::span<const Command> commands, int argc, char** argv) {
  occupy_standard_descriptors();
  // Ignored, so that a write says EPIPE and destructors run before the process ends.
  std::signal(SIGPIPE, SIG_IGN);
  clean_up_on_signals();
  int signal = 0;
  int code = internal;
  int output_error = 0;
  try {
    code = parse_and_run(commands, argc, argv);
    errno = 0;
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) output_error = errno != 0 ? errno : EIO;
  } catch (const Interrupted& e) {
    signal = e.signal;
  } catch (const ParseFailure& e) {
    complain(e.what());
    code = usage;
  } catch (const UsageError& e) {
    complain(fmt::format("assay: {}", e.what()));
    code = usage;
  } catch (const InputError& e) {
    complain(fmt::format("assay: {}", e.what()));
    code = usage;
  } catch (const Unavailable& e) {
    complain(fmt::format("assay: SKIPPED: {}", e.what()));
    code = nothing_verified;
  } catch (const std::system_error& e) {
    // fmt::print and std::fflush's callers throw it for stdout; its stream remembers.
    if (std::ferror(stdout) != 0) {
      output_error = e.code().value();
    } else {
      complain(fmt::format("assay: internal error: {}", e.what()));
    }
  } catch (const std::bad_alloc&) {
    complain("assay: " + out_of_memory());
    code = usage;
  } catch (const std::length_error&) {  // more elements than can be addressed
    complain("assay: " + out_of_memory());
    code = usage;
  } catch (const std::exception& e) {
    complain(fmt::format("assay: internal error: {}", e.what()));
  } catch (...) {
    complain("assay: internal error: an exception that is no std::exception");
  }
  if (output_error == EPIPE) signal = SIGPIPE;
  if (signal != 0) end_by_signal(signal);
  if (output_error != 0) {
    complain(fmt::format("assay: stdout: {}", std::strerror(output_error)));
    return usage;
  }
  return code;
}

std::span<const Command> all_commands() {
  static constexpr Command commands[] = {
#define COMMAND(name, summary, example) {#name, summary, example, make_##name},
#include "validation/cli/commands.def"
#undef COMMAND
  };
  return commands;
}

}  // namespace assay::cli
