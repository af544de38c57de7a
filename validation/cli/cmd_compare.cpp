// assay compare: two arrays, and everything that there is to say about their difference.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/printable.hpp"
#include "reference/formats/rounding.hpp"
#include "validation/cli/array_names.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/comparison_command.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/judge/arrays.hpp"
#include "validation/report/pairs_report.hpp"

namespace assay::cli {
namespace {

struct CompareCommand {
  std::string got, want, bound, stale;
  std::string format, got_format, want_format, rounding = "nearest-even";
  bool convert = false, expects_zero = false;
  PolicyOptions policy;
  RawOptions raw;
  ShowOptions show;
};

void check_alike(const io::Array& got, const io::Array& want, const compare::Policy& policy, bool convert) {
  if (got.shape != want.shape) {
    const bool turned = got.shape == io::Shape(want.shape.rbegin(), want.shape.rend());
    throw InputError(got.origin, "",
                     "shape " + io::to_string(want.shape) + ", that of " + printable(want.origin),
                     io::to_string(got.shape) + (turned ? ", which is that of its transpose" : ""));
  }
  if (policy.kind == compare::PolicyKind::bit_equal && !convert && !(got.element == want.element)) {
    throw InputError(
        got.origin, "",
        want.element.name() + ", that of " + printable(want.origin) +
            " (bit-equal compares codes; with --convert, want is first rounded into got's format)",
        got.element.name());
  }
}

io::Array read_alike(const std::string& path, const io::Array& got, const RawOptions& raw,
                     std::string_view what) {
  io::Array array = read_dense_operand(path, "", raw);
  if (array.shape != got.shape) {
    throw InputError(
        path, "",
        fmt::format("{} of shape {}, that of {}", what, io::to_string(got.shape), printable(got.origin)),
        io::to_string(array.shape));
  }
  return array;
}

// What is compared: paths as they are read.
struct Pair {
  std::string got, want, bound, stale;
};

std::vector<double> read_bounds(const std::string& path, const io::Array& got, const RawOptions& raw,
                                bool of_integers) {
  std::vector<double> bound = judge::values_of(judge::as_floating(read_alike(path, got, raw, "bounds")));
  judge::require_bounds(bound, of_integers, path);
  return bound;
}

compare::Options options_of(const CompareCommand& o, const compare::Policy& policy) {
  compare::Options options;
  options.policy = policy;
  options.convert = o.convert;
  options.rounding = typed_for("--rounding", [&] { return parse_rounding(o.rounding); });
  if (options.rounding == Rounding::stochastic) {
    throw UsageError(
        "--rounding stochastic gives another result every time; compare needs a rounding that repeats");
  }
  options.expects_zero = o.expects_zero;
  options.threads = o.show.threads;
  return options;
}

compare::Comparison compared(const CompareCommand& o, compare::Options options, const Pair& pair,
                             std::vector<std::string>& notes) {
  const compare::Policy& policy = options.policy;
  io::Array got = read_dense_operand(pair.got, o.got_format.empty() ? o.format : o.got_format, o.raw);
  io::Array want = read_dense_operand(pair.want, o.want_format.empty() ? o.format : o.want_format, o.raw);
  check_alike(got, want, policy, o.convert);
  const bool are_integers = !got.element.is_floating() && !want.element.is_floating();
  const std::string types =
      got.element == want.element ? got.element.name() : got.element.name() + " and " + want.element.name();
  if (are_integers) {
    notes.push_back(fmt::format("note   compared as integers ({}); --format reads them as codes", types));
  } else if (!got.element.is_floating() || !want.element.is_floating()) {
    notes.push_back(
        fmt::format("note   {} are compared as numbers; --format reads integers as codes", types));
    got = judge::as_floating(std::move(got));
    want = judge::as_floating(std::move(want));
  }
  std::vector<double> bound;
  if (!pair.bound.empty()) bound = read_bounds(pair.bound, got, o.raw, are_integers);
  io::Array stale;
  if (!pair.stale.empty()) {
    stale = read_alike(pair.stale, got, o.raw, "the earlier content");
    if (!are_integers) stale = judge::as_floating(std::move(stale));
    if (!(stale.element == got.element)) {
      throw InputError(pair.stale, "", got.element.name() + ", that of " + printable(got.origin),
                       stale.element.name());
    }
  }
  if (are_integers) {
    compare::ExpectedIntegers expected{.values = integers_of(want), .bound = bound};
    if (!pair.stale.empty()) expected.stale = integers_of(stale);
    return compare::judge(integers_of(got), expected, options);
  }
  if (!pair.stale.empty()) options.stale = codes_of(stale);
  return compare::judge(codes_of(got), {.codes = codes_of(want), .bound = bound}, options);
}

// Two files of one array each are compared whatever the arrays are called.
void add_names_note(const Pair& pair, std::vector<std::string>& notes) {
  const std::optional<std::string> got = only_name(pair.got), want = only_name(pair.want);
  if (!got || !want || *got == *want) return;
  notes.push_back(fmt::format("note   the names differ: {} of {} is compared with {} of {}", quoted(*got),
                              printable(pair.got), quoted(*want), printable(pair.want)));
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// --- arrays paired by name -----------------------------------------------------------------------------------

// Where the array `name` lies in what was typed for an option; empty if nothing was.
std::string source_of(std::string_view option, const std::string& path, const std::string& name) {
  if (path.empty()) return {};
  const std::optional<NamedArrays> arrays = named_arrays(path, true);
  if (!arrays)
    throw InputError(std::string(option), "", "a folder or file of several arrays, as got and want are",
                     path);
  const auto found = arrays->sources.find(name);
  if (found == arrays->sources.end()) throw InputError(path, "", "an array " + quoted(name), "none");
  return found->second;
}

CaseRecord lone_record(const std::string& case_name, const std::string& reason, const std::string& repro) {
  CaseRecord record{.name = case_name, .result = {}, .seconds = 0, .repro = repro};
  record.result.status = Status::failed;
  record.result.reason = reason;
  return record;
}

CaseRecord error_record(const std::string& case_name, const std::string& reason, const std::string& repro) {
  CaseRecord record = lone_record(case_name, reason, repro);
  record.result.status = Status::error;
  record.result.fault = Fault::input;
  return record;
}

CaseRecord pair_record(const CompareCommand& o, const compare::Options& options, const std::string& name,
                       const Pair& source, const std::string& case_name,
                       const std::vector<std::string>& notes, const CLI::App& app) {
  const auto begin = std::chrono::steady_clock::now();
  Finding finding;
  finding.suite = "compare";
  finding.name = case_name;
  finding.evidence = "the values in " + printable(source.want);
  finding.repro = command_text(app, {{"got", source.got}, {"want", source.want}});
  finding.notes = notes;
  try {
    Pair pair = source;
    pair.bound = source_of("--bound", o.bound, name);
    pair.stale = source_of("--stale", o.stale, name);
    finding.repro = command_text(
        app, {{"got", pair.got}, {"want", pair.want}, {"bound", pair.bound}, {"stale", pair.stale}});
    compare::Comparison comparison = compared(o, options, pair, finding.notes);
    finding.seconds = seconds_since(begin);
    return record_of(o.show, finding, std::move(comparison));
  } catch (const InputError& e) {
    return error_record(case_name, e.what(), finding.repro);
  }
}

// The unreadable file or folder that an array of this name would lie in; null if there is none.
const UnreadableArrays* hidden_in(const NamedArrays& arrays, const std::string& name) {
  for (const UnreadableArrays& u : arrays.unreadable) {
    const bool inside = u.name.ends_with('/') ? name.starts_with(u.name) : name.starts_with(u.name + ":");
    if (inside || name == u.name) return &u;
  }
  return nullptr;
}

// All pairs of two sides, and what only one of them has or cannot be read.
class Pairing {
 public:
  Pairing(const CompareCommand& o, const compare::Options& options, const NamedArrays& got,
          const NamedArrays& want, const CLI::App& app)
      : o_(o), options_(options), got_(got), want_(want), app_(app) {}

  std::vector<PairedArray> rows() && {
    for (const std::string& name : want_.names) {
      if (got_.sources.contains(name))
        add_pair(name);
      else
        add_lone(name, got_, want_);
    }
    for (const std::string& name : got_.names) {
      if (!want_.sources.contains(name)) add_lone(name, want_, got_);
    }
    for (const NamedArrays* side : {&want_, &got_}) {
      for (const UnreadableArrays& u : side->unreadable) {
        if (told_.insert(u.name).second) add_error(u.name, *side, u);
      }
    }
    return std::move(rows_);
  }

 private:
  std::string case_name(const std::string& name) const {
    return fmt::format("compare/{} want={} array={}", printable(o_.got), printable(o_.want), printable(name));
  }
  void add_pair(const std::string& name) {
    const Pair source{.got = got_.sources.at(name), .want = want_.sources.at(name), .bound = {}, .stale = {}};
    PairedArray row{.array = name, .record = {}, .notes = {}};
    add_names_note(source, row.notes);
    row.record = pair_record(o_, options_, name, source, case_name(name), row.notes, app_);
    rows_.push_back(std::move(row));
  }
  // `there` has none of this name, or it lies in what cannot be read.
  void add_lone(const std::string& name, const NamedArrays& there, const NamedArrays& here) {
    if (const UnreadableArrays* const u = hidden_in(there, name)) {
      told_.insert(u->name);
      add_error(name, there, *u);
      return;
    }
    const bool is_missing = &here == &want_;
    const std::string reason =
        fmt::format("{}: {} has none of this name", is_missing ? "missing" : "extra", printable(there.path));
    rows_.push_back(
        {name, lone_record(case_name(name), reason, command_text(app_)), is_missing, !is_missing, {}});
  }
  void add_error(const std::string& name, const NamedArrays& side, const UnreadableArrays& u) {
    const std::string reason =
        u.name.ends_with('/') ? fmt::format("{}/{}: {}", side.path, u.name, u.why) : u.why;
    rows_.push_back({name, error_record(case_name(name), reason, command_text(app_)), false, false, {}});
  }

  const CompareCommand& o_;
  const compare::Options& options_;
  const NamedArrays &got_, &want_;
  const CLI::App& app_;
  std::vector<PairedArray> rows_;
  std::set<std::string> told_;  // unreadable names that have a row
};

int run_pairs(const CompareCommand& o, const compare::Options& options, const NamedArrays& got,
              const NamedArrays& want, const CLI::App& app) {
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<PairedArray> rows = Pairing(o, options, got, want, app).rows();
  std::vector<CaseRecord> records;
  for (const PairedArray& row : rows) records.push_back(row.record);
  const RunHeader header = header_of("compare", records.size());
  const RunSummary summary = summary_of(o.show, header, records, seconds_since(begin));
  if (o.show.quiet) return summary.exit_code;
  if (o.show.json) {
    put(pairs_json(o.got, o.want, rows, header, summary) + '\n');
  } else {
    put(pairs_text(rows, header, summary, {.colour = has_colour(stdout)}));
    put(text_files(summary));
  }
  return summary.exit_code;
}

// A folder goes with a folder or a file of several arrays; what it holds is not asked before that is known.
void check_pairable(const std::string& folder, const std::string& other, bool with_raw) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored) || std::filesystem::is_directory(other, ignored))
    return;
  if (named_arrays(other, with_raw)) return;
  throw InputError(other, "",
                   "a folder, npz or safetensors, whose arrays are paired with those of " + printable(folder),
                   std::filesystem::exists(other, ignored) ? "one array" : "no such file");
}

