// assay compare: two arrays, and everything that there is to say about their difference.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/formats/rounding.hpp"
#include "validation/cli/array_names.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/comparison_command.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/report/json_report.hpp"
#include "validation/report/table.hpp"
#include "validation/report/text_report.hpp"

namespace assay::cli {
namespace {

struct Options {
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
    throw InputError(got.origin, "", "shape " + io::to_string(want.shape) + ", that of " + want.origin,
                     io::to_string(got.shape) + (turned ? ", which is that of its transpose" : ""));
  }
  if (policy.kind == compare::PolicyKind::bit_equal && !convert && !(got.element == want.element)) {
    throw InputError(
        got.origin, "",
        want.element.name() + ", that of " + want.origin +
            " (bit-equal compares codes; with --convert, want is first rounded into got's format)",
        got.element.name());
  }
}

io::Array read_alike(const std::string& path, const io::Array& got, const RawOptions& raw,
                     std::string_view what) {
  io::Array array = read_dense_operand(path, "", raw);
  if (array.shape != got.shape) {
    throw InputError(path, "",
                     fmt::format("{} of shape {}, that of {}", what, io::to_string(got.shape), got.origin),
                     io::to_string(array.shape));
  }
  return array;
}

// What is compared: paths as they are read.
struct Pair {
  std::string got, want, bound, stale;
};

std::vector<double> read_bounds(const std::string& path, const io::Array& got, const RawOptions& raw,
                                bool are_finite) {
  std::vector<double> bound = values_of(as_floating(read_alike(path, got, raw, "bounds")));
  for (std::size_t i = 0; i < bound.size(); ++i) {
    if (bound[i] >= 0 && (!are_finite || std::isfinite(bound[i]))) continue;
    throw InputError(path, "value " + std::to_string(i),
                     are_finite ? "a bound of an integer, finite and 0 or more" : "a bound, 0 or more",
                     fmt::format("{}", bound[i]));
  }
  return bound;
}

compare::Options options_of(const Options& o, const compare::Policy& policy) {
  compare::Options options;
  options.policy = policy;
  options.convert = o.convert;
  options.rounding = typed_for("--rounding", [&] { return parse_rounding(o.rounding); });
  if (options.rounding == Rounding::stochastic) {
    throw InputError("--rounding", "", "a rounding that gives the same code every time", "stochastic");
  }
  options.expects_zero = o.expects_zero;
  options.threads = o.show.threads;
  return options;
}

compare::Comparison compared(const Options& o, compare::Options options, const Pair& pair,
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
    got = as_floating(std::move(got));
    want = as_floating(std::move(want));
  }
  std::vector<double> bound;
  if (!pair.bound.empty()) bound = read_bounds(pair.bound, got, o.raw, are_integers);
  io::Array stale;
  if (!pair.stale.empty()) {
    stale = read_alike(pair.stale, got, o.raw, "the earlier content");
    if (!are_integers) stale = as_floating(std::move(stale));
    if (!(stale.element == got.element)) {
      throw InputError(pair.stale, "", got.element.name() + ", that of " + got.origin, stale.element.name());
    }
  }
  if (are_integers) {
    compare::ExpectedIntegers expected{.values = integers_of(want), .bound = bound};
    if (!pair.stale.empty()) expected.stale = integers_of(stale);
    return judge(integers_of(got), expected, options);
  }
  if (!pair.stale.empty()) options.stale = codes_of(stale);
  return judge(codes_of(got), {.codes = codes_of(want), .bound = bound}, options);
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// --- arrays paired by name -----------------------------------------------------------------------------------

// A pair, or an array that one side lacks, as reports show it.
struct Row {
  std::string array;
  CaseRecord record;
  bool is_missing = false, is_extra = false;
};

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

CaseRecord pair_record(const Options& o, const compare::Options& options, const std::string& name,
                       const Pair& source, const std::string& case_name, const CLI::App& app) {
  const auto begin = std::chrono::steady_clock::now();
  Finding finding;
  finding.suite = "compare";
  finding.name = case_name;
  finding.evidence = "the values in " + source.want;
  finding.repro = command_text(app, {{"got", source.got}, {"want", source.want}});
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
    CaseRecord record = lone_record(case_name, e.what(), finding.repro);
    record.result.status = Status::error;
    record.result.fault = Fault::input;
    return record;
  }
}

