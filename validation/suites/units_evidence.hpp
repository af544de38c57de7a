// What a run of the suite `units` leaves behind as evidence: its finished cases as the rows of an evidence file.
#pragma once

#include <span>

#include "validation/report/evidence.hpp"
#include "validation/report/result.hpp"

namespace assay::suites {

// The cases that hardware stands behind (live instructions, recorded results) as rows, mutants as mutants. Skipped
// cases, and comparisons of one path of ours with another, leave nothing: they are no evidence.
EvidenceFile units_evidence(std::span<const CaseRecord> records);

}  // namespace assay::suites
