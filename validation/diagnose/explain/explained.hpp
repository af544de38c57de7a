// What was asked of explain(), and what was found: the data of a report.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "validation/compare/comparison.hpp"
#include "validation/diagnose/explain/explain.hpp"
#include "validation/diagnose/explain/explain_conversion.hpp"

namespace assay::diagnose {

// What was asked, as far as a report repeats it.
struct ExplainedQuestion {
  std::string operation{}, parameters{};
  compare::Shape shape{};  // of the output
  FormatSpec got = formats::float32;
  std::uint64_t seed = 1;
  std::size_t top = 8;  // candidates to show
};

struct ExplainedConversion {
  ConvertedSample sample{};
  ConversionExplanation explanation{};
};

struct Explained {
  ExplainedQuestion question{};
  std::vector<std::shared_ptr<const Arithmetic>>
      kept{};  // that candidates point to, beside those of a registry
  // Of sums: explain_parts().
  std::variant<std::vector<Explanation>, ExplainedConversion> found{};

  // Candidates that give every output of the sample.
  std::size_t remaining() const {
    if (const auto* const sums = std::get_if<std::vector<Explanation>>(&found))
      return sums->front().remaining;
    return std::get<ExplainedConversion>(found).explanation.remaining;
  }
};

}  // namespace assay::diagnose
