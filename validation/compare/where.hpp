// Where the values outside sit, and what they look like.
#pragma once

#include "validation/compare/comparator.hpp"
#include "validation/compare/comparison.hpp"
#include "validation/compare/statistics.hpp"

namespace assay::compare {

// Places are ranges and residues of rows and columns, tiles of 8 to 128, tails of such tiles, rectangles, matrices
// of a batch. The fullest that holds nine tenths of the values outside is named, if they are at least half as
// dense again there as everywhere. What it says after it (transposed, shifted, zero, earlier content, one
// bit, a bias, a factor, fewer bits) is checked on each of the first 2^16 values outside; it describes the
// data and is no diagnosis.
Where locate(const Problem& problem, const Statistics& statistics, const Options& options);

}  // namespace assay::compare
