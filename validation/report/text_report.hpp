// A report as text: the environment, a line per case, what was skipped, the counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "validation/report/run_report.hpp"

namespace assay {

struct TextStyle {
  bool colour = false;         // ANSI colours, for a terminal
  std::size_t name_width = 0;  // names are padded to it, so that the columns behind them line up
};
// The width at which names of this length line up and the columns behind still fit a terminal.
std::size_t name_column_width(std::size_t longest_name);

std::string grouped(std::uint64_t value);              // 16,777,216
std::string duration(double seconds);                  // "0.41 s", "12 min 03 s"
std::string status_label(Status status, bool colour);  // "PASSED", seven columns wide

// Every text below ends in a line feed.
std::string text_header(const RunHeader& header);
// The line of the case and those below it: its reason, details and repro line where it did not pass.
std::string text_case(const RunHeader& header, const CaseRecord& record, const TextStyle& style);
// What was skipped and why, reasons that are the same together; empty if nothing was.
std::string text_skipped(std::span<const CaseRecord> records);
// What stood behind the cases that passed, each with the number of them; empty if no case says.
std::string text_evidence(std::span<const CaseRecord> records);
// Where reports and evidence were written; empty if nowhere.
std::string text_files(const RunSummary& summary);
// A line for each suite: its seconds, beside its budget where it has one; empty if none is timed.
std::string text_suites(const RunSummary& summary);
// One line with the verdict and the counts.
std::string text_summary(const RunSummary& summary, const TextStyle& style);

// The whole of report.txt. What was skipped stands before the cases: it is what a reader must not miss.
std::string text_report(const RunHeader& header, std::span<const CaseRecord> records,
                        const RunSummary& summary);

}  // namespace assay
