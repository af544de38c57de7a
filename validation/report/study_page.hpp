// The output of `assay study`: the page with its pictures and tables, the files beside it, a table for the
// terminal.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "validation/report/autosparse_results.hpp"
#include "validation/report/line_chart.hpp"
#include "validation/report/run_report.hpp"
#include "validation/report/study_results.hpp"

namespace assay::studies {

struct StudyPage {
  std::string title{};  // "assay study dot"
  std::string lead{};   // HTML: what was measured
  std::vector<LineChart> charts{};
  std::string tables{};  // HTML
  std::string json{};
  std::vector<std::pair<std::string, std::string>>
      csv{};           // what its name adds ("", "-magnitude") and the text
  std::string text{};  // for a person, on stdout
};

// How many trials a point has: `most`, fewer where they would have more than `terms` terms together.
struct StudyTrials {
  std::uint64_t most = 0, terms = 0;
};

// Of sums, dot products and matrix products.
StudyPage accumulation_page(const Study& study, const StudyTrials& trials);
// Of roundings, of `per_binade` values a power of two.
StudyPage rounding_page(const Study& by_number, const Study& by_magnitude, const StudyTrials& trials,
                        std::uint64_t per_binade);
// Of the answers of a network.
StudyPage inference_page(const InferenceStudy& study);

// Of bf16 contracts beside float32.
StudyPage bf16_page(const Bf16Study& study);
// Of AutoSparse's gradients beside float64.
StudyPage autosparse_page(const AutosparseStudy& study);

// The page as HTML; `header` says what the run stood on.
std::string study_page_html(const StudyPage& page, std::uint64_t seed, const RunHeader& header);
// Where it was written; `stem`: the name of the files beside it, without their ends.
std::string study_files_text(const std::string& page, const std::string& stem);

// "dot sm80.bf16, n = 4096: 3 of 100 errors are over the bound": a line each, without line feeds.
std::vector<std::string> outside_texts(const Study& study);
std::vector<std::string> outside_texts(const Bf16Study& study);
std::vector<std::string> outside_texts(const AutosparseStudy& study);

}  // namespace assay::studies