int run(const CompareCommand& o, const CLI::App& app) {
  const auto begin = std::chrono::steady_clock::now();
  const compare::Policy policy = chosen_policy(o.policy);
  const bool by_bound = policy.kind == compare::PolicyKind::bound;
  if (by_bound && o.bound.empty()) {
    throw UsageError("--policy " + policy.name +
                     " requires --bound FILE, a bound for each value; `assay check` computes one");
  }
  if (!by_bound && !o.bound.empty()) throw UsageError("--bound requires --policy bound, not " + policy.name);
  refuse_unused_raw(o.raw, {o.got, o.want, o.bound, o.stale});
  if (app.get_option("--rounding")->count() > 0 && policy.kind == compare::PolicyKind::bit_equal &&
      !o.convert)
    throw UsageError("--rounding requires --convert, or a policy other than bit-equal");
  check_format("--format", o.format);
  check_format("--got-format", o.got_format);
  check_format("--want-format", o.want_format);
  const compare::Options options = options_of(o, policy);

  const bool with_raw = !o.raw.dtype.empty();
  check_pairable(o.got, o.want, with_raw);
  check_pairable(o.want, o.got, with_raw);
  const std::optional<NamedArrays> got = named_arrays(o.got, with_raw), want = named_arrays(o.want, with_raw);
  const auto is_one = [](const NamedArrays& arrays) { return !arrays.is_folder && arrays.names.size() == 1; };
  if (got && want && !(is_one(*got) && is_one(*want))) return run_pairs(o, options, *got, *want, app);
  Finding finding;
  const Pair pair{.got = o.got, .want = o.want, .bound = o.bound, .stale = o.stale};
  add_names_note(pair, finding.notes);
  compare::Comparison comparison = compared(o, options, pair, finding.notes);
  finding.suite = "compare";
  finding.name = fmt::format("compare/{} want={}", printable(o.got), printable(o.want));
  finding.evidence = "the values in " + printable(o.want);
  finding.repro = command_text(app);
  finding.seconds = seconds_since(begin);
  return show(o.show, finding, std::move(comparison));
}

}  // namespace

