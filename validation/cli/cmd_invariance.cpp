// assay invariance: whether one row's result depends on the batch, its place there, the threads, the operands'
// addresses or the run.
#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/probe_options.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/diagnose/reveal/invariance.hpp"
#include "validation/diagnose/reveal/variation.hpp"
#include "validation/report/invariance_report.hpp"
#include "validation/report/probe_report.hpp"

namespace assay::cli {
namespace {

using diagnose::Invariance;

struct InvarianceCommand {
  ProbeOptions probe;
  std::string vary;
  std::size_t trials = 24, trees = 4, lines = 12;
};

int invariance_exit_code(const Invariance& r) {
  if (is_vacuous(r)) return nothing_verified;
  return r.invariant ? agree : disagree;
}

int run(const InvarianceCommand& o) {
  const std::vector<std::size_t> lengths = diagnose::parse_numbers("--k", o.probe.k);
  if (lengths.size() != 1) throw UsageError("invariance takes one length, not --k " + o.probe.k);
  const judge::Problem problem = problem_of(o.probe, lengths.front());
  const diagnose::Variation variation = diagnose::parse_variation("--vary", o.vary, hardware_threads());
  InvarianceQuestion question{.varied = o.vary, .lines = o.lines, .threads_seen = {}};
  ProbeProgress progress("invariance");
  diagnose::ProgramInvariance r;
  try {
    r = program_invariance(problem, program_options(o.probe), variation, reveal_options(o.probe, progress),
                           o.trials, o.trees);
  } catch (const diagnose::TargetError& e) {
    progress.clear();
    put(o.probe.json ? target_error_json(e.what()) + '\n' : target_error_text(e.what()));
    return disagree;
  }
  question.threads_seen = r.threads_seen;
  progress.clear();
  put(o.probe.json ? invariance_json(question, r.found) + '\n' : invariance_text(question, r.found));
  return invariance_exit_code(r.found);
}

}  // namespace

std::function<int()> make_invariance(CLI::App& app) {
  const auto o = std::make_shared<InvarianceCommand>();
  add_probe_options(app, o->probe);
  app.add_option("--vary", o->vary, "What to vary: m=1:256, n=1:64, row, threads=1,2, offset=0,4,16, run=5")
      ->required();
  app.add_option("--trials", o->trials, "Number of random rows whose bits are compared")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--trees", o->trees, "Most classes to reveal trees for (0: compare bits only)")
      ->capture_default_str();
  app.add_option("--lines", o->lines, "Longest drawing of a tree, in lines")->capture_default_str();
  return [o] { return run(*o); };
}

}  // namespace assay::cli
