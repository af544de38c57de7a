// The counts behind a comparison: one pass over all values.
#pragma once

#include <cstdint>

#include "validation/compare/comparison.hpp"
#include "validation/compare/place_tally.hpp"
#include "validation/compare/problem.hpp"

namespace assay::compare {

// Everything that the pass counts, and what where.hpp needs of it.
struct Statistics {
  Comparison counts;  // all but verdict, reason, where and weaknesses
  std::uint64_t zero_truths = 0;
  PlaceTally places{MatrixView{}};
};

// `threads`: 0 as OpenMP decides; the counts are the same for any number of them.
Statistics collect(const Problem& problem, int threads);

}  // namespace assay::compare