std::function<int()> make_compare(CLI::App& app) {
  const auto o = std::make_shared<CompareCommand>();
  app.add_option("got", o->got,
                 "The output: npy, npz, safetensors, Matrix Market or raw; FILE:NAME selects one array. "
                 "Several arrays, of a file or a folder, are paired with those of want by name")
      ->required();
  app.add_option("want", o->want, "The expected values; integers are compared as integers")->required();
  add_policy_options(app, o->policy, "bit-equal");
  app.add_option("--bound", o->bound, "With a policy of kind bound: the file with a bound for each value");
  app.add_flag("--convert", o->convert, "Let the formats differ: round want once into got's format");
  app.add_option("--rounding", o->rounding,
                 "Rounding of want into got's format: a name of `assay list roundings`")
      ->capture_default_str();
  app.add_option("--format,-f", o->format, "Read arrays of codes (uint8, uint16, ...) as this format");
  app.add_option("--got-format", o->got_format, "Read got alone as this format");
  app.add_option("--want-format", o->want_format, "Read want alone as this format");
  add_raw_options(app, o->raw);
  app.add_flag("--expects-zero", o->expects_zero,
               "Accept that want is all zero instead of calling it VACUOUS");
  app.add_option("--stale", o->stale,
                 "Earlier content of got's memory: report whether it would pass as well");
  add_show_options(app, o->show);
  return [o, &app] { return run(*o, app); };
}

}  // namespace assay::cli
