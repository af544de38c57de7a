// assay check: judges somebody's output by what an operation on arrays should give.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "validation/cli/check_command.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/comparison_command.hpp"
#include "validation/cli/progress_line.hpp"
#include "validation/judge/request.hpp"

namespace assay::cli {
namespace {

int run(const CheckOptions& o, const CLI::App& app) {
  const auto begin = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  judge::Request request = read_request(o, app);
  ProgressLine progress;
  request.progress = [&](double done) {
    progress.show("check " + o.asked.operation, seconds(), done, "of the outputs");
  };
  judge::Judgement judgement = judge::check(std::move(request));
  progress.clear();
  Finding finding;
  finding.suite = "check";
  finding.name = std::move(judgement.name);
  finding.evidence = std::move(judgement.evidence);
  finding.notes = std::move(judgement.notes);
  finding.repro = command_text(app);
  finding.seconds = seconds();
  return show(o.show, finding, std::move(judgement.comparison));
}

}  // namespace

std::function<int()> make_check(CLI::App& app) {
  const auto o = std::make_shared<CheckOptions>();
  add_check_options(app, *o);
  CLI::App* const autosparse =
      app.add_subcommand("autosparse", "Judge an AutoSparse layer's masks, weights and gradients");
  app.require_subcommand(0, 1);
  const std::function<int()> run_autosparse = make_check_autosparse(*autosparse);
  return [o, &app, autosparse, run_autosparse] {
    return autosparse->parsed() ? run_autosparse() : run(*o, app);
  };
}

}  // namespace assay::cli
