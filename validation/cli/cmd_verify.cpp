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
#include "validation/diagnose/program/verify.hpp"
#include "validation/report/case_text.hpp"
#include "validation/suites/arithmetics.hpp"

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
  const CaseSpec spec = case_spec(o.cases);
  constexpr std::uint64_t kept = 128;  // an answer's text and code, the truth, its bound
  check_case_memory("verify", o.cases, spec, kept);
  const std::size_t outputs = spec.operation == CaseOperation::gemm ? spec.m * spec.n : 1;
  const std::size_t wanted = outputs * o.cases.cases;
  const std::vector<std::uint64_t> answers = read_answers(parse_case_form(o.cases.as), spec, wanted,
                                                          read_stdin((std::size_t{1} << 20) + wanted * 64));

  const Arithmetic* const unit = o.unit.empty() ? nullptr : &find_arithmetic(o.unit, "--unit");
  if (unit != nullptr && (!unit->gives(spec.output) || !unit->accepts(spec.a, spec.b)))
    throw UsageError(fmt::format("--unit {} does not make {} of {} and {}", o.unit, spec.output.dtype,
                                 spec.a.dtype, spec.b.dtype));
  if (unit != nullptr) check_places(o.unit, *unit, places_of(o.cases.operation, {spec.m, spec.n}));
  const bool exact = spec.values == CaseValues::integers;
  compare::Options options;
  options.policy = compare::find_policy(compare::default_policies(),
                                        unit != nullptr ? "bit-equal-any-nan"
                                        : exact         ? "correctly-rounded"
                                                        : "bound",
                                        "verify");
  options.threads = o.show.threads;
  options.operation = fmt::format("{} of generated cases", o.cases.operation);
  compare::Comparison comparison = verify(spec, o.cases.cases, answers, unit, options);
  Finding finding;
  finding.suite = "verify";
  finding.name =
      fmt::format("verify/{} values={} cases={} k={} a={} b={} got={} acc={} seed={}{}", o.cases.operation,
                  o.cases.values, o.cases.cases, o.cases.terms, spec.a.dtype, spec.b.dtype, spec.output.dtype,
                  spec.accumulator.dtype, spec.seed, unit != nullptr ? " unit=" + o.unit : "");
  if (unit != nullptr) {
    finding.evidence = fmt::format("the bits that {} gives ({})", o.unit, unit->info().summary);
    if (is_unverified(unit->info().evidence))
      finding.notes.push_back(fmt::format("note   {} is unverified: {}", o.unit, unit->info().source));
  } else if (exact) {
    finding.evidence = "the exact result: no order of these sums rounds, so a difference is a bug";
  } else {
    finding.evidence =
        fmt::format("the exact result and the bound of sums in {} in any order", spec.accumulator.dtype);
  }
  finding.repro = fmt::format("{} | PROGRAM | {}", gen_text(app), command_text(app));
  finding.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return show(o.show, finding, std::move(comparison));
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
