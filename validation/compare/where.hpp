// Where the values outside lie, and what they look like.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>

#include "validation/compare/comparison.hpp"
#include "validation/compare/pairs.hpp"
#include "validation/compare/place_tally.hpp"
#include "validation/compare/vacuity.hpp"

namespace assay::compare {

// What else is known of the output.
struct Surroundings {
  CodeAt stale{};  // what its memory held before
  // Of the values at the entries of a sparse matrix: row and column of the i-th.
  std::function<std::pair<std::size_t, std::size_t>(std::size_t)> entry_of{};
};

// Places are ranges and residues of rows and columns, tiles of 8 to 128, tails of such tiles, rectangles, diagonals and
// triangles, matrices of a batch. The fullest that holds nine tenths of the values outside is named, if they are at
// least half as dense again there as everywhere and values scattered at random would not have met in such a place. What
// it says after it is explained in hints.hpp.
Where locate(const Pairs& pairs, const Comparison& counts, const PlaceTally& tally,
             const Surroundings& around);

}  // namespace assay::compare
