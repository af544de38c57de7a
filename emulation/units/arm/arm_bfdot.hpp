// Arm's BFDOT and BFMMLA: bfloat16 pairs into a float32, with FPCR.EBF = 0 and 1.
//
// Source: Arm Architecture Reference Manual (DDI 0487), pseudocode BFDotAdd, BFMatMulAdd and FPDot, and QEMU's reading
// of it: by literature, no device was compared here. Sums over K, their filling and their bound: step_unit.hpp.
//
// Numerics
//   pair      EBF = 0: c = odd(c + odd(odd(a0 b0) + odd(a1 b1))). odd(): subnormals and tiny results are zeros of their
//             sign (tininess before rounding), inexact results get their last bit set, |x| >= 2^128 is infinite. FPCR
//             is ignored.
//             EBF = 1: c = r(c + r(a0 b0 + a1 b1)): the pair is summed exactly and rounded once, then added. (a1 b1 to
//             odd in float64 and a fused a0 b0, rounded to float32, is the same: that product is exact.) r() rounds by
//             FPCR.RMode, `rounding`; subnormals are kept: FPCR.FZ and FIZ are 0.
//   BFMMLA    every element takes two pairs, (0, 1) then (2, 3): bit for bit two BFDOT. L = 4; a K of 4n + 1 or
//             4n + 2 has a last pair of zeros, which turns a -0 into +0 and changes nothing else.
//   zero      sums that cancel are +0 (toward-negative: -0); zeros of one sign keep it.
//   NaN       NaN operands, 0 * Inf and Inf - Inf give the default NaN, 0x7FC00000 (FPCR.AH = 0).
//   bound     EBF = 0: one rounding to odd for every product and addition. EBF = 1: one for each pair and one for its
//             addition.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "emulation/units/unit.hpp"

namespace assay {

struct ArmBfdotSpec {
  std::string name{};
  std::string summary{};
  std::size_t terms = 2;  // L: 2 for BFDOT, 4 for BFMMLA
  bool extended = false;  // FPCR.EBF
  // FPCR.RMode, where extended: nearest_even, toward_positive, toward_negative or toward_zero.
  Rounding rounding = Rounding::nearest_even;
};

// ContractError for another L or rounding.
std::unique_ptr<const Unit> make_arm_bfdot(const ArmBfdotSpec& spec);

}  // namespace assay
