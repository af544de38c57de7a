// Several arrays, paired by name or results of one check, as text and as JSON.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "validation/report/run_report.hpp"
#include "validation/report/text_report.hpp"

namespace assay {

// A pair, or an array that one side lacks.
struct PairedArray {
  std::string array{};
  CaseRecord record{};
  bool is_missing = false,
       is_extra = false;             // what was expected is not there; what is there was not expected
  std::vector<std::string> notes{};  // on the names of its arrays
  std::string type{};                // of its elements, where they were compared as another
};

// One row each, then all there is to say about those that did not pass, and the summary.
std::string pairs_text(std::span<const PairedArray> pairs, const RunHeader& header, const RunSummary& summary,
                       const TextStyle& style);
// One object on one line, without the line feed. `got` and `want`: the two sides, as they were typed.
std::string pairs_json(const std::string& got, const std::string& want, std::span<const PairedArray> pairs,
                       const RunHeader& header, const RunSummary& summary);
// Of results that one command judged: the same without sides. `command` is its name.
std::string results_json(const std::string& command, std::span<const PairedArray> results,
                         const RunHeader& header, const RunSummary& summary);

}  // namespace assay
