#include "validation/report/simt_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <string_view>
#include <vector>

#include "validation/report/page.hpp"
#include "validation/report/simt_report.hpp"
#include "validation/report/text_report.hpp"

namespace assay {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + shell_word(word);
  return text;
}

std::string section(std::string_view title, const std::string& content) {
  return fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", html_escaped(title), content);
}

std::string end_text(const SimtRun& r) {
  if (!r.in_time) return "was ended: its time was over";
  return r.signal != 0 ? fmt::format("ended by signal {}", r.signal) : fmt::format("exit code {}", r.status);
}

std::string run_sections(const SimtRun& r) {
  Rows how{{"", ""}};
  how.push_back({"arguments", r.arguments.empty() ? "none" : joined(r.arguments)});
  how.push_back({"imitated GPU", r.architecture});
  how.push_back({"threads begin", r.schedule});
  how.push_back(
      {"a * b + c", r.fused ? "fused where the host's compiler does so (--fmad on)" : "rounded twice"});
  how.push_back({"subnormal numbers of kernels", r.flushed ? "zero (--ftz on)" : "kept"});
  how.push_back({"end", end_text(r)});
  how.push_back({"seconds", fmt::format("{:.2f} to build, {:.2f} to run", r.build_seconds, r.run_seconds)});
  std::string text = section("The run", html_table(how));
  Rows launches{{"launches", "where", "grid", "block"}};
  for (const SimtLaunch& l : r.launches) launches.push_back({grouped(l.times), l.kernel, l.grid, l.block});
  text += section("Launches", launches.size() > 1 ? html_table(launches) : "<p>no kernel was launched</p>\n");
  if (!r.notes.empty()) {
    std::string items = "<ul>\n";
    for (const std::string& note : r.notes) items += "<li>" + html_escaped(note) + "</li>\n";
    text += section("What of its bits is not known to be a GPU's", items + "</ul>\n");
  }
  if (!r.output.empty())
    text += section("What it printed", "<pre class=\"lines\">" + html_escaped(r.output) + "</pre>\n");
  return text;
}

std::string page(const std::string& command, const std::vector<std::string>& files, const RunHeader& header,
                 const std::string& sections) {
  const std::string title = fmt::format("assay simt {} {}", command, joined(files));
  return html_page(title, fmt::format("<h1>{}</h1>\n", html_escaped(title)) + html_facts(header) + sections);
}

// A count that a line has, and how it is shown beside the source.
struct Column {
  const char* name;
  const char* meaning;
  std::uint64_t SimtLine::*count;
};
constexpr Column counters[] = {
    {"blocks", "basic blocks that warps went through", &SimtLine::blocks},
    {"divergent", "of them without all lanes of their warp", &SimtLine::divergent},
    {"sectors", "32-byte sectors of global memory that were moved", &SimtLine::sectors},
    {"unused", "sectors more than what was asked for fills", nullptr},
    {"passes", "passes over the banks of shared memory", &SimtLine::passes},
    {"conflicts", "passes more than without conflicts of banks", nullptr},
    {"barriers", "of warps", &SimtLine::barriers},
    {"warp ops", "shuffles, votes and kin, of warps", &SimtLine::collectives},
    {"matrix", "multiply-adds of matrices, of warps", &SimtLine::matrix},
    {"flops", "float operations; a fused multiply-add is two", &SimtLine::flops}};

std::uint64_t count_of(const SimtLine& l, const Column& c) {
  if (c.count != nullptr) return l.*c.count;
  return std::string_view(c.name) == "unused" ? l.sectors - l.least_sectors : l.passes - l.least_passes;
}

// The columns that count anything in this program.
std::vector<const Column*> shown_counters(const SimtProfile& p) {
  std::vector<const Column*> shown;
  for (const Column& c : counters) {
    if (count_of(p.total, c) != 0) shown.push_back(&c);
  }
  return shown;
}

// The share of the whole colours a cell from the left.
std::string count_cell(std::uint64_t count, std::uint64_t whole) {
  if (count == 0) return "<td></td>";
  const double percent = 100.0 * static_cast<double>(count) / static_cast<double>(whole);
  return fmt::format("<td class=\"share\" style=\"--share: {:.1f}%\">{}</td>", percent, grouped(count));
}

