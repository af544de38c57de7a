// Errors of AutoSparse's gradients under an arithmetic, beside float64.
//
//   tested   v in float32 by forward(); v, X and dY rounded to the format, no operand scaled; dX over the kept weights
//            of an input alone, by channels ascending, and G over the batch: each step of the arithmetic takes the next
//            terms, and masked weights fill no place in a step; results in float32; dW and ds by backward()
//   bounds   of dX and G the arithmetic's own proven bound beside the exact result of the rounded operands; of all
//            results the bound from the truth: what is known of every rounding beforehand (u |x| + eta of an operand),
//            carried through the formulas
#pragma once

#include <functional>
#include <vector>

#include "validation/report/autosparse_results.hpp"
#include "validation/studies/gradient_product.hpp"
#include "validation/studies/gradient_truth.hpp"

namespace assay::studies {

// By threshold, then alpha. `show` is told the share that is done and may be null.
std::vector<GradientPoint> gradient_points(const GradientTruth& truth, const GradientSeries& series,
                                           const std::function<void(double)>& show = {});

// The same where weights are kept in the format of the series and nothing else is rounded: v, dX, dW and ds in float64,
// masks of the rounded weights. The arithmetic of the series does not matter.
std::vector<MasterWeights> master_weights(const GradientTruth& truth, const GradientSeries& series);

}  // namespace assay::studies
