#include "validation/report/text_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "validation/report/comparison_report.hpp"

namespace assay {
namespace {

constexpr std::size_t label_width = 9;
constexpr std::size_t line_width = 120;

std::string labelled(std::string_view label, std::string_view text) {
  return fmt::format("{:<{}}{}\n", label, label_width, text);
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

std::string isa_text(const Machine& machine) {
  std::vector<std::string> here;
  std::string rest;
  for (const IsaState& isa : machine.isas) {
    if (isa.why_not.empty()) {
      here.push_back(isa.name);
    } else {
      rest += labelled("", fmt::format("not {}: {}", isa.name, isa.why_not));
    }
  }
  return labelled("isa", joined(here, " ")) + rest;
}

std::string data_text(const Data& data) {
  std::string text;
  if (data.source.empty()) {
    text = labelled("data", "none: neither --data nor ASSAY_DATA is set");
  } else if (!data.exists) {
    text = labelled("data",
                    fmt::format("none: {} names {}, which is no folder", data.source, data.folder.string()));
  } else {
    text = labelled("data", fmt::format("{} ({})", data.folder.string(), data.source));
  }
  bool any_missing = false;
  for (const DataFolder& folder : data.folders) {
    const std::string what = fmt::format("{} ({}/)", folder.what, folder.name);
    any_missing = any_missing || !folder.complete();
    if (folder.complete()) {
      text += labelled("", "found   " + what);
    } else if (folder.found.empty()) {
      text += labelled("", "MISSING " + what);
    } else {
      text += labelled("", fmt::format("PART OF {}, without {}", what, joined(folder.missing, ", ")));
    }
  }
  if (!data.fashion_mnist.empty())
    text += labelled("", "found   Fashion-MNIST (" + data.fashion_mnist.string() + ")");
  if (any_missing) text += labelled("", "Cases that need what is missing are SKIPPED.");
  return text;
}

// Counts whole, rates with the prefix of their thousands, the rest to three digits.
std::string figure_text(const Figure& figure) {
  double value = figure.value;
  std::string unit = figure.unit;
  if (unit.ends_with("/s")) {
    const char* prefix = "kMGT";
    for (; std::abs(value) >= 1000 && *prefix != '\0'; ++prefix) {
      value /= 1000;
      unit = *prefix + figure.unit;
    }
  }
  const bool whole = std::abs(value) < 1e15 && value == std::trunc(value);
  const std::string number = whole                    ? fmt::format("{:.0f}", value)
                             : std::abs(value) < 1000 ? fmt::format("{:.3g}", value)
                                                      : fmt::format("{:.1f}", value);
  return figure.name + " " + number + (unit.empty() ? "" : " ") + unit;
}

std::string figures_text(const std::vector<Figure>& figures) {
  std::string text;
  for (const Figure& f : figures) text += (text.empty() ? "" : ", ") + figure_text(f);
  return text;
}

// Texts with the number of times each occurs, in the order of their first.
std::vector<std::pair<std::string, std::vector<std::string>>> grouped_names(
    std::span<const CaseRecord> records, Status status, std::string CaseResult::*text) {
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  std::map<std::string, std::size_t> place;
  for (const CaseRecord& record : records) {
    if (record.result.status != status || (record.result.*text).empty()) continue;
    const auto [at, is_new] = place.try_emplace(record.result.*text, groups.size());
    if (is_new) groups.push_back({record.result.*text, {}});
    groups[at->second].second.push_back(record.name);
  }
  return groups;
}

std::string plural(std::size_t n, std::string_view noun) {
  return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

}  // namespace

std::size_t name_column_width(std::size_t longest_name) { return std::min<std::size_t>(longest_name, 74); }

std::string grouped(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string duration(double seconds) {
  if (seconds < 99.995) return fmt::format("{:.2f} s", seconds);
  const auto whole = static_cast<long long>(std::llround(seconds));
  return fmt::format("{} min {:02} s", whole / 60, whole % 60);
}

std::string status_label(Status status, bool colour) {
  const std::string padded = fmt::format("{:<7}", status_name(status));
  if (!colour) return padded;
  const char* code = "33";  // yellow: proves nothing
  if (status == Status::passed) code = "32";
  if (status == Status::failed || status == Status::error) code = "1;31";
  return fmt::format("\x1b[{}m{}\x1b[0m", code, padded);
}

std::string text_header(const RunHeader& header) {
  // A comparison of files has neither scale nor seed, looks for no data, and is rerun by a line of its own.
  const bool is_run = !header.scale.empty();
  std::string text = fmt::format("assay {}: {} of {}, {}{}\n", header.build.version,
                                 plural(header.cases, "case"), joined(header.suites, ", "),
                                 is_run ? fmt::format("scale {}, seed {}, ", header.scale, header.seed) : "",
                                 header.started);
  text += labelled("cpu", fmt::format("{}, {}", header.machine.cpu,
                                      plural(static_cast<std::size_t>(header.machine.threads), "processor")));
  text += isa_text(header.machine);
  text += labelled("gpu", header.machine.gpus.empty() ? "none (" + header.machine.no_gpu + ")"
                                                      : joined(header.machine.gpus, ", "));
  text += labelled(
      "build", fmt::format("{}, {}: {}", header.build.compiler, header.build.build_type, header.build.flags));
  if (is_run) text += data_text(header.data) + labelled("rerun", repro_line(header, "NAME"));
  return text;
}

// A comparison has a form of its own: what is compared and how stands first, the time does not matter.
std::string comparison_case(const RunHeader& header, const CaseRecord& record, const TextStyle& style) {
  const CaseResult& result = record.result;
  const std::string status(status_name(result.status));
  std::string text = comparison_headline(status, record.name, *result.comparison) + '\n';
  if (style.colour)
    text.replace(0, status_label(result.status, false).size(), status_label(result.status, true));
  const auto indented = [&text](const std::string& line) { text += "  " + line + '\n'; };
  for (const std::string& line : comparison_lines(*result.comparison)) indented(line);
  for (const std::string& line : result.details) indented(line);
  if (result.status == Status::failed) indented("repro  " + repro_line(header, record));
  return text;
}

std::string text_case(const RunHeader& header, const CaseRecord& record, const TextStyle& style) {
  const CaseResult& result = record.result;
  if (result.comparison) return comparison_case(header, record, style);
  std::string line = fmt::format("{}  {:<{}}  {:>7}", status_label(result.status, style.colour), record.name,
                                 style.name_width, duration(record.seconds));
  if (result.checked > 0 || result.mismatches > 0) {
    line += fmt::format("  {:>11} checked", grouped(result.checked));
    if (result.mismatches > 0) line += fmt::format(", {} differ", grouped(result.mismatches));
    if (result.not_judged > 0) line += fmt::format(", {} NOT JUDGED", grouped(result.not_judged));
  }
  // Figures follow on the line where they fit, else below it; colour codes take no columns.
  const std::string figures = figures_text(result.figures);
  const std::size_t columns = line.size() - (style.colour ? status_label(result.status, true).size() - 7 : 0);
  const std::string indent(label_width, ' ');
  if (!figures.empty()) line += (columns + figures.size() + 2 <= line_width ? "  " : "\n" + indent) + figures;
  line += '\n';
  if (result.status != Status::passed && !result.reason.empty()) line += indent + result.reason + '\n';
  for (const std::string& detail : detail_lines(result)) line += indent + detail + '\n';
  if (result.status == Status::failed || result.status == Status::error) {
    line += indent + "rerun: " + repro_line(header, record) + '\n';
  }
  return line;
}

std::string text_skipped(std::span<const CaseRecord> records) {
  std::string text;
  constexpr std::size_t most = 8;
  for (const auto& [reason, names] : grouped_names(records, Status::skipped, &CaseResult::reason)) {
    text += fmt::format("SKIPPED  {}: {}\n", plural(names.size(), "case"), reason);
    for (std::size_t i = 0; i < std::min(names.size(), most); ++i) text += labelled("", names[i]);
    if (names.size() > most) text += labelled("", fmt::format("and {} more", names.size() - most));
  }
  return text;
}

std::string text_evidence(std::span<const CaseRecord> records) {
  std::string text;
  for (const auto& [evidence, names] : grouped_names(records, Status::passed, &CaseResult::evidence)) {
    text += labelled(text.empty() ? "against" : "",
                     fmt::format("{} ({})", evidence, plural(names.size(), "case")));
  }
  return text;
}

std::string text_files(const RunSummary& summary) {
  std::string text;
  if (!summary.report.empty()) text += labelled("report", summary.report);
  if (!summary.evidence.empty()) text += labelled("evidence", summary.evidence);
  return text;
}

std::string text_suites(const RunSummary& summary) {
  std::string text;
  for (const SuiteTime& suite : summary.suites) {
    std::string line = fmt::format("{:<12} {:>8.1f} s", suite.name, suite.seconds);
    if (suite.budget > 0) line += fmt::format(" of {:.0f}", suite.budget);
    if (suite.budget > 0 && suite.seconds > suite.budget) line += ", over its budget";
    text += labelled(text.empty() ? "suites" : "", line);
  }
  return text;
}

std::string text_summary(const RunSummary& summary, const TextStyle& style) {
  const Counts& c = summary.counts;
  const bool bad = summary.exit_code != 0;
  std::string verdict = summary.verdict;
  if (style.colour) verdict = fmt::format("\x1b[{}m{}\x1b[0m", bad ? "1;31" : "1;32", verdict);
  return fmt::format("{}: {} passed, {} failed, {} vacuous, {} skipped, {}; {} in {}\n", verdict, c.passed,
                     c.failed, c.vacuous, c.skipped, plural(c.errors(), "error"), plural(c.cases(), "case"),
                     duration(summary.seconds));
}

std::string text_report(const RunHeader& header, std::span<const CaseRecord> records,
                        const RunSummary& summary) {
  std::size_t longest = 0;
  for (const CaseRecord& record : records) longest = std::max(longest, record.name.size());
  const TextStyle style{.colour = false, .name_width = name_column_width(longest)};
  std::string text =
      text_header(header) + text_skipped(records) + text_evidence(records) + text_suites(summary);
  text += text_summary(summary, style) + '\n';
  for (const CaseRecord& record : records) text += text_case(header, record, style);
  return text + '\n' + text_summary(summary, style);
}

}  // namespace assay
