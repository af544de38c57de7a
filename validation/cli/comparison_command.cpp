#include "validation/cli/comparison_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <tuple>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "reference/core/printable.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/cli/verdict.hpp"
#include "validation/report/comparison_report.hpp"
#include "validation/report/json_report.hpp"
#include "validation/report/report_folder.hpp"
#include "validation/report/text_report.hpp"

namespace assay::cli {
namespace {

constexpr std::string_view tolerance = "tolerance";

io::Shape parse_shape(const std::string& option, const std::string& text) {
  io::Shape shape;
  std::string_view rest = text;
  const auto bad = [&] {
    return InputError::of_option(option, "sizes separated by x or commas, as in 64x33", quoted(text));
  };
  while (!rest.empty()) {
    std::int64_t size = 0;
    const auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), size);
    if (status != std::errc{} || size < 0) throw bad();
    shape.push_back(size);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (rest.empty()) break;
    if (rest.front() != 'x' && rest.front() != ',') throw bad();
    rest.remove_prefix(1);
    if (rest.empty()) throw bad();
  }
  return shape;
}

}  // namespace

std::string whole_number(const std::string& text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, number);
  const bool leading_zero = text.size() > 1 && text[0] == '0';  // octal to the parser
  if (status == std::errc{} && stop == end && number >= 0 && !text.starts_with('-') && !leading_zero)
    return "";
  return "takes a whole number from 0 to 2^63 - 1, not " + quoted(text);
}

namespace {

// Two float64 values lie up to 2^64 - 2^53 steps apart.
std::string number_of_steps(const std::string& text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, number);
  const bool leading_zero = text.size() > 1 && text[0] == '0';  // octal to the parser
  if (status == std::errc{} && stop == end && !leading_zero) return "";
  return "takes a whole number from 0 to 2^64 - 1, not " + quoted(text);
}

}  // namespace

void add_policy_options(CLI::App& app, PolicyOptions& o, std::string_view default_policy) {
  o.name = default_policy;
  app.add_option("--policy", o.name, "What counts as agreement: a policy of policies.toml, or tolerance")
      ->capture_default_str();
  app.add_option("--policies", o.file, "Read policies from this file in place of the built-in ones");
  app.add_option("--atol", o.atol, "With --policy tolerance: |got - want| <= atol + rtol |want|")
      ->check(finite_not_negative);
  app.add_option("--rtol", o.rtol, "With --policy tolerance: see --atol")->check(finite_not_negative);
  app.add_option("--ulps", o.ulps,
                 "With --policy tolerance: also accept N steps between codes (integers: a difference of N); "
                 "0 accepts want rounded into got's format")
      ->check(number_of_steps);
  app.add_option("--because", o.because, "With --policy tolerance: the reason for it, shown in the report");
}

compare::Policy chosen_policy(const PolicyOptions& o) {
  const bool has_numbers = o.atol || o.rtol || o.ulps;
  if (o.name == tolerance) {
    if (!has_numbers) throw UsageError("--policy tolerance requires --atol, --rtol or --ulps");
    if (o.because.empty())
      throw UsageError("--policy tolerance requires --because TEXT, the reason for the tolerance");
    compare::Policy p;
    p.name = tolerance;
    p.kind = compare::PolicyKind::tolerance;
    p.atol = o.atol.value_or(0);
    p.rtol = o.rtol.value_or(0);
    p.ulps = o.ulps.value_or(0);
    p.zero_ulps = o.ulps == 0U;
    p.because = o.because;
    if (const std::string why = why_unsound(p); !why.empty())
      throw UsageError("--policy tolerance is unsound: " + why);
    return p;
  }
  const std::vector<compare::Policy> own =
      o.file.empty() ? std::vector<compare::Policy>{} : compare::read_policies(o.file);
  const std::vector<compare::Policy>& policies = o.file.empty() ? compare::default_policies() : own;
  const auto found = std::find_if(policies.begin(), policies.end(),
                                  [&](const compare::Policy& policy) { return policy.name == o.name; });
  if (found == policies.end()) {
    std::vector<std::string> known{std::string(tolerance)};
    for (const compare::Policy& policy : policies) known.push_back(policy.name);
    throw unknown_name("--policy", "a policy", o.name, known);
  }
  if (has_numbers || !o.because.empty()) {
    const char* const option = o.atol ? "--atol" : o.rtol ? "--rtol" : o.ulps ? "--ulps" : "--because";
    throw UsageError(std::string(option) + " requires --policy tolerance, not " + o.name);
  }
  return *found;
}

