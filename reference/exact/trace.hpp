// The additions of a sum, one by one: recorded by units and chains, shown by reports.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/exact_value.hpp"
#include "reference/formats/format_spec.hpp"

namespace assay {

// One operand of an addition: what it was, and what of it entered.
struct TraceTerm {
  std::string name{};        // "a[3] b[3]", "c", "even chain"
  ExactValue<Wide> exact{};  // before the arithmetic touched it
  ExactValue<Wide>
      entered{};  // after alignment, truncation, flushing; equal to `exact` where nothing was dropped
};

// One addition, with as many operands as are added at once.
struct TraceStep {
  std::string name{};  // "step 0", "fma a[1] b[1]", "add even + odd"
  std::vector<TraceTerm> terms{};
  std::optional<int> quantum{};          // terms were cut to multiples of 2^quantum
  ExactValue<Wide> sum{};                // of what entered, exact
  std::uint64_t result = 0;              // the code that leaves the step
  FormatSpec format = formats::float32;  // of `result`
  std::string note{};  // "+Inf and -Inf: NaN", "tiny after rounding: flushed"; empty if nothing is special
};

}  // namespace assay
