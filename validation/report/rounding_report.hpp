// Numbers rounded into a format, with their neighbours, as text and as JSON, line by line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "reference/formats/encode.hpp"
#include "reference/formats/rounding.hpp"

namespace assay {

// What the numbers were rounded by.
struct RoundingRules {
  FormatSpec format = formats::float32;
  Rounding rounding = Rounding::nearest_even;
  std::string_view policy{};  // whose conversion
  int random_bits = 0;        // of stochastic rounding, as `seed`
  std::uint64_t seed = 0;
};

struct RoundedNumber {
  std::string input{};  // as it was typed
  Encoded encoded{};
  std::optional<std::uint32_t> source{};  // the float32 that a policy converts, where there is one
  std::optional<std::uint64_t> below{}, above{};
  double error_ulp = 0;
};

// Two lines: the rules, the heads of the columns.
std::string rounding_head_text(const RoundingRules& rules);
std::string rounded_text(const RoundedNumber& number, const RoundingRules& rules);  // a line of the table
// One object on one line, without the line feed. JSON has no infinities and NaNs: they are strings.
std::string rounded_json(const RoundedNumber& number, const RoundingRules& rules);

}  // namespace assay
