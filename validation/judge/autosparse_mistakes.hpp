// Private to the judge: known mistakes of gradient paths, each as a model that is computed and compared with a result.
//
// A mistake explains a result if the model of it agrees with 99 % of the elements, within the errors of their steps,
// and with 99 % of those that the bound refuses. Weights whose mask is undecided do not count. The bound of ds may be
// wider than what a mistake changes, so a ds that it accepts is looked at too: a mistake is named if the result is off
// by more than 2^-10 of the right value, and by less than 2^-14 of the model's from that.
#pragma once

#include <string>
#include <vector>

#include "validation/judge/autosparse_truth.hpp"

namespace assay::judge {

struct AutosparseResult {
  std::string array{};  // "mask", "v", "dw", "dx", "ds"
  const AutosparseTruth& truth;
  const std::vector<double>& got;
  FormatSpec format{};
};

// Lines for people: "cause  alpha-wrong-side: alpha scales the kept weights' gradient, ...; 4096 of 4096 elements agree
// with that, ...". Empty for a result that is right, and where no known mistake explains it. `g`: of dw and ds.
std::vector<std::string> known_mistakes(const AutosparseRequest& request, const AutosparseLayer& layer,
                                        const ExactProducts& g, const AutosparseResult& result);

}  // namespace assay::judge
