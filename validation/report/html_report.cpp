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
#include "validation/report/page.hpp"
#include "validation/report/text_report.hpp"

namespace assay {
namespace {

using compare::ClassCounts;
using compare::Comparison;

std::string escaped(std::string_view text) { return html_escaped(text); }

std::string status_class(Status status) {
  std::string name(status_name(status));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return static_cast<char>(c - 'A' + 'a'); });
  return name;
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

std::string ranges_table(const Comparison& c) {
  const compare::IntegerFigures& f = *c.integers;
  std::string text = "<div><table>\n<tr><th></th><th>got</th><th>want</th></tr>\n";
  text += row("least", {compare::integer_text(f.least_got), compare::integer_text(f.least_want)});
  text += row("greatest", {compare::integer_text(f.most_got), compare::integer_text(f.most_want)});
  text += row("zeros", {grouped(c.got.zero()), grouped(c.want.zero())});
  return text + "</table></div>\n";
}

std::string classes_table(const Comparison& c) {
  if (c.integers) return ranges_table(c);
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
  const std::string got = c.integers ? c.integers->got_type.name() : std::string(c.format.dtype),
                    want = c.integers ? c.integers->want_type.name() : std::string(c.want_format.dtype);
  text += row("format", {got == want ? got : got + ", want " + want});
  text += row("shape", {compare::shape_text(c.shape)});
  if (c.integers) {
    const compare::Int128 largest = c.integers->largest_difference;
    text += row("largest difference",
                {compare::integer_text(largest) +
                 (largest == 0 ? "" : " at " + compare::index_text(c.max_absolute.index, c.shape))});
    text += row("mean difference, signed", {number(c.mean_ulps)});
  } else {
    text += row("largest distance", {at(c.max_ulps) + " (ulp)"});
    text += row("mean distance, signed", {number(c.mean_ulps) + " (ulp)"});
    text += row("largest error", {at(c.max_absolute)});
  }
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
  if (result.not_judged > 0) figures += fmt::format(", {} not judged", grouped(result.not_judged));
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
  for (const std::string& detail : detail_lines(result)) details += escaped(detail) + '\n';
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
  std::string page = fmt::format("<h1>{}</h1>\n", escaped(summary.verdict));
  page += fmt::format(
      "<p class=\"counts\">{} passed, {} failed, {} vacuous, {} skipped, {} errors; {} values checked, {} "
      "outside{}; {}</p>\n",
      c.passed, c.failed, c.vacuous, c.skipped, c.errors(), grouped(c.checked), grouped(c.mismatches),
      c.not_judged == 0 ? "" : fmt::format(", {} not judged", grouped(c.not_judged)),
      duration(summary.seconds));
  page += html_facts(header) + contents(records);
  for (std::size_t i = 0; i < records.size(); ++i) page += case_details(header, records[i], i + 1);
  return html_page("assay: " + title, page);
}

}  // namespace assay
