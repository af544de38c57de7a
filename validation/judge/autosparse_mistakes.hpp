// Private to the judge: known mistakes of gradient paths, each as a model that is computed and compared with a result.
//
// A mistake explains a result if its model agrees with 99 % of the elements, with 99 % of those that the right result
// does not account for, and with all (99 % of a hundred and more) of those at which the model and the right result
// differ by more than the errors of both. There have to be three such elements, sixteen in a mask. What explains the
// same elements is told apart where the models differ; mistakes that remain side by side are listed as possible, and
// none is named. Weights whose mask is undecided do not count.
//
// The bound of ds may be wider than what a mistake changes, so a ds that it accepts is looked at too, if it is off by
// more than 2^-10 of the right value. Its models are compared within an estimate of a sum's error in place of a bound;
// of one or two thresholds, a mistake is named only if it moves ds by a thousand times that.
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
// with that, ..."; "note   ds alone cannot tell: could be ...". Empty for a result that is right, and where no known
// mistake explains it. `g`: of dw and ds.
std::vector<std::string> known_mistakes(const AutosparseRequest& request, const AutosparseLayer& layer,
                                        const ExactProducts& g, const AutosparseResult& result);

}  // namespace assay::judge
