#include "validation/suites/units_evidence.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
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

}  // namespace assay::suites
