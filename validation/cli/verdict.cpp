#include "validation/cli/verdict.hpp"

namespace assay::cli {

Exit exit_code(const Counts& counts, bool strict) {
  if (counts.errors_ours > 0) return internal;
  if (counts.errors_input > 0) return usage;
  if (counts.failed > 0 || counts.errors_under_test > 0) return disagree;
  if (counts.passed == 0) return nothing_verified;
  if (strict && counts.vacuous + counts.skipped + counts.partly > 0) return disagree;
  return agree;
}

}  // namespace assay::cli