std::vector<Row> judge_pairs(const Options& o, const compare::Options& options, const NamedArrays& got,
                             const NamedArrays& want, const CLI::App& app) {
  std::vector<Row> rows;
  const auto case_name = [&](const std::string& name) {
    return fmt::format("compare/{} want={} array={}", o.got, o.want, name);
  };
  for (const std::string& name : want.names) {
    const auto there = got.sources.find(name);
    if (there == got.sources.end()) {
      rows.push_back({name,
                      lone_record(case_name(name), fmt::format("missing: {} has none of this name", o.got),
                                  command_text(app)),
                      true, false});
      continue;
    }
    const Pair source{.got = there->second, .want = want.sources.at(name), .bound = {}, .stale = {}};
    rows.push_back({name, pair_record(o, options, name, source, case_name(name), app)});
  }
  for (const std::string& name : got.names) {
    if (want.sources.contains(name)) continue;
    rows.push_back({name,
                    lone_record(case_name(name), fmt::format("extra: {} has none of this name", o.want),
                                command_text(app)),
                    false, true});
  }
  return rows;
}

std::vector<std::string> table_row(const Row& row) {
  const CaseResult& result = row.record.result;
  const std::string status(row.is_missing ? "MISSING" : row.is_extra ? "EXTRA" : status_name(result.status));
  if (!result.comparison) return {status, row.array, "", "", "", "", "", result.reason};
  const compare::Comparison& c = *result.comparison;
  std::string most = "0";
  if (c.class_mismatches > 0) {
    most = "NaN or infinity on one side";
  } else if (c.integers) {
    most = compare::integer_text(c.integers->largest_difference);
  } else if (c.max_absolute.value > 0) {
    most = fmt::format("{:.3g}", c.max_absolute.value);
  }
  return {status,
          row.array,
          c.integers ? c.integers->got_type.name() : std::string(c.format.dtype),
          compare::shape_text(c.shape),
          std::to_string(c.values),
          std::to_string(c.differ),
          std::to_string(c.outside),
          most};
}

// One row each, then all there is to say about those that did not pass.
std::string pairs_text(const std::vector<Row>& rows, const RunHeader& header, const RunSummary& summary) {
  std::vector<std::vector<std::string>> table{
      {"", "array", "type", "shape", "values", "differ", "outside", "largest error"}};
  for (const Row& row : rows) table.push_back(table_row(row));
  std::string text = table_text(table, 0);
  const TextStyle style{.colour = has_colour(stdout)};
  for (const Row& row : rows) {
    if (row.record.result.comparison && row.record.result.status != Status::passed)
      text += '\n' + text_case(header, row.record, style);
  }
  return text + '\n' + text_summary(summary, style);
}

