// A report as JSON lines: a header, one line per case, a summary. The same lines go to stdout with --json, to
// report.jsonl, and, for a case's result, from the process that runs cases to the one that reports them.
//
// Schema "assay-report", version 1. Every line is an object with "record": "header", "case" or "summary". A number that
// is NaN or infinite is null. Fields are added within a version; one that changes its meaning raises the version.
#pragma once

#include <string>
#include <string_view>

#include "validation/report/run_report.hpp"

namespace assay {

inline constexpr std::string_view report_schema = "assay-report";
inline constexpr int report_schema_version = 1;

// Without the line feed. Text that is not UTF-8 is shown with replacement characters.
std::string json_header(const RunHeader& header);
std::string json_case(const RunHeader& header, const CaseRecord& record);
std::string json_summary(const RunSummary& summary, std::span<const CaseRecord> records);

std::string json_result(const CaseResult& result);
CaseResult parse_json_result(std::string_view text);  // InputError if it is not one
// One line that json_case() made.
CaseRecord parse_json_case(std::string_view text);

}  // namespace assay
