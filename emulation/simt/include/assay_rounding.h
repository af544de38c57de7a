// The direction of rounding that CUDA's conversions are given.
#pragma once

#include "emulation/simt/include/assay_narrow.h"

enum cudaRoundMode { cudaRoundNearest, cudaRoundZero, cudaRoundPosInf, cudaRoundMinInf };

namespace assay_simt {
constexpr Round round_of(cudaRoundMode mode) {
  return mode == cudaRoundNearest  ? Round::nearest
         : mode == cudaRoundZero   ? Round::zero
         : mode == cudaRoundPosInf ? Round::up
                                   : Round::down;
}
}  // namespace assay_simt
