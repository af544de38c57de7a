// assay run: expands suites into cases, runs each, and says what came out.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include "reference/core/error.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/command_line.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/progress_line.hpp"
#include "validation/cli/run.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/cli/verdict.hpp"
#include "validation/report/json_report.hpp"
#include "validation/report/report_folder.hpp"
#include "validation/report/text_report.hpp"
#include "validation/suites/runner.hpp"
#include "validation/suites/selection.hpp"
#include "validation/suites/units_evidence.hpp"

namespace assay::cli {
namespace {

struct RunCommand {
  suites::Selection selection;
  std::uint64_t seed = 1;
  bool quick = false, exhaustive = false, strict = false, json = false;
  std::string report, data, recorded, evidence;
  int threads = 0;
  double timeout = -1;

  suites::Scale scale() const {
    if (quick) return suites::Scale::quick;
    return exhaustive ? suites::Scale::exhaustive : suites::Scale::standard;
  }
};

// Seconds after which a case counts as hanging. Far above what a case of that scale takes: it is there so that a run
// that nobody watches comes to an end.
double default_timeout(suites::Scale scale) {
  switch (scale) {
    case suites::Scale::quick: return 300;
    case suites::Scale::standard: return 1200;
    case suites::Scale::exhaustive: break;
  }
  return 3600;
}

volatile std::sig_atomic_t pending_signal = 0;

// While it lives, a request to end is noted, not obeyed: the run kills its workers and finishes its reports first.
class SignalNote {
 public:
  SignalNote() {
    struct sigaction note {};
    note.sa_handler = [](int signal) { pending_signal = signal; };
    for (std::size_t i = 0; i < signals.size(); ++i) {
      ::sigaction(signals[i], nullptr, &before_[i]);
      // What nohup or a shell's `&` has had ignored stays ignored.
      if (before_[i].sa_handler != SIG_IGN) ::sigaction(signals[i], &note, nullptr);
    }
  }
  ~SignalNote() {
    for (std::size_t i = 0; i < signals.size(); ++i) ::sigaction(signals[i], &before_[i], nullptr);
  }
  SignalNote(const SignalNote&) = delete;
  SignalNote& operator=(const SignalNote&) = delete;

