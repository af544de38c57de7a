// The result of one case of a suite: status, counts, figures, and the line that reruns exactly this case.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "validation/compare/comparison.hpp"

namespace assay {

enum class Status : std::uint8_t {
  passed,
  failed,   // the code under test disagrees
  vacuous,  // agreement that proves nothing: zeros would pass too
  skipped,  // not run; `reason` says why
  error,    // crashed, or an error of our own
};
std::string_view status_name(Status status);  // "PASSED"
// Throws InputError for a name that status_name() does not give.
Status parse_status(std::string_view name);

// Whose an ERROR is; it decides the exit code of the run.
enum class Fault : std::uint8_t {
  ours,             // a case that broke a contract or said `error` itself
  code_under_test,  // it crashed, hung, ended the process or threw
  input,            // a file that the case read is not what it should be
};
std::string_view fault_name(Fault fault);
Fault parse_fault(std::string_view name);

// A measured number for people and machines, e.g. {"inference", 0.41, "s"}.
struct Figure {
  std::string name;
  double value = 0;
  std::string unit;
};

// A wrong model that a case tried: the vectors must refuse it.
struct TriedMutant {
  std::string name{};  // "vdpbf16ps/even_first"
  std::string by{};    // what refused it: "live CPU", "A100/bf16/fp32", a class of inputs; empty if it lives
  bool by_definition = false;  // no hardware stands behind that
  std::uint64_t kills = 0;     // vectors on which it differs; 0: it lives
  std::uint64_t vectors = 0;   // that it was tried on
};
// "killed vdpbf16ps/even_first by live CPU: 4711 of 180000", "LIVES  vdpbf16ps/even_first: 180000 vectors".
std::string mutant_text(const TriedMutant& mutant);

struct CaseResult {
  Status status = Status::error;
  std::string reason;         // one sentence; empty when passed
  std::uint64_t checked = 0;  // values compared
  std::uint64_t mismatches = 0;
  std::uint64_t not_judged = 0;  // of `checked`: accepted because nothing is known of them
  std::vector<Figure> figures;
  std::vector<std::string> details;    // lines below the status line: the worst mismatch, what was skipped
  std::vector<TriedMutant> mutants{};  // a line each below the details
  std::string evidence;  // what stood behind it: "this CPU's VCVTNE2PS2BF16", "MNIST, official categories"
  Fault fault = Fault::ours;  // read only where status is `error`
  // Where the case is one comparison of arrays: reports show it in place of details.
  std::shared_ptr<const compare::Comparison> comparison{};
};

// The lines below the status line: `details`, then the mutants.
std::vector<std::string> detail_lines(const CaseResult& result);

// The result as a report takes it. PASSED with a mismatch counted is FAILED, and PASSED with nothing compared is
// VACUOUS: a case does not get to claim more than it counted.
CaseResult judged(CaseResult result);

// The result of a case that is one comparison: its status, reason and counts.
CaseResult result_of(compare::Comparison comparison);

// A finished case as a report sees it. `name` is `suite/member key=value ...` and is the argument of `assay run
// --case`.
struct CaseRecord {
  std::string name;
  CaseResult result;
  double seconds = 0;
  std::string repro{};  // the line that reruns it, where that is not `assay run --case NAME`
};

struct Counts {
  std::size_t passed = 0, failed = 0, vacuous = 0, skipped = 0;
  std::size_t errors_ours = 0, errors_under_test = 0, errors_input = 0;
  std::size_t partly = 0;  // of `passed`: with values that were not judged
  std::uint64_t checked = 0, mismatches = 0, not_judged = 0;

  std::size_t errors() const { return errors_ours + errors_under_test + errors_input; }
  std::size_t cases() const { return passed + failed + vacuous + skipped + errors(); }
};
Counts count(std::span<const CaseRecord> records);

struct SuiteTime {
  std::string name;
  double seconds = 0;
  double budget = 0;  // seconds; 0: none
};

}  // namespace assay
