#include "validation/suites/units_evidence.hpp"

#include <fmt/format.h>

#include <charconv>
#include <vector>

#include "validation/suites/suite.hpp"

namespace assay::suites {
namespace {

constexpr std::string_view killed = "killed ", lives = "LIVES  ", definition_only = "definition only";

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), n);
  return status == std::errc{} && end == text.data() + text.size() ? std::optional(n) : std::nullopt;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('/', at), text.size());
    parts.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

}  // namespace

std::string mutant_text(const MutantLine& line) {
  return line.kills == 0
             ? fmt::format("{}{}: {} vectors", lives, line.name, line.vectors)
             : fmt::format("{}{} by {}: {} of {}", killed, line.name, line.by, line.kills, line.vectors);
}

std::optional<MutantLine> parse_mutant_text(std::string_view text) {
  MutantLine line;
  const std::size_t colon = text.rfind(": ");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view counts = text.substr(colon + 2);
  if (text.starts_with(lives)) {
    line.name = text.substr(lives.size(), colon - lives.size());
    const std::size_t space = counts.find(' ');
    const auto vectors = number(counts.substr(0, space));
    if (!vectors || counts.substr(std::min(space, counts.size())) != " vectors") return std::nullopt;
    line.vectors = *vectors;
    return line;
  }
  if (!text.starts_with(killed)) return std::nullopt;
  const std::string_view head = text.substr(killed.size(), colon - killed.size());
  const std::size_t by = head.rfind(" by "), of = counts.find(" of ");
  if (by == std::string_view::npos || of == std::string_view::npos) return std::nullopt;
  const auto kills = number(counts.substr(0, of)), vectors = number(counts.substr(of + 4));
  if (!kills || !vectors || *kills == 0) return std::nullopt;
  line.name = head.substr(0, by);
  line.by = head.substr(by + 4);
  line.kills = *kills;
  line.vectors = *vectors;
  return line;
}

EvidenceFile units_evidence(std::span<const CaseRecord> records) {
  EvidenceFile file = new_evidence("units");
  for (const CaseRecord& record : records) {
    const CaseNameParts name = parse_case_name(record.name);
    const CaseResult& result = record.result;
    if (name.suite != "units" || result.checked == 0) continue;
    const std::vector<std::string> parts = split(name.member);
    EvidenceRow row{.against = result.evidence, .vectors = result.checked, .mismatches = result.mismatches};
    if (result.mismatches != 0 && !result.details.empty()) row.first_mismatch = result.details.front();
    if (parts[0] == "live") {
      row.unit = parts.at(1);
      row.vector_class = parts.size() > 2 ? parts[2] : "uniform_bits";
      file.rows.push_back(std::move(row));
    } else if (parts[0] == "recorded") {
      for (const auto& [key, value] : name.parameters) {
        if (key == "unit") row.unit = value;
      }
      row.against = "recorded " + name.member.substr(parts[0].size() + 1);
      row.vector_class = "as recorded";
      file.rows.push_back(std::move(row));
    } else if (parts[0] == "mutants") {
      for (const std::string& text : result.details) {
        const std::optional<MutantLine> line = parse_mutant_text(text);
        if (!line) continue;
        const bool by_definition = std::string_view(line->by).starts_with(definition_only);
        file.mutants.push_back(
            {.name = name.member == "mutants/x86" ? line->name : parts.at(1) + " " + line->name,
             .killed = line->kills != 0,
             .by = by_definition ? "definition" : line->by});
      }
    }
  }
  return file;
}

}  // namespace assay::suites
