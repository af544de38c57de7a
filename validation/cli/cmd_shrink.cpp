// assay shrink: the smallest files with which a failing check still fails.
//
// With the files alone only outputs can go; --got-from asks the program for every smaller input, by the protocol of
// validation/diagnose/probe.md (validation/judge/shrink.hpp).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "validation/cli/check_command.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/diagnose/program/answers.hpp"
#include "validation/diagnose/program/program.hpp"
#include "validation/io/io.hpp"
#include "validation/judge/shrink.hpp"
#include "validation/report/probe_report.hpp"
#include "validation/report/shrink_report.hpp"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

struct ShrinkCommand {
  std::vector<std::string> repro;
  std::string out = "shrunk", program, form = "binary";
  std::uint64_t limit = 2000;
  double seconds = 60;
  bool json = false;
};

// As a shell reads it: words, '...', "...", and \ before a character. Nothing is expanded.
std::vector<std::string> shell_words(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool open = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\'' || c == '"') {
      open = true;
      const std::size_t end = line.find(c, i + 1);
      if (end == std::string::npos) throw UsageError("shrink: a quote is never closed in " + quoted(line));
      word += line.substr(i + 1, end - i - 1);
      i = end;
    } else if (c == '\\' && i + 1 < line.size()) {
      open = true;
      word += line[++i];
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (open) words.push_back(word);
      word.clear();
      open = false;
    } else {
      open = true;
      word += c;
    }
  }
  if (open) words.push_back(word);
  return words;
}

// The words after `assay check`.
std::vector<std::string> check_words(std::vector<std::string> words) {
  const auto check = std::find(words.begin(), words.end(), "check");
  if (words.size() < 3 || check != words.begin() + 1)
    throw UsageError("shrink takes the `repro` line of a check, assay check ..., not " +
                     quoted(fmt::format("{}", fmt::join(words, " "))));
  words.erase(words.begin(), words.begin() + 2);
  return words;
}

// Writes an array so that `assay check` reads it, told no more than the format that comes back.
CheckLine::File write_operand(const fs::path& folder, const std::string& name, const io::Array& array) {
  const FormatSpec f = array.element.format();
  const std::string path = (folder / (name + ".npy")).string();
  if (f == formats::float16 || f == formats::float32 || f == formats::float64) {
    io::write_array(path, array);
    return {path, ""};
  }
  io::Array codes = array;
  codes.element = io::ElementType::unsigned_integer(static_cast<int>(8 * array.element.bytes()));
  io::write_array(path, codes);
  return {path, std::string(f.dtype)};
}

int shrink(const ShrinkCommand& o) {
  const std::vector<std::string> words =
      check_words(o.repro.size() == 1 ? shell_words(o.repro.front()) : o.repro);
  if (!words.empty() && words.front() == "autosparse") judge::require_shrinkable(words.front());  // throws
  const CheckLine line(words);
  judge::require_shrinkable(line.operation());
  judge::Request request = line.request();
  std::error_code code;
  fs::create_directories(o.out, code);
  if (code) throw InputError(o.out, "", "a folder to write in", code.message());

  std::optional<diagnose::Program> program;
  judge::Answers answers;
  if (!o.program.empty()) {
    diagnose::require_askable(request, "--got-from");
    program.emplace(diagnose::ProgramOptions{
        .command = o.program, .form = diagnose::parse_form(o.form), .seconds = o.seconds});
    answers = diagnose::answers_of(*program);
  }
  const judge::Shrunk shrunk = judge::shrink(std::move(request), answers, o.limit);

  ShrunkCheck found{.before = shrunk.before,
                    .after = shrunk.after,
                    .tried = shrunk.asked,
                    .limited = shrunk.limited,
                    .by_program = program.has_value()};
  std::map<std::string, CheckLine::File> files;
  const auto write = [&](const char* name, const std::optional<io::Array>& array) {
    if (!array) return;
    const CheckLine::File file = files[name] = write_operand(o.out, name, *array);
    found.files[name] = {file.path, file.format};
  };
  write("a", shrunk.request.a);
  write("b", shrunk.request.b);
  write("c", shrunk.request.c);
  write("bias", shrunk.request.bias);
  write("got", shrunk.request.got);
  found.repro = line.text(files);
  put(o.json ? shrunk_json(found) + '\n' : shrunk_text(found));
  return agree;
}

int run(const ShrinkCommand& o) {
  try {
    return shrink(o);
  } catch (const diagnose::TargetError& e) {
    // The code under test, not ours and not what was typed.
    put(o.json ? target_error_json(e.what()) + '\n' : target_error_text(e.what()));
    return disagree;
  }
}

}  // namespace

std::function<int()> make_shrink(CLI::App& app) {
  const auto o = std::make_shared<ShrinkCommand>();
  app.add_option("REPRO", o->repro, "The `repro` line of a failing check, quoted or after --")->required();
  app.add_option("--out", o->out, "Folder for the small files")->capture_default_str()->check(not_empty);
  app.add_option("--got-from", o->program,
                 "The program that made got, as a shell command (protocol: validation/diagnose/probe.md)");
  app.add_option("--form", o->form, "Form of the protocol: text or binary")->capture_default_str();
  add_unsigned(app, "--limit", o->limit, "Number of smaller inputs to try (default: 2000)", 1);
  app.add_option("--seconds", o->seconds, "Time limit of the program for one round")
      ->capture_default_str()
      ->check(not_negative)
      ->check(CLI::Range(0.01, 86400.0));
  app.add_flag("--json", o->json, "One JSON object on stdout");
  return [o] { return run(*o); };
}

}  // namespace assay::cli
