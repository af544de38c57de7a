#include "validation/report/html_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "validation/report/comparison_figures.hpp"
#include "validation/report/comparison_report.hpp"
#include "validation/report/junit_report.hpp"
#include "validation/report/text_report.hpp"

namespace assay {
namespace {

using compare::ClassCounts;
using compare::Comparison;

// XML's escapes are HTML's.
std::string escaped(std::string_view text) { return xml_escaped(text); }

// Colours stand here alone. Orange and blue stay apart for every kind of colour vision, and the words say it
// too.
constexpr std::string_view style = R"css(
:root { color-scheme: light dark;
  --page: #f6f6f4; --panel: #ffffff; --ink: #1d2025; --muted: #5c636d; --line: #d8dbe0; --quiet: #eceef1;
  --other: #2f6fae; --bad: #c2470f; --good: #2b7a4b; --doubt: #8a6100; }
@media (prefers-color-scheme: dark) { :root {
  --page: #14161a; --panel: #1c1f24; --ink: #e4e7eb; --muted: #9ba3ae; --line: #353b44; --quiet: #262a31;
  --other: #6fa9e0; --bad: #f0864f; --good: #6bbf8c; --doubt: #d9b04f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 78rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.45rem; margin: 0 0 .2rem; }
h2 { font-size: 1rem; margin: 0; }
a { color: var(--other); }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .87em; }
.counts { margin: 0 0 1.1rem; color: var(--muted); }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0 0 1.4rem; }
dl.facts dt { color: var(--muted); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
nav { margin: 0 0 1.4rem; }
nav ul { margin: .3rem 0 0; padding-left: 1.2rem; }
nav li { overflow-wrap: anywhere; }
details.case { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; margin: 0 0 .6rem; }
details.case > summary { display: grid; grid-template-columns: 5.2rem 1fr auto auto; gap: .2rem 1rem;
  padding: .55rem .9rem; cursor: pointer; list-style: none; align-items: baseline; }
details.case > summary::-webkit-details-marker { display: none; }
summary .name { overflow-wrap: anywhere; font-weight: 500; }
summary .figures { color: var(--muted); font-variant-numeric: tabular-nums; }
.status { font-weight: 700; font-size: .85em; letter-spacing: .03em; }
.passed .status { color: var(--good); }
.failed .status, .error .status { color: var(--bad); }
.vacuous .status, .skipped .status { color: var(--doubt); }
.body { border-top: 1px solid var(--line); padding: .9rem; }
.body > * { margin: 0 0 .9rem; }
.body > *:last-child { margin-bottom: 0; }
pre.lines { white-space: pre-wrap; overflow-wrap: anywhere; }
.repro { background: var(--quiet); border-radius: 4px; padding: .5rem .7rem; }
.repro code { white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 1.2rem; }
.pictures + .numbers { margin-top: 1.2rem; }
figure { margin: 0; min-width: 0; }
figcaption { font-size: .87em; color: var(--muted); }
figcaption b { color: var(--ink); font-weight: 600; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--muted); font: 11px system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
svg .axis { stroke: var(--line); stroke-width: 1; fill: none; }
svg .limit { stroke: var(--ink); stroke-width: 1.25; stroke-dasharray: 4 3; }
svg .area { fill: var(--quiet); }
svg .same { fill: var(--good); }
svg .other { fill: var(--other); }
svg .bad { fill: var(--bad); }
svg .value { fill: var(--ink); paint-order: stroke; stroke: var(--panel); stroke-width: 4px; }
.numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 1.2rem; }
.numbers > div { overflow-x: auto; min-width: 0; }
table { border-collapse: collapse; width: 100%; font-size: .9em; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--muted); font-weight: 500; }
@media (max-width: 40rem) {
  main { padding: 1rem .7rem 3rem; }
  dl.facts { grid-template-columns: 1fr; gap: 0; }
  dl.facts dd { margin-bottom: .4rem; }
  details.case > summary { grid-template-columns: 1fr auto; }
  summary .name { grid-column: 1 / -1; grid-row: 2; }
  summary .figures { grid-column: 1 / -1; grid-row: 3; }
}
)css";

std::string status_class(Status status) {
  std::string name(status_name(status));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return static_cast<char>(c - 'A' + 'a'); });
  return name;
}

