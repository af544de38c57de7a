// A report as one HTML page that works from disk: no script, nothing from outside, light and dark by the
// reader's setting.
//
// Every case is a <details id="case-N"> that begins with its status and a link to <code id="repro-N">, the
// line that reruns it; N counts from 1 in the order of the run. Cases that did not pass are open and listed
// at the top. A comparison shows its figures as inline SVG: ulp histogram (class "ulp"), error against
// magnitude ("scatter"), map of mismatches ("map"); each mark is an element of class "mark".
#pragma once

#include <span>
#include <string>

#include "validation/report/run_report.hpp"

namespace assay {

std::string html_report(const RunHeader& header, std::span<const CaseRecord> records,
                        const RunSummary& summary);

}  // namespace assay