std::string source_row(const SimtProfile& p, const std::vector<const Column*>& shown, const SimtLine* counted,
                       std::uint64_t number, const std::string& text) {
  std::string row = fmt::format("<tr><td class=\"number\">{}</td>", number);
  for (const Column* const c : shown)
    row += counted == nullptr ? "<td></td>" : count_cell(count_of(*counted, *c), count_of(p.total, *c));
  return row + fmt::format("<td class=\"code\">{}</td></tr>\n", html_escaped(text));
}

// Lines that did something, and some before and behind.
std::string source_table(const SimtProfile& p, const SimtSource& source) {
  constexpr std::uint64_t around = 4;
  std::map<std::uint64_t, const SimtLine*> counted;
  for (const SimtLine& l : p.lines) {
    if (l.file == source.file) counted[l.line] = &l;
  }
  const std::vector<const Column*> shown = shown_counters(p);
  std::string text = "<div class=\"scroll\"><table class=\"source\">\n<tr><th></th>";
  for (const Column* const c : shown) text += fmt::format("<th title=\"{}\">{}</th>", c->meaning, c->name);
  text += "<th></th></tr>\n";
  std::uint64_t last = 0;
  for (std::uint64_t number = 1; number <= source.lines.size(); ++number) {
    const auto next = counted.lower_bound(number);
    const bool near = (next != counted.end() && next->first <= number + around) ||
                      (next != counted.begin() && std::prev(next)->first + around >= number);
    if (!near) continue;
    if (last + 1 != number) text += "<tr class=\"gap\"><td></td></tr>\n";
    last = number;
    text += source_row(p, shown, next != counted.end() && next->first == number ? next->second : nullptr,
                       number, source.lines[number - 1]);
  }
  return text + "</table></div>\n";
}

std::string totals(const SimtProfile& p) {
  Rows rows{{"", "whole program", ""}};
  for (const Column* const c : shown_counters(p))
    rows.push_back({c->name, grouped(count_of(p.total, *c)), c->meaning});
  if (p.total.bytes != 0)
    rows.push_back({"bytes", grouped(p.total.bytes), "of global memory that threads asked for"});
  if (p.total.sectors != 0)
    rows.push_back({"intensity", fmt::format("{:.3g}", simt_flops_a_byte(p.total)),
                    "float operations a byte of global memory that was moved"});
  return html_table(rows);
}

// What was launched in each range of NVTX: a row for each.
std::string ranges_table(const SimtProfile& p) {
  const std::vector<const Column*> shown = shown_counters(p);
  std::string text = "<div class=\"scroll\"><table class=\"source\">\n<tr><th></th>";
  for (const Column* const c : shown) text += fmt::format("<th title=\"{}\">{}</th>", c->meaning, c->name);
  text += "</tr>\n";
  for (const SimtRange& r : p.ranges) {
    text += fmt::format("<tr><td class=\"code\">{}</td>", html_escaped(simt_range_name(r)));
    for (const Column* const c : shown) text += count_cell(count_of(r.total, *c), count_of(p.total, *c));
    text += "</tr>\n";
  }
  return text + "</table></div>\n";
}

}  // namespace

std::string simt_run_page(const SimtRun& run, const RunHeader& header) {
  return page("run", run.files, header, run_sections(run));
}

std::string simt_profile_page(const SimtProfile& p, const RunHeader& header) {
  std::string text = run_sections(p.run);
  if (p.lines.empty()) return page("profile", p.run.files, header, text);
  text += section("Counts", totals(p));
  if (p.ranges.size() > 1) text += section("Ranges", ranges_table(p));
  for (const SimtSource& source : p.sources) text += section(source.file, source_table(p, source));
  return page("profile", p.run.files, header, text);
}

std::string simt_check_page(const SimtCheck& c, const RunHeader& header) {
  return page(
      "check", {c.file}, header,
      fmt::format(
          "<section class=\"{}\"><p class=\"status\">{}</p>\n<pre class=\"lines\">{}</pre></section>\n",
          c.agrees() ? "passed" : "failed", c.agrees() ? "PASSED" : "FAILED",
          html_escaped(simt_check_text(c))));
}

}  // namespace assay
