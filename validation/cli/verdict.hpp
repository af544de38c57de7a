// The exit code that follows from the counts of a run. Its text is verdict_text() of validation/report/run_report.hpp.
#pragma once

#include "validation/cli/command.hpp"
#include "validation/report/result.hpp"

namespace assay::cli {

// Precedence: an error of ours (4), unreadable input (2), a disagreement or a crash of the code under test (1), nothing
// verified (3), all agree (0). VACUOUS and SKIPPED beside PASSED agree; `strict` makes them disagree.
Exit exit_code(const Counts& counts, bool strict);

}  // namespace assay::cli