 private:
  static constexpr std::array signals = {SIGINT, SIGTERM, SIGHUP};
  std::array<struct sigaction, signals.size()> before_{};
};

RunHeader make_header(const RunCommand& options, const Data& data,
                      std::span<const suites::SelectedCase> cases) {
  RunHeader header{.build = this_build(),
                   .machine = this_machine(),
                   .data = data,
                   .seed = options.seed,
                   .scale = std::string(suites::scale_name(options.scale())),
                   .suites = {},
                   .cases = cases.size(),
                   .started = utc_now(),
                   .repro_prefix = {},
                   .repro_suffix = {}};
  for (const suites::SelectedCase& c : cases) {
    const std::string suite = c.name.substr(0, c.name.find('/'));
    if (header.suites.empty() || header.suites.back() != suite) header.suites.push_back(suite);
  }
  if (!options.selection.case_name.empty()) {
    header.seed = cases.front().context.seed;
    header.scale = suites::scale_name(cases.front().context.scale);
  }
  // What the run was told and the name of a case does not say.
  if (!header.machine.isa_limit.empty())
    header.repro_prefix = "ASSAY_ISA=" + shell_word(header.machine.isa_limit) + " ";
  if (!options.data.empty()) header.repro_suffix = " --data " + shell_word(options.data);
  if (!options.recorded.empty()) header.repro_suffix += " --recorded " + shell_word(options.recorded);
  return header;
}

int run(const std::vector<suites::Suite>& suites, const RunCommand& options) {
  const Data data = find_data(options.data);
  suites::RunContext context;
  context.seed = options.seed;
  context.scale = options.scale();
  context.threads = options.threads;
  if (data.exists) context.data = std::filesystem::absolute(data.folder);
  if (!options.recorded.empty()) context.recorded = std::filesystem::absolute(options.recorded);
  const std::vector<suites::SelectedCase> cases = suites::select_cases(suites, options.selection, context);
  if (cases.empty()) {
    throw Unavailable(fmt::format("no suite has a case at scale {}, so nothing was verified",
                                  suites::scale_name(options.scale())));
  }

  if (!options.evidence.empty()) check_evidence_folder(options.evidence);
  const RunHeader header = make_header(options, data, cases);
  std::size_t longest = 0;
  for (const suites::SelectedCase& c : cases) longest = std::max(longest, c.name.size());
  const TextStyle style{.colour = has_colour(stdout), .name_width = name_column_width(longest)};
  std::vector<CaseRecord> records;
  // Handlers first: from here on there is something to put in order.
  pending_signal = 0;
  const SignalNote note;
  std::optional<ReportFolder> report;
  if (!options.report.empty()) report.emplace(options.report, header);
  suites::SuiteTimes times;
  ProgressLine progress;
  bool stdout_gone = false;
  const auto say = [&](const std::string& json, const auto& text) {
    put(options.json ? json + '\n' : text());
  };

  const auto begin = std::chrono::steady_clock::now();
  const auto finish = [&](bool whole) {
    RunSummary summary;
    summary.counts = count(records);
    const bool all_of_suites = options.selection.filter.empty() && options.selection.case_name.empty();
    // The last suite of a run that broke off has no end.
    if (whole) summary.suites = times.of(suites, all_of_suites && options.scale() == suites::Scale::standard);
    summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    summary.interrupted = !whole;
    // As the shell names the end by a signal.
    summary.exit_code =
        pending_signal != 0 ? 128 + pending_signal : exit_code(summary.counts, options.strict);
    summary.verdict = whole ? verdict_text(summary.counts, options.strict)
                            : fmt::format("INTERRUPTED after {} of {} cases", records.size(), cases.size());
    progress.clear();
    if (report) {
      report->finish(summary);
      summary.report = (std::filesystem::path(options.report) / "report.txt").string();
    }
    if (whole && !options.evidence.empty()) {
      const std::vector<EvidenceFile> files = suites::run_evidence(records);
      if (files.empty()) throw Unavailable("no case compared anything: there is no evidence to write");
      for (const EvidenceFile& file : files)
        summary.evidence +=
            (summary.evidence.empty() ? "" : ", ") + write_evidence(options.evidence, file).string();
    }
    if (stdout_gone) return summary.exit_code;
    say(json_summary(summary, records), [&] {
      return "\n" + text_skipped(records) + text_evidence(records) + text_suites(summary) +
             text_files(summary) + text_summary(summary, style);
    });
    return summary.exit_code;
  };

  suites::RunnerEvents events;
  events.started = [&](const suites::SelectedCase& c) { times.started(c.name); };
  events.running = [&](const suites::SelectedCase& c, double seconds, double fraction,
                       std::string_view what) {
    progress.show(fmt::format("case {} of {}: {}", records.size() + 1, cases.size(), c.name), seconds,
                  fraction, what);
  };
  events.finished = [&](const CaseRecord& record) {
    progress.clear();
    times.finished(record.name);
    records.push_back(record);
    if (report) report->add(record);
    say(json_case(header, record), [&] { return text_case(header, record, style); });
  };
  events.interrupted = [] { return pending_signal != 0; };
  const suites::RunnerOptions runner{
      .threads = options.threads,
      .timeout_seconds = options.timeout >= 0 ? options.timeout : default_timeout(options.scale())};
  bool whole = false;
  try {
    say(json_header(header), [&] { return text_header(header) + '\n'; });
    whole = suites::run_cases(cases, runner, events);
  } catch (const std::system_error&) {
    // Nobody reads any more (`assay run | head`), or the disk behind stdout is full: keep what there is.
    if (std::ferror(stdout) == 0) throw;
    stdout_gone = true;
    finish(false);
    throw;
  }
  const int code = finish(whole);
  if (!whole) throw Interrupted{pending_signal};
  return code;
}

}  // namespace

std::function<int()> make_run_over(CLI::App& app, std::vector<suites::Suite> suites) {
  const auto o = std::make_shared<RunCommand>();
  app.add_option("--suite", o->selection.suites, "Suites to run (default: all)")
      ->type_name("NAME")
      ->check(not_empty);
  app.add_option("--filter", o->selection.filter,
                 "Run the cases whose whole name matches this glob, for example '*bf16*'")
      ->type_name("GLOB")
      ->check(not_empty);
  auto* const one =
      app.add_option("--case", o->selection.case_name, "Run exactly the case with this name, seed included")
          ->type_name("NAME")
          ->check(not_empty);
  add_seed(app, o->seed, "Seed of all random data");
  auto* const quick = app.add_flag("--quick", o->quick, "Run the short form of every suite");
  auto* const exhaustive =
      app.add_flag("--exhaustive", o->exhaustive, "Run the longest form: every input where that is possible");
  app.add_flag("--strict", o->strict, "Count VACUOUS and SKIPPED as disagreement");
  app.add_option("--report", o->report,
                 "Write report.txt, report.jsonl, report.junit.xml and report.html to this folder")
      ->type_name("DIR")
      ->check(not_empty);
  app.add_option("--data", o->data, "Folder of real data: mnist/, spdnn/, ... (default: ASSAY_DATA)")
      ->type_name("DIR")
      ->check(not_empty);
  app.add_option("--recorded", o->recorded,
                 "Folder of results recorded from GPUs, for suites units (default: tensor_core_vectors/ of "
                 "the data) and "
                 "cuda")
      ->type_name("DIR")
      ->check(not_empty);
  app.add_option("--evidence", o->evidence,
                 "Write what each suite found on this hardware to a dated file in this folder")
      ->type_name("DIR")
      ->check(not_empty);
  app.add_option("--threads", o->threads,
                 "Threads of a case, or cases of one thread at once (default: OpenMP's choice)")
      ->type_name("N")
      ->check(CLI::Range(1, 4096));
  app.add_option("--timeout", o->timeout,
                 "Seconds after which a case counts as hanging, 0 for never "
                 "(default: 300 quick, 1200 standard, 3600 exhaustive)")
      ->type_name("SECONDS")
      ->check(not_negative);
  app.add_flag("--json", o->json, "Print JSON lines on stdout: a header, one line per case, a summary");
  quick->excludes(exhaustive);
  one->excludes("--suite")->excludes("--filter");
  return [o, suites = std::move(suites)] { return run(suites, *o); };
}

std::function<int()> make_run(CLI::App& app) { return make_run_over(app, suites::all_suites()); }

}  // namespace assay::cli
