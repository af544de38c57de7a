// Would a wrong output have passed? A comparison that cannot tell is worth less than its verdict says.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "validation/compare/codes.hpp"
#include "validation/compare/statistics.hpp"

namespace assay::compare {

// Wrong outputs that the policy would accept in every place: want reversed, rotated by one, transposed; what
// the memory held before. Each a whole sentence ("a transposed output would pass too"). Arrays above 2^22
// values are sampled evenly, and the sentence says so. Zeros are counted by collect(): they decide about the
// verdict, these do not.
std::vector<std::string> weaknesses(const Problem& problem, const std::optional<Codes>& stale);

}  // namespace assay::compare
