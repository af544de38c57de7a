// Studies of one rounding: errors of single values by their magnitude, and of sums of many by their number.
//
// Numerics
//   by magnitude  x uniform in +-[2^e, 2^(e+1)) as float64; error (rounded - x) / |x|. A bias is one away from zero:
//                 errors of negative values count with the other sign.
//   by number     n values of the distribution, each rounded. The error is the difference of the sums of rounded and of
//                 unrounded values (long accumulator), over the sum of magnitudes. It tends to the rounding's bias; a
//                 mode without bias falls as 1/sqrt(n).
//   bound         u |x|, plus the underflow error if |x| < 2^emin; none if a value is beyond the largest number.
#pragma once

#include "validation/studies/study.hpp"

namespace assay::studies {

struct RoundingRequest {
  std::vector<FormatSpec> formats;
  std::vector<Rounding> modes = {Rounding::nearest_even};
  std::vector<Values> values = {Values::positive};
  std::vector<std::uint64_t> lengths;
  Trials trials{};
  std::uint64_t seed = 1;
  int lowest = -30, highest = 18;   // exponents e
  std::uint64_t per_binade = 2000;  // values
};

// ContractError for a request without formats, lengths or trials.
Study study_rounding_by_number(const RoundingRequest& request, const Progress& progress = {});
Study study_rounding_by_magnitude(const RoundingRequest& request);

}  // namespace assay::studies
