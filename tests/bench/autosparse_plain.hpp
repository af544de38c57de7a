// The peer of autosparse_bench: AutoSparse's forward and backward as a plain loop, compiled for the CPU at hand.
#pragma once

#include <cstddef>

namespace assay::bench {

void plain_forward(const float* w, float* v, std::size_t n, float threshold);
// The sum of sign(w) h G.
double plain_backward(const float* w, const float* g, float* dw, std::size_t n, float threshold, float alpha,
                      float lambda);

}  // namespace assay::bench
