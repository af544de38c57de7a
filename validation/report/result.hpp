// What one case of a suite has to say: a status, counts, figures, and the line that reruns exactly it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay {

enum class Status : std::uint8_t {
  passed,
  failed,   // the code under test disagrees
  vacuous,  // agreement that proves nothing: zeros would pass too
  skipped,  // not run; `reason` says why
  error,    // crashed, or an error of our own
};
std::string_view status_name(Status status);  // "PASSED"

// A measured number for people and machines, e.g. {"inference", 0.41, "s"}.
struct Figure {
  std::string name;
  double value = 0;
  std::string unit;
};

struct CaseResult {
  Status status = Status::error;
  std::string reason;                // one sentence; empty when passed
  std::uint64_t checked = 0;         // values compared
  std::uint64_t mismatches = 0;
  std::vector<Figure> figures;
  std::vector<std::string> details;  // lines below the status line: the worst mismatch, what was skipped
  std::string evidence;              // what stood behind it: "this CPU's VCVTNE2PS2BF16", "MNIST, official categories"
};

// A finished case as a report sees it. `name` is `suite/member key=value ...` and is the argument of `assay run --case`.
struct CaseRecord {
  std::string name;
  CaseResult result;
  double seconds = 0;
};

}  // namespace assay