std::string pairs_json(const Options& o, const std::vector<Row>& rows, const RunHeader& header,
                       const RunSummary& summary, std::span<const CaseRecord> records) {
  using Json = nlohmann::ordered_json;
  Json missing = Json::array(), extra = Json::array(), pairs = Json::array();
  for (const Row& row : rows) {
    if (row.is_missing) missing.push_back(row.array);
    if (row.is_extra) extra.push_back(row.array);
    if (row.is_missing || row.is_extra) continue;
    Json pair = Json::parse(json_case(header, row.record));
    pair["array"] = row.array;
    pairs.push_back(std::move(pair));
  }
  Json json = {{"record", "pairs"}, {"got", o.got}, {"want", o.want}};
  const Json whole = Json::parse(json_summary(summary, records));
  for (const char* const key : {"verdict", "exit_code", "seconds", "counts"}) json[key] = whole.at(key);
  json["missing"] = std::move(missing);
  json["extra"] = std::move(extra);
  json["pairs"] = std::move(pairs);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int run_pairs(const Options& o, const compare::Options& options, const NamedArrays& got,
              const NamedArrays& want, const CLI::App& app) {
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<Row> rows = judge_pairs(o, options, got, want, app);
  std::vector<CaseRecord> records;
  for (const Row& row : rows) records.push_back(row.record);
  const RunHeader header = header_of("compare", records.size());
  const RunSummary summary = summary_of(o.show, header, records, seconds_since(begin));
  if (o.show.quiet) return summary.exit_code;
  if (o.show.json) {
    put(pairs_json(o, rows, header, summary, records) + '\n');
  } else {
    put(pairs_text(rows, header, summary));
    if (!o.show.report.empty())
      put(fmt::format("report   {}\n", (std::filesystem::path(o.show.report) / "report.html").string()));
  }
  return summary.exit_code;
}

int run(const Options& o, const CLI::App& app) {
  const auto begin = std::chrono::steady_clock::now();
  const compare::Policy policy = chosen_policy(o.policy);
  const bool by_bound = policy.kind == compare::PolicyKind::bound;
  if (by_bound && o.bound.empty()) {
    throw InputError("--policy " + policy.name, "",
                     "--bound FILE, a bound for each value; `assay check` computes one", "none");
  }
  if (!by_bound && !o.bound.empty())
    throw InputError("--bound", "", "--policy bound", "--policy " + policy.name);
  check_format("--format", o.format);
  check_format("--got-format", o.got_format);
  check_format("--want-format", o.want_format);
  const compare::Options options = options_of(o, policy);

  const bool with_raw = !o.raw.dtype.empty();
  const std::optional<NamedArrays> got = named_arrays(o.got, with_raw), want = named_arrays(o.want, with_raw);
  const auto is_one = [](const NamedArrays& arrays) { return !arrays.is_folder && arrays.names.size() == 1; };
  if (got && want && !(is_one(*got) && is_one(*want))) return run_pairs(o, options, *got, *want, app);
  for (const auto& [one, other] : {std::pair(&got, &o.want), std::pair(&want, &o.got)}) {
    if (*one && (*one)->is_folder)
      throw InputError(*other, "",
                       "a folder, npz or safetensors, whose arrays are paired with those of " + (*one)->path,
                       "one array");
  }
  Finding finding;
  compare::Comparison comparison =
      compared(o, options, {.got = o.got, .want = o.want, .bound = o.bound, .stale = o.stale}, finding.notes);
  finding.suite = "compare";
  finding.name = fmt::format("compare/{} want={}", o.got, o.want);
  finding.evidence = "the values in " + o.want;
  finding.repro = command_text(app);
  finding.seconds = seconds_since(begin);
  return show(o.show, finding, std::move(comparison));
}

}  // namespace

std::function<int()> make_compare(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  app.add_option(
         "got", o->got,
         "The output: npy, npz, safetensors, Matrix Market or raw; FILE:NAME for one array of several. All "
         "arrays of a file, or of a folder, are paired with want's by name")
      ->required();
  app.add_option("want", o->want, "What it should be: integers are compared as integers")->required();
  add_policy_options(app, o->policy, "bit-equal");
  app.add_option("--bound", o->bound, "With a policy of kind bound: a file with the bound of each value");
  app.add_flag("--convert", o->convert, "Formats may differ: want is rounded once into got's format");
  app.add_option("--rounding", o->rounding,
                 "Rounding of want into got's format: a name of `assay list roundings`")
      ->capture_default_str();
  app.add_option("--format,-f", o->format, "Read arrays of codes (uint8, uint16, ...) as this format");
  app.add_option("--got-format", o->got_format, "The same for got alone");
  app.add_option("--want-format", o->want_format, "The same for want alone");
  add_raw_options(app, o->raw);
  app.add_flag("--expects-zero", o->expects_zero,
               "That want is zero everywhere is what this is about: not VACUOUS");
  app.add_option("--stale", o->stale, "What the memory of got held before: would it pass?");
  add_show_options(app, o->show);
  return [o, &app] { return run(*o, app); };
}

}  // namespace assay::cli
