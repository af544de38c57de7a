// The parts of every report besides its cases: header and summary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "validation/report/environment.hpp"
#include "validation/report/result.hpp"

namespace assay {

struct RunHeader {
  Build build;
  Machine machine;
  Data data;
  std::uint64_t seed = 1;
  std::string scale;                // "quick", "standard", "exhaustive"
  std::vector<std::string> suites;  // names, those selected
  std::size_t cases = 0;            // selected
  std::string started;              // UTC, ISO 8601
  // What a repro line puts around `assay run --case "NAME"`: the variables before and the options after.
  std::string repro_prefix, repro_suffix;
};

struct RunSummary {
  Counts counts;
  std::vector<SuiteTime> suites;
  double seconds = 0;
  int exit_code = 0;
  bool interrupted = false;
  std::string verdict;           // "all agree"
  std::string report, evidence;  // where they were written; empty: nowhere
};

// "all agree", "SOME DISAGREE", ...: by the precedence of exit codes (validation/cli/verdict.hpp). `strict`: VACUOUS,
// SKIPPED and values that were not judged count.
std::string verdict_text(const Counts& counts, bool strict);

// The line that reruns exactly this case.
std::string repro_line(const RunHeader& header, std::string_view name);
std::string repro_line(const RunHeader& header, const CaseRecord& record);  // its own line, if it has one

// "2025-01-31T12:00:00Z"
std::string utc_now();

// `text` as one word of a POSIX shell: as it is if nothing in it is special, else in single quotes.
std::string shell_word(std::string_view text);

}  // namespace assay