void add_raw_options(CLI::App& app, RawOptions& o, bool with_layout) {
  app.add_option("--dtype", o.dtype,
                 "Element type of files without a header: float32, bfloat16, uint16, ...");
  app.add_option("--shape", o.shape, "Shape of files without a header, for example 64x33");
  if (!with_layout) return;
  app.add_option("--layout", o.layout, "Order of files without a header: row or column")
      ->capture_default_str()
      ->check(CLI::IsMember({"row", "column"}));
}

void add_own_raw_options(CLI::App& app, OwnRawOptions& own, std::initializer_list<const char*> operands) {
  for (const char* operand : operands) {
    RawOptions& raw = own[operand];
    raw.dtype_option = fmt::format("{}-dtype", operand);
    raw.shape_option = fmt::format("{}-shape", operand);
    app.add_option(raw.dtype_option, raw.dtype,
                   fmt::format("Element type of the {} file, if it has no header", operand + 2));
    app.add_option(raw.shape_option, raw.shape,
                   fmt::format("Shape of the {} file, if it has no header", operand + 2));
  }
}

RawOptions raw_of(const RawOptions& of_all, const OwnRawOptions& of_each, std::string_view operand,
                  const std::string& path) {
  RawOptions all = of_all;
  const auto own = of_each.find(operand);
  if (own == of_each.end()) return all;
  for (const auto& [typed, name, value, said] :
       {std::tuple(&own->second.dtype, &own->second.dtype_option, &all.dtype, &all.dtype_option),
        std::tuple(&own->second.shape, &own->second.shape_option, &all.shape, &all.shape_option)}) {
    if (typed->empty()) continue;
    if (!is_raw_name(path))
      throw UsageError(
          fmt::format("{} is for a file without a header, and {} has one", *name, printable(path)));
    *value = *typed;
    *said = *name;
  }
  return all;
}

bool is_raw_name(const std::string& path) {
  constexpr std::array extensions = {".npy", ".npz", ".safetensors", ".mtx"};
  // "run.npz:out" names an array of a file.
  const auto has = [&](const char* extension) { return path.find(extension) != std::string::npos; };
  return std::none_of(extensions.begin(), extensions.end(), has);
}

void refuse_unused_raw(const RawOptions& o, std::initializer_list<std::string> paths) {
  if (o.dtype.empty() && o.shape.empty() && o.layout != "column") return;
  std::error_code ignored;
  const bool any = std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
    return !path.empty() && (is_raw_name(path) || std::filesystem::is_directory(path, ignored));
  });
  if (any) return;
  const std::string option = !o.dtype.empty()   ? o.dtype_option
                             : !o.shape.empty() ? o.shape_option
                                                : "--layout";
  throw UsageError(std::string(option) + " is for files without a header, and none was given");
}

void check_format(std::string_view option, const std::string& text) {
  if (!text.empty()) typed_for(option, [&] { return parse_format(text); });
}

io::AnyArray read_operand(const std::string& path, const std::string& format, const RawOptions& raw) {
  io::ReadOptions options;
  if (!format.empty()) options.format = parse_format(format);
  if (raw.dtype.empty() != raw.shape.empty()) {
    const bool has_shape = raw.dtype.empty();
    throw UsageError(fmt::format("{} requires {}: a file without a header needs both",
                                 has_shape ? raw.shape_option : raw.dtype_option,
                                 has_shape ? raw.dtype_option : raw.shape_option));
  }
  if (!raw.dtype.empty() && is_raw_name(path)) {
    options.raw =
        io::RawLayout{typed_for(raw.dtype_option, [&] { return io::parse_element_type(raw.dtype); }),
                      parse_shape(raw.shape_option, raw.shape),
                      raw.layout == "column" ? io::Order::column_major : io::Order::row_major};
  }
  return io::read_any(path, options);
}

io::Array read_dense_operand(const std::string& path, const std::string& format, const RawOptions& raw) {
  io::AnyArray any = read_operand(path, format, raw);
  if (const auto* const sparse = std::get_if<io::SparseArray>(&any)) return io::to_dense(*sparse);
  return std::get<io::Array>(std::move(any));
}

compare::Shape shape_of(const io::Array& array) {
  compare::Shape shape;
  for (const std::int64_t d : array.shape) shape.push_back(static_cast<std::size_t>(d));
  return shape;
}

compare::Integers integers_of(const io::Array& array) {
  const io::ElementType& element = array.element;
  using Kind = io::ElementType::Kind;
  return {array.bytes.data(),
          {.bits = element.bits(),
           .is_signed = element.kind() == Kind::signed_integer,
           .is_boolean = element.kind() == Kind::boolean},
          shape_of(array)};
}

