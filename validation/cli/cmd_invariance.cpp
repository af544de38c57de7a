// assay invariance: whether one row's result depends on the batch, its place there, the threads, the operands'
// addresses or the run.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <sstream>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/probe_options.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/diagnose/reveal/invariance.hpp"
#include "validation/report/invariance_report.hpp"
#include "validation/report/probe_report.hpp"

namespace assay::cli {
namespace {

using diagnose::Invariance;

struct Options {
  ProbeOptions probe;
  std::string vary;
  std::size_t trials = 24, trees = 4, lines = 12;
};

// "m=1:256,row,threads=1:2,run": a comma before a digit belongs to the numbers.
diagnose::Variation parse_variation(const std::string& typed, int threads_here) {
  diagnose::Variation v;
  std::vector<std::string> words;
  std::istringstream in(typed);
  for (std::string word; std::getline(in, word, ',');) {
    if (!words.empty() && !word.empty() && word[0] >= '0' && word[0] <= '9') {
      words.back() += ',' + word;
    } else {
      words.push_back(word);
    }
  }
  std::set<std::string> names;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const bool has = equals != std::string::npos;
    if (!names.insert(name).second) throw InputError("--vary", "", "each thing once", quoted(typed));
    const auto values = [&] { return parse_numbers("--vary " + name, word.substr(equals + 1)); };
    if (name == "m" && has) {
      v.m = values();
    } else if (name == "n" && has) {
      v.n = values();
    } else if (name == "row" && !has) {
      v.row = true;
    } else if (name == "threads") {
      if (has) {
        for (const std::size_t t : values()) {
          if (t > 4096) throw InputError("--vary threads", "", "numbers of 1 to 4096", std::to_string(t));
          v.threads.push_back(static_cast<int>(t));
        }
      } else {
        v.threads = {1, std::max(2, threads_here)};
      }
    } else if (name == "offset") {
      const std::string typed_values = has ? word.substr(equals + 1) : "0,4,8,16,32";
      for (const std::size_t x : parse_numbers("--vary offset", typed_values, 0)) {
        if (x > 63) throw InputError("--vary offset", "", "numbers of 0 to 63", std::to_string(x));
        v.offset.push_back(static_cast<int>(x));
      }
    } else if (name == "run") {
      v.runs = has ? values().front() : 3;
    } else {
      throw InputError("--vary", "",
                       "m=NUMBERS, n=NUMBERS, row, threads[=NUMBERS], offset[=NUMBERS], run[=HOW OFTEN]",
                       quoted(word));
    }
  }
  return v;
}

int exit_code(const Invariance& r) {
  if (is_vacuous(r)) return nothing_verified;
  return r.invariant ? agree : disagree;
}

// The target, watched: a number of threads that did not reach the program proves nothing.
diagnose::Target watched(diagnose::Program& program, const diagnose::Variation& variation,
                         std::map<int, diagnose::ThreadsSeen>& seen) {
  if (variation.threads.size() < 2) return program.target();
  return [&program, &seen](const diagnose::Problem& problem, std::span<const diagnose::Case> cases) {
    std::vector<diagnose::Answer> answers = program.ask(problem, cases);
    diagnose::ThreadsSeen& all = seen[problem.threads];
    const diagnose::ThreadsSeen now = program.threads_seen();
    all.most = std::max(all.most, now.most);
    all.ended = all.ended || now.ended;
    return answers;
  };
}

int run(const Options& o) {
  const std::vector<std::size_t> lengths = parse_numbers("--k", o.probe.k);
  if (lengths.size() != 1) throw UsageError("invariance takes one length, not --k " + o.probe.k);
  const diagnose::Problem problem = problem_of(o.probe, lengths.front());
  const diagnose::Variation variation = parse_variation(o.vary, hardware_threads());
  diagnose::ProgramOptions asked = program_options(o.probe);
  asked.watch_threads = variation.threads.size() > 1;
  diagnose::Program program(asked);
  InvarianceQuestion question{.varied = o.vary, .lines = o.lines};
  ProbeProgress progress("invariance");
  Invariance r;
  try {
    diagnose::RevealOptions options = reveal_options(o.probe, progress);
    options.restart = [&program] { program.restart(); };
    r = invariance(problem, watched(program, variation, question.threads_seen), variation, options, o.trials,
                   o.trees);
  } catch (const diagnose::TargetError& e) {
    progress.clear();
    put(o.probe.json ? target_error_json(e.what()) + '\n' : target_error_text(e.what()));
    return disagree;
  }
  progress.clear();
  put(o.probe.json ? invariance_json(question, r) + '\n' : invariance_text(question, r));
  return exit_code(r);
}

}  // namespace

std::function<int()> make_invariance(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  add_probe_options(app, o->probe);
  app.add_option("--vary", o->vary, "What changes: m=1:256, n=1:64, row, threads=1,2, offset=0,4,16, run=5")
      ->required();
  app.add_option("--trials", o->trials, "Random rows whose bits are compared")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--trees", o->trees, "Classes whose trees are revealed at most (0: bits alone)")
      ->capture_default_str();
  app.add_option("--lines", o->lines, "Longest picture of a tree, in lines")->capture_default_str();
  return [o] { return run(*o); };
}

}  // namespace assay::cli
