#include "validation/report/junit_report.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "validation/report/comparison_report.hpp"

namespace assay {
namespace {

// The code point that begins at text[at] and its length in bytes; {0xFFFD, 1} if no well-formed one does (an overlong
// form and a surrogate are not).
std::pair<std::uint32_t, std::size_t> decode_utf8(std::string_view text, std::size_t at) {
  constexpr std::pair<std::uint32_t, std::size_t> malformed{0xFFFD, 1};
  const auto byte = [text](std::size_t i) -> std::uint32_t { return static_cast<unsigned char>(text[i]); };
  const std::uint32_t lead = byte(at);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || at + length > text.size()) return malformed;
  std::uint32_t point = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return malformed;
    point = point << 6 | (byte(at + i) & 0x3F);
  }
  const std::uint32_t smallest = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
  if (point < smallest || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return malformed;
  return {point, length};
}

std::string test_case(const RunHeader& header, const CaseRecord& record, std::string_view suite) {
  const CaseResult& result = record.result;
  const std::string message = xml_escaped(result.reason);
  std::string body;
  switch (result.status) {
    case Status::passed: break;
    case Status::failed: body = fmt::format("      <failure message=\"{}\"/>\n", message); break;
    case Status::vacuous: body = fmt::format("      <skipped message=\"VACUOUS: {}\"/>\n", message); break;
    case Status::skipped: body = fmt::format("      <skipped message=\"{}\"/>\n", message); break;
    case Status::error:
      body = fmt::format("      <error type=\"{}\" message=\"{}\"/>\n", fault_name(result.fault), message);
      break;
  }
  std::string out =
      fmt::format("checked {}, mismatches {}{}\n", result.checked, result.mismatches,
                  result.not_judged == 0 ? "" : fmt::format(", not judged {}", result.not_judged));
  for (const Figure& f : result.figures) out += fmt::format("{} {} {}\n", f.name, f.value, f.unit);
  for (const std::string& detail : detail_lines(result)) out += detail + '\n';
  if (!result.evidence.empty()) out += "against " + result.evidence + '\n';
  if (result.comparison) {
    for (const std::string& text : comparison_lines(*result.comparison)) out += text + '\n';
  }
  out += repro_line(header, record);
  body += fmt::format("      <system-out>{}</system-out>\n", xml_escaped(out));
  return fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.6f}\">\n{}    </testcase>\n",
                     xml_escaped(suite), xml_escaped(record.name.substr(suite.size() + 1)), record.seconds,
                     body);
}

std::string count_attributes(const Counts& c, double seconds) {
  return fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.6f}\"", c.cases(),
                     c.failed, c.errors(), c.skipped + c.vacuous, seconds);
}

std::string property(std::string_view name, std::string_view value) {
  return fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", name, xml_escaped(value));
}

}  // namespace

std::string xml_escaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto [point, length] = decode_utf8(text, at);
    const bool forbidden = point == 0xFFFD || point == 0xFFFE || point == 0xFFFF ||
                           (point < 0x20 && point != '\t' && point != '\n' && point != '\r');
    if (forbidden) {
      out += "\xEF\xBF\xBD";
    } else if (point == '&') {
      out += "&amp;";
    } else if (point == '<') {
      out += "&lt;";
    } else if (point == '>') {
      out += "&gt;";
    } else if (point == '"') {
      out += "&quot;";
    } else if (point < 0x20) {
      out += fmt::format("&#{};", point);
    } else {
      out += text.substr(at, length);
    }
    at += length;
  }
  return out;
}

std::string junit_report(const RunHeader& header, std::span<const CaseRecord> records,
                         const RunSummary& summary) {
  std::vector<std::pair<std::string, std::vector<CaseRecord>>> suites;
  for (const CaseRecord& record : records) {
    const std::string suite = record.name.substr(0, record.name.find('/'));
    if (suites.empty() || suites.back().first != suite) suites.push_back({suite, {}});
    suites.back().second.push_back(record);
  }
  std::string xml =
      fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"assay\" {}>\n",
                  count_attributes(summary.counts, summary.seconds));
  for (const auto& [suite, cases] : suites) {
    double seconds = 0;
    for (const CaseRecord& record : cases) seconds += record.seconds;
    xml +=
        fmt::format("  <testsuite name=\"{}\" {} timestamp=\"{}\">\n    <properties>\n", xml_escaped(suite),
                    count_attributes(count(cases), seconds), xml_escaped(header.started));
    xml += property("assay", header.build.version) + property("cpu", header.machine.cpu) +
           property("compiler", header.build.compiler) + property("flags", header.build.flags) +
           property("seed", std::to_string(header.seed)) + property("scale", header.scale) +
           property("interrupted", summary.interrupted ? "true" : "false");
    xml += "    </properties>\n";
    for (const CaseRecord& record : cases) xml += test_case(header, record, suite);
    xml += "  </testsuite>\n";
  }
  return xml + "</testsuites>\n";
}

}  // namespace assay
