// Checks in a few seconds that the errors of arithmetics grow as they must. Suites run it before they rely on them.
//
// Each arithmetic computes dot products of 1000 positive terms, which are compared with the long accumulator. No error
// may exceed the proven bound. The errors together must not be too small either: a sum of n positive terms that is
// rounded k times to precision p has a root-mean-square error of at least 2^-p sqrt(k / 36) (the partial sums grow
// evenly, and the error of a rounding is uniform). Half of that is the floor: an arithmetic with smaller errors is not
// what it claims to be. There is no floor if products of the operands' formats have fewer than 16 bits: few of their
// sums need rounding.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "reference/exact/arithmetic.hpp"

namespace assay::studies {

struct SumCheck {
  std::string name{};
  std::uint64_t trials = 0, nonfinite = 0, outside = 0;  // as in StudyPoint
  double rms = 0, max = 0;                               // of the error over the sum of magnitudes
  double floor = 0, bound = 0;                           // required: rms >= floor, max <= bound

  bool passed() const { return trials > 0 && nonfinite == 0 && outside == 0 && rms >= floor && max <= bound; }
};

// One entry per arithmetic, in their order, each with the first formats that the arithmetic takes. An arithmetic that
// has no bound for such data fails.
std::vector<SumCheck> check_sums(std::span<const Arithmetic* const> arithmetics, std::uint64_t seed = 1);

}  // namespace assay::studies
