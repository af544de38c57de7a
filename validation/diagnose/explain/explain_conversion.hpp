// Which conversion made these codes of those values: roundings, saturation, flushing, detours, policies of machines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "validation/compare/codes.hpp"
#include "validation/diagnose/explain/explain.hpp"

namespace assay::diagnose {

struct ConversionRank {
  std::string policy{}, rounding{};
  std::string how{};  // "intel, nearest-even", "format, toward-zero, saturating"
  std::size_t matches = 0, compared = 0;
  std::optional<std::size_t> first_miss{};  // position in the sample
  std::uint64_t miss_answer = 0;
};
// A value that the best and another that remains convert differently.
struct ConversionSeparation {
  std::string other{};
  bool found = false;
  std::uint64_t code = 0, best_answer = 0, other_answer = 0;
};
struct ConversionExplanation {
  std::size_t sample = 0, candidates = 0, remaining = 0;
  std::vector<ConversionRank> ranked{};             // best first
  std::vector<ConversionSeparation> separations{};  // inputs on which those that remain differ
};
// Which rounding made `got` of `a`, value by value; NaN by its bits. Policies take part where `from` is float32.
// ContractError if the sizes differ or there is nothing.
ConversionExplanation explain_conversion(const CodeVector& a, const CodeVector& got);

// Positions of `n` different values of a conversion to `to`, in order; all if there are no more. First come some of
// each kind that tells conversions apart: NaN, infinities, zeros of either sign, subnormals before or after, ties,
// values around the largest one; then others. Which, by the seed.
std::vector<std::size_t> telling_sample(const CodeVector& a, const FormatSpec& to, std::size_t n,
                                        std::uint64_t seed);

// The values that were converted, and where in the arrays they stand.
struct ConvertedSample {
  FormatSpec from = formats::float32;
  std::vector<std::size_t> index{};
  std::vector<std::uint64_t> a{}, got{};
};
// Those of `index`, in its order; the other takes telling_sample().
ConvertedSample converted_sample(const compare::Codes& a, const compare::Codes& got,
                                 std::vector<std::size_t> index);
ConvertedSample converted_sample(const compare::Codes& a, const compare::Codes& got, std::size_t n,
                                 std::uint64_t seed);
// Which rounding made the sample's codes of format `to`.
ConversionExplanation explain_converted(const ConvertedSample& sample, const FormatSpec& to);

}  // namespace assay::diagnose
