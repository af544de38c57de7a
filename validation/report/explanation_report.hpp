// The answer of `assay explain`, as text and as JSON. The first line of the text is the answer, the rest its basis; the
// JSON is one object on one line, without the line feed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "validation/compare/where.hpp"
#include "validation/diagnose/explain/explain.hpp"
#include "validation/diagnose/explain/explain_conversion.hpp"

namespace assay {

// What was asked, as far as the answer repeats it.
struct ExplainedQuestion {
  std::string operation{}, parameters{};
  compare::Shape shape{};
  FormatSpec got = formats::float32;
  std::uint64_t seed = 1;
  std::size_t top = 8;  // candidates to show
};

// Of explain_parts().
std::string explanation_text(const ExplainedQuestion& q, const std::vector<diagnose::Explanation>& all);
std::string explanation_json(const ExplainedQuestion& q, const std::vector<diagnose::Explanation>& all);

using diagnose::ConvertedSample;
std::string explanation_text(const ExplainedQuestion& q, const ConvertedSample& sample,
                             const diagnose::ConversionExplanation& e);
std::string explanation_json(const ExplainedQuestion& q, const ConvertedSample& sample,
                             const diagnose::ConversionExplanation& e);

}  // namespace assay
