// A report as JUnit XML, for continuous-integration servers.
//
// One <testsuite> per suite, one <testcase> per case: classname = suite, name = the rest of the case's name. FAILED is
// <failure>, ERROR is <error>, SKIPPED and VACUOUS are <skipped>: neither may be counted as passed.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "validation/report/run_report.hpp"

namespace assay {

std::string junit_report(const RunHeader& header, std::span<const CaseRecord> records,
                         const RunSummary& summary);

// Text for an element or an attribute of XML 1.0. What XML cannot hold (control characters, bytes that are not UTF-8,
// surrogates) becomes U+FFFD; line feeds and tabs become references, because attributes would fold them to spaces.
std::string xml_escaped(std::string_view text);

}  // namespace assay
