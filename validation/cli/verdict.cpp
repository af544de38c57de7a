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

std::string verdict(const Counts& counts, bool strict) {
  switch (exit_code(counts, strict)) {
    case internal: return "INTERNAL ERROR";
    case usage: return "SOME INPUT COULD NOT BE JUDGED";
    case disagree:
      return counts.failed + counts.errors_under_test > 0 ? "SOME DISAGREE" : "NOT ALL VERIFIED (--strict)";
    case nothing_verified: return "NOTHING WAS VERIFIED";
    case agree: break;
  }
  return counts.vacuous + counts.skipped + counts.partly > 0 ? "all that was verified agrees" : "all agree";
}

}  // namespace assay::cli
