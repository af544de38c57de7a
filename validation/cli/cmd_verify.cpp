// assay verify: judges what a program answered to the cases of `assay gen`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "validation/cli/cases.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/comparison_command.hpp"
#include "validation/cli/memory.hpp"
#include "validation/report/case_text.hpp"
#include "validation/suites/arithmetics.hpp"
#include "validation/suites/case_request.hpp"

namespace assay::cli {
namespace {

using namespace diagnose;

struct VerifyCommand {
  CaseOptions cases;
  std::string unit;
  ShowOptions show;
};

std::string read_stdin(std::size_t most) {
  std::string text;
  std::array<char, 1 << 16> bytes{};
  while (true) {
    const std::size_t got = std::fread(bytes.data(), 1, bytes.size(), stdin);
    text.append(bytes.data(), got);
    if (text.size() > most) throw InputError("stdin", "", fmt::format("at most {} bytes", most), "more");
    if (got < bytes.size()) break;
  }
  if (std::ferror(stdin) != 0) throw InputError("stdin", "", "something to read", "a reading error");
  return text;
}

// The command line that makes these cases: what both commands have.
std::string gen_text(const CLI::App& app) {
  const auto is_of_verify = [](std::string_view name) { return name == "unit" || name == "strict"; };
  std::string text = command_text(app, {}, is_of_verify);
  return text.replace(text.find(app.get_name()), app.get_name().size(), "gen");
}

int run(const VerifyCommand& o, const CLI::App& app) {
  const auto begin = std::chrono::steady_clock::now();
  const CaseRequest& asked = o.cases.asked;
  const CaseSpec spec = case_spec(asked);
  constexpr std::uint64_t kept = 128;  // an answer's text and code, the truth, its bound
  // A code of 8 bytes, and its text twice: on its own and among that of other cases.
  const CaseMemory memory = case_memory(asked, spec, 64, kept, 1);
  require_memory("verify", memory.options, memory.why, memory.needed);
  NamedArithmetic unit{.name = o.unit};  // before it waits for answers
  if (!o.unit.empty()) unit.arithmetic = load_arithmetic(o.unit, "--unit");
  const std::size_t wanted = answers_wanted(asked, spec);
  const std::vector<std::uint64_t> answers = read_answers(parse_case_form(o.cases.as), spec, wanted,
                                                          read_stdin((std::size_t{1} << 20) + wanted * 64));
  judge::Judgement judgement = verify_answers(asked, spec, answers, unit, o.show.threads);
  Finding finding;
  finding.suite = "verify";
  finding.name = std::move(judgement.name);
  finding.evidence = std::move(judgement.evidence);
  finding.notes = std::move(judgement.notes);
  finding.repro = fmt::format("{} | PROGRAM | {}", gen_text(app), command_text(app));
  finding.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return show(o.show, finding, std::move(judgement.comparison));
}

}  // namespace

std::function<int()> make_verify(CLI::App& app) {
  const auto o = std::make_shared<VerifyCommand>();
  add_case_options(app, o->cases);
  app.add_option("--unit", o->unit,
                 "Require the bits of this arithmetic, or of X.json saved by `assay probe` (default: judge "
                 "by the exact result)");
  add_show_options(app, o->show);
  return [o, &app] {
    refuse_unused(o->cases, app);
    return run(*o, app);
  };
}

}  // namespace assay::cli