void add_show_options(CLI::App& app, ShowOptions& o) {
  app.add_flag("--statistics", o.statistics,
               "Print distances, percentiles, NMSE and cosine below the verdict");
  app.add_flag("--json", o.json, "Print one JSON object on stdout");
  app.add_flag("--quiet", o.quiet, "Print nothing on stdout; the exit code is the answer");
  app.add_option("--report", o.report,
                 "Write report.txt, report.jsonl, report.junit.xml and report.html to this folder");
  app.add_flag(
      "--strict", o.strict,
      "Count VACUOUS and values that were not judged as disagreement (exit code 3 if nothing was verified)");
  app.add_option("--threads", o.threads, "Number of OpenMP threads (default: OpenMP's choice)")
      ->check(CLI::Range(1, 4096));
}

CaseRecord record_of(const ShowOptions& o, const Finding& finding, compare::Comparison comparison) {
  CaseRecord record{.name = finding.name,
                    .result = judged(result_of(std::move(comparison))),
                    .seconds = finding.seconds,
                    .repro = finding.repro};
  if (o.strict && record.result.status == Status::passed && record.result.not_judged > 0) {
    record.result.status = Status::failed;
    record.result.reason = fmt::format("{} of {} values were not judged (--strict)", record.result.not_judged,
                                       record.result.checked);
  }
  record.result.evidence = finding.evidence;
  record.result.details = finding.notes;
  if (o.statistics) {
    for (std::string& line : statistics_lines(*record.result.comparison))
      record.result.details.push_back(std::move(line));
  }
  return record;
}

RunHeader header_of(const std::string& suite, std::size_t cases) {
  RunHeader header;
  header.build = this_build();
  header.machine = this_machine();
  header.suites = {suite};
  header.cases = cases;
  header.started = utc_now();
  return header;
}

RunSummary summary_of(const ShowOptions& o, const RunHeader& header, std::span<const CaseRecord> records,
                      double seconds) {
  RunSummary summary;
  summary.counts = count(records);
  summary.seconds = seconds;
  summary.exit_code = exit_code(summary.counts, o.strict);
  summary.verdict = verdict_text(summary.counts, o.strict);
  if (!o.report.empty()) {
    ReportFolder folder(o.report, header);
    for (const CaseRecord& record : records) folder.add(record);
    folder.finish(summary);
    summary.report = (std::filesystem::path(o.report) / "report.html").string();
  }
  return summary;
}

int show(const ShowOptions& o, const Finding& finding, compare::Comparison comparison) {
  const CaseRecord record = record_of(o, finding, std::move(comparison));
  const RunHeader header = header_of(finding.suite, 1);
  const RunSummary summary = summary_of(o, header, {&record, 1}, finding.seconds);
  if (o.quiet) return summary.exit_code;
  if (o.json) {
    put(json_case(header, record) + '\n');
  } else {
    put(text_case(header, record, {.colour = has_colour(stdout)}));
    put(text_files(summary));
  }
  return summary.exit_code;
}

std::string command_text(const CLI::App& app, const std::map<std::string, std::string>& instead,
                         const std::function<bool(std::string_view)>& left_out) {
  constexpr std::array silent = {"--json", "--quiet", "--report", "--statistics", "--threads"};
  std::string text = app.get_name();
  for (const CLI::App* parent = app.get_parent(); parent != nullptr; parent = parent->get_parent())
    text = parent->get_name() + " " + text;
  const auto options = app.get_options([](const CLI::Option* option) { return option->count() > 0; });
  const auto results = [&](const CLI::Option* option, const std::string& name) {
    const auto other = instead.find(name);
    return other == instead.end() ? option->results() : std::vector<std::string>{other->second};
  };
  for (const CLI::Option* option : options) {
    if (!option->get_positional()) continue;
    for (const std::string& value : results(option, option->get_name(true))) text += " " + shell_word(value);
  }
  for (const CLI::Option* option : options) {
    if (option->get_positional() || option->get_lnames().empty()) continue;
    const std::string name = "--" + option->get_lnames().front();
    if (std::find(silent.begin(), silent.end(), name) != silent.end()) continue;
    if (left_out && left_out(option->get_lnames().front())) continue;
    if (option->get_items_expected_max() == 0) {
      text += " " + name;
      continue;
    }
    for (const std::string& value : results(option, option->get_lnames().front()))
      text += " " + name + " " + shell_word(value);
  }
  return text;
}

}  // namespace assay::cli
