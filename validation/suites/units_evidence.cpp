#include "validation/suites/units_evidence.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "validation/suites/suite.hpp"

namespace assay::suites {
namespace {

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
      for (const TriedMutant& mutant : result.mutants) {
        const bool lives = mutant.kills == 0;
        file.mutants.push_back(
            {.name = name.member == "mutants/x86" ? mutant.name : parts.at(1) + " " + mutant.name,
             .killed = !lives,
             .by = lives                  ? ""
                   : mutant.by_definition ? "definition"
                                          : mutant.by});
      }
    }
  }
  return file;
}

std::vector<EvidenceFile> run_evidence(std::span<const CaseRecord> records) {
  std::vector<EvidenceFile> files;
  for (const CaseRecord& record : records) {
    const CaseNameParts name = parse_case_name(record.name);
    const CaseResult& result = record.result;
    if (files.empty() || files.back().suite != name.suite)
      files.push_back(name.suite == "units" ? units_evidence(records) : new_evidence(name.suite));
    if (name.suite == "units" || result.evidence.empty()) continue;
    const std::uint64_t compared = std::max(result.checked, result.mismatches);
    if (compared == 0 || (result.status != Status::passed && result.status != Status::failed)) continue;
    EvidenceRow row{.unit = name.member,
                    .against = result.evidence,
                    .vectors = compared,
                    .mismatches = result.mismatches};
    for (const auto& [key, value] : name.parameters)
      row.vector_class += (row.vector_class.empty() ? "" : " ") + key + "=" + value;
    if (row.vector_class.empty()) row.vector_class = "all";
    if (row.mismatches != 0)
      row.first_mismatch = result.details.empty() ? result.reason : result.details.front();
    files.back().rows.push_back(std::move(row));
  }
  std::erase_if(files, [](const EvidenceFile& file) { return file.rows.empty() && file.mutants.empty(); });
  return files;
}

}  // namespace assay::suites
