#include "validation/report/page.hpp"

#include <fmt/format.h>

#include <string>

#include "validation/report/junit_report.hpp"
#include "validation/report/line_chart.hpp"

namespace assay {
namespace {

// Colours stand here alone. Orange and blue stay apart for every kind of colour vision, and the words say it
// too.
constexpr std::string_view page_style = R"css(
:root { color-scheme: light dark;
  --page: #f6f6f4; --panel: #ffffff; --ink: #1d2025; --muted: #5c636d; --line: #d8dbe0; --quiet: #eceef1;
  --other: #2f6fae; --bad: #c2470f; --good: #2b7a4b; --doubt: #8a6100; --heat: #f3c9a8; }
@media (prefers-color-scheme: dark) { :root {
  --page: #14161a; --panel: #1c1f24; --ink: #e4e7eb; --muted: #9ba3ae; --line: #353b44; --quiet: #262a31;
  --other: #6fa9e0; --bad: #f0864f; --good: #6bbf8c; --doubt: #d9b04f; --heat: #6b4325; } }
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
section { margin: 0 0 1.6rem; }
section > h2 { margin-bottom: .4rem; overflow-wrap: anywhere; }
table.source { width: auto; }
table.source th, table.source td { padding: 0 .5rem; border: 0; text-align: right; white-space: pre; }
table.source td.number { color: var(--muted); }
table.source td.code { text-align: left; padding-left: 1rem; tab-size: 4; border-left: 1px solid var(--line);
  font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .9em; }
table.source td.share { background: linear-gradient(to right, var(--heat) var(--share), transparent var(--share)); }
table.source tr.gap td { height: .8rem; }
@media (max-width: 40rem) {
  main { padding: 1rem .7rem 3rem; }
  dl.facts { grid-template-columns: 1fr; gap: 0; }
  dl.facts dd { margin-bottom: .4rem; }
  details.case > summary { grid-template-columns: 1fr auto; }
  summary .name { grid-column: 1 / -1; grid-row: 2; }
  summary .figures { grid-column: 1 / -1; grid-row: 3; }
}
)css";

std::string fact(std::string_view name, std::string_view value) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>\n", html_escaped(name), html_escaped(value));
}

}  // namespace

// XML's escapes are HTML's.
std::string html_escaped(std::string_view text) { return xml_escaped(text); }

std::string html_page(std::string_view title, const std::string& body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n"
      "<style>{}{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
      html_escaped(title), page_style, line_chart_style(), body);
}

std::string html_table(const std::vector<std::vector<std::string>>& rows) {
  std::string text = "<div class=\"scroll\"><table>\n";
  for (const std::vector<std::string>& row : rows) {
    const char* const cell = &row == &rows.front() ? "th" : "td";
    text += "<tr>";
    for (const std::string& field : row) text += fmt::format("<{0}>{1}</{0}>", cell, html_escaped(field));
    text += "</tr>\n";
  }
  return text + "</table></div>\n";
}

std::string html_facts(const RunHeader& header) {
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

}  // namespace assay
