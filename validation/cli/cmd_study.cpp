// assay study: error and bias against length, format, rounding, order and unit.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/memory.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/progress_line.hpp"
#include "validation/cli/study_command.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/studies/error_study.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::cli {

void add_study_options(CLI::App& app, StudyOptions& o) {
  app.add_option("--out", o.out, "Write the page to NAME.html, and CSV, JSON and SVG files beside it")
      ->check(not_empty);
  app.add_flag("--json", o.json, "Print one JSON object on stdout");
  app.add_option("--threads", o.threads, "Number of OpenMP threads (default: OpenMP's choice)")
      ->check(CLI::Range(1, 4096));
  add_seed(app, o.seed, "Seed of the data and of stochastic rounding");
}

std::optional<studies::StudyFiles> study_files(const StudyOptions& o) {
  if (o.out.empty()) return std::nullopt;
  return std::optional<studies::StudyFiles>(std::in_place, "--out", o.out);
}

void show(const StudyOptions& o, const studies::StudyPage& page, std::optional<studies::StudyFiles>& files) {
  if (files) files->write(page, o.seed);
  put(o.json ? page.json : page.text);
  if (files && !o.json) put(files->text());
}

std::function<void(double, const std::string&)> study_progress(std::string what) {
  const auto line = std::make_shared<ProgressLine>();
  const auto begin = std::chrono::steady_clock::now();
  return [line, begin, what = std::move(what)](double fraction, const std::string& now) {
    line->show(what, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
               fraction, now);
  };
}

int study_verdict(const std::vector<std::string>& outside) {
  for (const std::string& text : outside) fmt::print(stderr, "assay study: {}\n", text);
  return outside.empty() ? agree : disagree;
}

namespace {

using namespace studies;

struct StudyCommand {
  StudyOptions study;
  ErrorQuestion asked;
  std::vector<std::string> units;
};

void check_memory(const StudyCommand& o, std::uint64_t longest) {
  // A trial's values, codes and sums, for each thread.
  constexpr std::uint64_t bytes_a_term = 16;
  const auto threads = static_cast<std::uint64_t>(threads_or_default(o.study.threads));
  require_memory("study", "--n", fmt::format("sums of {} terms on {} threads", longest, threads),
                 bytes_product({longest, bytes_a_term, std::min(threads, o.asked.trials.most)}));
}

StudyTrials trials_of(const StudyCommand& o) {
  return {.most = o.asked.trials.most, .terms = o.asked.trials.terms};
}

ErrorQuestion question_of(const StudyCommand& o) {
  ErrorQuestion q = o.asked;
  q.seed = o.study.seed;
  for (const std::string& unit : o.units) q.units.push_back({unit, load_arithmetic(unit, "--unit")});
  return q;
}

int run_accumulation(const StudyCommand& o, Accumulate operation) {
  const ErrorQuestion q = question_of(o);
  const AccumulationRequest r = accumulation_request(q, operation);
  check_memory(o, r.lengths.back());
  auto files = study_files(o.study);
  const ThreadScope team(o.study.threads);
  const std::string name = "assay study " + std::string(accumulate_name(operation));
  const Study study = study_accumulation(r, study_progress(name));
  show(o.study, accumulation_page(study, trials_of(o)), files);
  return study_verdict(outside_texts(study));
}

int run_convert(const StudyCommand& o) {
  const RoundingRequest r = rounding_request(question_of(o));
  check_memory(o, r.lengths.back());
  auto files = study_files(o.study);
  const ThreadScope team(o.study.threads);
  const Study by_number = study_rounding_by_number(r, study_progress("assay study convert"));
  const Study by_magnitude = study_rounding_by_magnitude(r);
  show(o.study, rounding_page(by_number, by_magnitude, trials_of(o), r.per_binade), files);
  std::vector<std::string> outside = outside_texts(by_number);
  std::ranges::move(outside_texts(by_magnitude), std::back_inserter(outside));
  return study_verdict(outside);
}

void add_error_options(CLI::App& app, StudyCommand& o, std::string_view study) {
  const bool convert = study == "convert";
  app.add_option("--format,-f", o.asked.formats,
                 convert ? "Format to round into (default: bf16); may be repeated, like every option here"
                         : "Format of the operands (default: the unit's first, else f32); may be repeated, "
                           "like every option here")
      ->allow_extra_args(false);
  if (!convert) {
    app.add_option("--acc", o.asked.accumulators, "Format of the sums (default: f32)")
        ->allow_extra_args(false);
    app.add_option("--order", o.asked.orders,
                   "sequential, pairwise[:BASE] or blocked:LANES[:PANEL] (default: sequential)")
        ->allow_extra_args(false);
    app.add_option("--unit", o.units,
                   "A machine's unit, a named chain, or a .json of `assay probe --out` (see `assay units`, "
                   "`assay list arithmetics`)")
        ->allow_extra_args(false);
    if (study != "sum") {
      app.add_option("--product", o.asked.products,
                     "Format that products are rounded to, or fused (default: fused)")
          ->allow_extra_args(false);
    }
  }
  app.add_option("--mode", o.asked.modes, "Rounding (default: nearest-even)")->allow_extra_args(false);
  app.add_option("--values", o.asked.values,
                 "positive, uniform, normal, wide or above-tenth (default: positive)")
      ->allow_extra_args(false);
  app.add_option("--n", o.asked.lengths, "Lengths: FIRST:LAST, or a comma-separated list")
      ->capture_default_str();
  add_unsigned(app, "--per-decade", o.asked.per_decade, "Lengths per decade (default: 3)", 1);
  add_unsigned(app, "--trials", o.asked.trials.most, "Trials per length (default: 100)", 1);
  add_unsigned(app, "--terms", o.asked.trials.terms,
               "Most terms over all trials of one length: longer sums get fewer trials, but at least 8 "
               "(default: 2^22)",
               1);
  add_study_options(app, o.study);
}

}  // namespace

std::function<int()> make_study(CLI::App& app) {
  app.require_subcommand(0, 1);  // a word that is none is then answered with the names near it
  struct Sub {
    CLI::App* app;
    std::function<int()> run;
  };
  const auto subs = std::make_shared<std::vector<Sub>>();
  for (const StudyInfo& info : all_studies()) {
    CLI::App* const sub = app.add_subcommand(std::string(info.name), std::string(info.summary));
    sub->footer("Example:\n  " + std::string(info.example));
    if (info.name == "spdnn" || info.name == "bf16") {
      subs->push_back({sub, info.name == "spdnn" ? make_study_spdnn(*sub) : make_study_bf16(*sub)});
      continue;
    }
    const auto o = std::make_shared<StudyCommand>();
    add_error_options(*sub, *o, info.name);
    if (info.name == "convert") {
      subs->push_back({sub, [o] { return run_convert(*o); }});
    } else {
      const Accumulate operation = parse_accumulate(info.name);
      subs->push_back({sub, [o, operation] { return run_accumulation(*o, operation); }});
    }
  }
  std::vector<std::string_view> names;
  for (const StudyInfo& info : all_studies()) names.push_back(info.name);
  return [subs, names] {
    const auto chosen =
        std::find_if(subs->begin(), subs->end(), [](const Sub& s) { return s.app->parsed(); });
    if (chosen == subs->end())
      throw UsageError(fmt::format("study requires one of {}", fmt::join(names, ", ")));
    return chosen->run();
  };
}

}  // namespace assay::cli