std::string fact(std::string_view name, std::string_view value) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>\n", escaped(name), escaped(value));
}

std::string facts(const RunHeader& header) {
  std::string isas, gpus;
  for (const IsaState& isa : header.machine.isas) {
    if (isa.why_not.empty()) isas += (isas.empty() ? "" : " ") + isa.name;
  }
  for (const std::string& gpu : header.machine.gpus) gpus += (gpus.empty() ? "" : ", ") + gpu;
  std::string text = "<dl class=\"facts\">\n";
  text += fact("when", header.started);
  if (!header.scale.empty()) text += fact("scale", fmt::format("{}, seed {}", header.scale, header.seed));
  text += fact("cpu", header.machine.cpu + (isas.empty() ? "" : " (" + isas + ")"));
  text += fact("gpu", gpus.empty() ? "none (" + header.machine.no_gpu + ")" : gpus);
  text += fact("assay", fmt::format("{}, {}, {}: {}", header.build.version, header.build.compiler,
                                    header.build.build_type, header.build.flags));
  if (!header.data.folder.empty()) text += fact("data", header.data.folder.string());
  return text + "</dl>\n";
}

std::string contents(std::span<const CaseRecord> records) {
  std::string items;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i].result.status == Status::passed) continue;
    items += fmt::format(
        "<li class=\"{0}\"><span class=\"status\">{1}</span> <a href=\"#case-{2}\">{3}</a></li>\n",
        status_class(records[i].result.status), status_name(records[i].result.status), i + 1,
        escaped(records[i].name));
  }
  if (items.empty() || records.size() < 2) return "";
  return "<nav><h2>Not passed</h2>\n<ul>\n" + items + "</ul></nav>\n";
}

std::string row(std::string_view name, const std::vector<std::string>& cells) {
  std::string text = fmt::format("<tr><th>{}</th>", escaped(name));
  for (const std::string& cell : cells) text += "<td>" + escaped(cell) + "</td>";
  return text + "</tr>\n";
}

std::string classes_table(const Comparison& c) {
  std::string text = "<div><table>\n<tr><th></th><th>got</th><th>want</th></tr>\n";
  const auto line = [&](std::string_view name, std::uint64_t got, std::uint64_t want) {
    text += row(name, {grouped(got), grouped(want)});
  };
  line("NaN", c.got.nan, c.want.nan);
  line("+Inf", c.got.positive_infinity, c.want.positive_infinity);
  line("\u2212Inf", c.got.negative_infinity, c.want.negative_infinity);
  line("+0", c.got.positive_zero, c.want.positive_zero);
  line("\u22120", c.got.negative_zero, c.want.negative_zero);
  line("subnormal", c.got.subnormal, c.want.subnormal);
  return text + "</table></div>\n";
}

std::string number(double x) {
  return std::isinf(x) ? (x < 0 ? "\u2212\u221e" : "\u221e") : fmt::format("{:.4g}", x);
}

std::string distances_table(const Comparison& c) {
  const auto at = [&](const compare::Extreme& e) {
    return e.value == 0 ? std::string("0") : number(e.value) + " at " + compare::index_text(e.index, c.shape);
  };
  std::string text = "<div><table>\n";
  text += row("format", {std::string(c.format.dtype) +
                         (c.format == c.want_format ? "" : ", want " + std::string(c.want_format.dtype))});
  text += row("shape", {compare::shape_text(c.shape)});
  text += row("largest distance", {at(c.max_ulps) + " (ulp)"});
  text += row("mean distance, signed", {number(c.mean_ulps) + " (ulp)"});
  text += row("largest error", {at(c.max_absolute)});
  text += row("largest relative error", {at(c.max_relative)});
  if (c.over_bound) {
    text += row("error/bound", {fmt::format("p50 {}, p99 {}, max {}", number(c.over_bound->p50),
                                            number(c.over_bound->p99), at(c.over_bound->max))});
  }
  text += row("NMSE, cosine", {fmt::format("{}, {:.9g} (judge nothing)", number(c.nmse), c.cosine)});
  return text + "</table></div>\n";
}

