// What a run of the suite `units` leaves behind as evidence: its finished cases as the rows of an evidence file.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "validation/report/result.hpp"
#include "validation/suites/evidence.hpp"

namespace assay::suites {

// One wrong model, as a line of a case's details.
struct MutantLine {
  std::string name;  // "vdpbf16ps/even_first"
  std::string by;    // "live CPU", "A100/bf16/fp32", "definition only, cancel_addend"; empty if it lives
  std::uint64_t kills = 0;    // vectors on which it differs
  std::uint64_t vectors = 0;  // that it was tried on
};
// "killed vdpbf16ps/even_first by live CPU: 4711 of 180000", "LIVES  vdpbf16ps/even_first: 180000 vectors".
std::string mutant_text(const MutantLine& line);
std::optional<MutantLine> parse_mutant_text(std::string_view text);

// The cases that hardware stands behind (live instructions, recorded results) as rows, mutants as mutants. Skipped
// cases, and comparisons of one path of ours with another, leave nothing: they are no evidence.
EvidenceFile units_evidence(std::span<const CaseRecord> records);

}  // namespace assay::suites
