// The findings of `assay probe`, as text and as JSON.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "validation/judge/revelation.hpp"
#include "validation/judge/saved_arithmetic.hpp"
#include "validation/report/tree_picture.hpp"

namespace assay {

// PREDICTED; PREDICTED IN PART: all fresh results were, but answers to probes are not explained; NOT PREDICTED.
std::string_view prediction_verdict(const judge::Revelation& revelation, const judge::PredictionScore& score);

// Of one shape: every tree with its picture and what could not be told apart; the verdict of the predictions, and the
// first that were wrong. `fewest` are the operands that fewest_terms() left of the first of those.
std::string probe_text(const judge::Revelation& revelation, const judge::PredictionScore& score,
                       const DrawOptions& draw = {}, const std::optional<judge::SumOperands>& fewest = {});

// The files that a probe was asked for; empty: not asked for.
struct ProbeFiles {
  std::string out{}, svg{};
  bool svg_is_written = false;  // false: there is no tree to draw
};
// Where the arithmetic and the picture went; empty if neither was asked for.
std::string probe_files_text(const ProbeFiles& files, const judge::SavedArithmetic& saved);

// Everything at once, as one object on one line, without the line feed. `fewest`: of each shape.
std::string probe_json(const judge::SavedArithmetic& saved,
                       std::span<const std::optional<judge::SumOperands>> fewest, const ProbeFiles& files);

// A program under test that broke off: "ERROR  ...", with its line feed; {"error": ...}, without.
std::string target_error_text(std::string_view what);
std::string target_error_json(std::string_view what);

}  // namespace assay
