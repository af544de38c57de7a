// Checks in a few seconds that the errors of arithmetics grow as they must: for suites, before they judge by them.
//
// Each takes the dot products of 1000 positive terms, against the long accumulator. No error may be over the proven
// bound, and together they may not be too small either: a sum of n positive terms that is rounded k times on its way
// to precision p errs by at least 2^-p sqrt(k / 36) in the root mean square (the partial sums grow evenly, and the
// error of a rounding is uniform); half of that is the floor. An arithmetic that is too good for what it says of itself
// is not the one it says. There is no floor where products of the operands' formats have fewer than 16 bits: few of
// their sums need rounding.
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
  double floor = 0, bound = 0;                           // rms is at least, max at most this

  bool passed() const { return trials > 0 && nonfinite == 0 && outside == 0 && rms >= floor && max <= bound; }
};

// One line an arithmetic, in their order, each on the first formats that it takes. Arithmetics whose bound does not
// exist for such data have not passed.
std::vector<SumCheck> check_sums(std::span<const Arithmetic* const> arithmetics, std::uint64_t seed = 1);

}  // namespace assay::studies