std::string comparison_body(const Comparison& c) {
  std::string lines;
  for (const std::string& line : comparison_lines(c)) lines += escaped(line) + '\n';
  std::string text = fmt::format("<p>policy <b>{}</b>{}</p>\n<pre class=\"lines\">{}</pre>\n",
                                 escaped(compare::policy_text(c.policy)),
                                 c.operation.empty() ? "" : "; want is " + escaped(c.operation), lines);
  // Where every value is exact there is nothing to be seen.
  if (c.differ > 0 || c.max_absolute.value > 0) {
    text += "<div class=\"pictures\">\n" + ulp_histogram_figure(c) + scatter_figure(c) + map_figure(c) +
            "</div>\n";
  }
  return text + "<div class=\"numbers\">\n" + distances_table(c) + classes_table(c) + "</div>\n";
}

std::string case_details(const RunHeader& header, const CaseRecord& record, std::size_t n) {
  const CaseResult& result = record.result;
  std::string figures;
  if (result.checked > 0) figures += grouped(result.checked) + " checked";
  if (result.mismatches > 0) figures += fmt::format(", {} outside", grouped(result.mismatches));
  figures += (figures.empty() ? "" : ", ") + duration(record.seconds);
  std::string text = fmt::format(
      "<details class=\"case {}\" id=\"case-{}\"{}>\n<summary><span class=\"status\">{}</span> <span "
      "class=\"name\">{}</span> "
      "<span class=\"figures\">{}</span> <a href=\"#repro-{}\">repro</a></summary>\n<div class=\"body\">\n",
      status_class(result.status), n, result.status == Status::passed && !result.comparison ? "" : " open",
      status_name(result.status), escaped(record.name), figures, n);
  if (result.comparison) {
    text += comparison_body(*result.comparison);
  } else if (!result.reason.empty()) {
    text += fmt::format("<p>{}</p>\n", escaped(result.reason));
  }
  std::string details;
  for (const Figure& f : result.figures) {
    details +=
        escaped(fmt::format("{} {:.4g}{}{}", f.name, f.value, f.unit.empty() ? "" : " ", f.unit)) + '\n';
  }
  for (const std::string& detail : result.details) details += escaped(detail) + '\n';
  if (!details.empty()) text += "<pre class=\"lines\">" + details + "</pre>\n";
  if (!result.evidence.empty()) text += fmt::format("<p>against {}</p>\n", escaped(result.evidence));
  text += fmt::format("<p class=\"repro\"><code id=\"repro-{}\">{}</code></p>\n", n,
                      escaped(repro_line(header, record)));
  return text + "</div>\n</details>\n";
}

}  // namespace

std::string html_report(const RunHeader& header, std::span<const CaseRecord> records,
                        const RunSummary& summary) {
  const Counts& c = summary.counts;
  const std::string title =
      records.size() == 1 ? fmt::format("{}: {}", status_name(records[0].result.status), records[0].name)
                          : summary.verdict;
  std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>assay: "
      "{}</title>\n<style>{}</style>\n"
      "</head>\n<body>\n<main>\n<h1>{}</h1>\n",
      escaped(title), style, escaped(summary.verdict));
  page += fmt::format(
      "<p class=\"counts\">{} passed, {} failed, {} vacuous, {} skipped, {} errors; {} values checked, {} "
      "outside; {}</p>\n",
      c.passed, c.failed, c.vacuous, c.skipped, c.errors(), grouped(c.checked), grouped(c.mismatches),
      duration(summary.seconds));
  page += facts(header) + contents(records);
  for (std::size_t i = 0; i < records.size(); ++i) page += case_details(header, records[i], i + 1);
  return page + "</main>\n</body>\n</html>\n";
}

}  // namespace assay
