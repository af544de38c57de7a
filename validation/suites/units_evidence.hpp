// What a run leaves behind as evidence: the finished cases of a suite as the rows of an evidence file.
#pragma once

#include <span>
#include <vector>

#include "validation/report/evidence.hpp"
#include "validation/report/result.hpp"

namespace assay::suites {

// The cases that hardware stands behind (live instructions, recorded results) as rows, mutants as mutants. Skipped
// cases, and comparisons of one path of ours with another, leave nothing: they are no evidence.
EvidenceFile units_evidence(std::span<const CaseRecord> records);

// Of each suite of a run that found something, in order. Of any but `units` a row is a case that compared something:
// its member against what stood behind it, by its parameters; results of a GPU say so in `against`.
std::vector<EvidenceFile> run_evidence(std::span<const CaseRecord> records);

}  // namespace assay::suites
