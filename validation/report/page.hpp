// The common frame of all HTML pages: style sheet, title, and the environment of the run. A page works from disk: no
// script, nothing from outside, light or dark by the reader's setting.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "validation/report/run_report.hpp"

namespace assay {

// Text as it may stand in an element or an attribute.
std::string html_escaped(std::string_view text);

// The whole page: `title` is text, `body` the content of <main>.
std::string html_page(std::string_view title, const std::string& body);

// <table> of text, the first row its head, in a box that scrolls where the page is narrow.
std::string html_table(const std::vector<std::vector<std::string>>& rows);

// <dl class="facts">: when, seed, processor, build, data.
std::string html_facts(const RunHeader& header);

}  // namespace assay
