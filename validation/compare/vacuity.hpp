// Would a wrong output have passed as well? Then the verdict proves less than it says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "validation/compare/pairs.hpp"

namespace assay::compare {

// The code of got's type that stands at a place of some array; empty for no array.
using CodeAt = std::function<std::uint64_t(std::size_t)>;

// Wrong outputs that the policy would accept in every place: want reversed, rotated by one, transposed; what
// the memory held before. Each a whole sentence ("a transposed output would pass too"). Arrays above 2^22
// values are sampled evenly, and the sentence says so. Zeros are counted by collect(): they decide about the
// verdict, these do not.
std::vector<std::string> weaknesses(const Pairs& pairs, const CodeAt& stale);

}  // namespace assay::compare
