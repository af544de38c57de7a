// AMD's matrix cores, MFMA instructions with fp16 and bfloat16 operands: CDNA1, CDNA2, CDNA3.
//
// Source: P. Xie et al., arXiv:2511.10909 (the published models of MMA-Sim), by literature: no device was compared
// here. Sums of these steps over K, their filling and their bound: step_unit.hpp.
//
// Numerics
//   CDNA1   exact: s = the L products + c, exactly; one rounding to float32, nearest-even. Subnormals are kept
//           everywhere. L = 4 (fp16), 2 (bfloat16).
//   CDNA2   flushing: operands (c too, at every step) below 2^emin of their format, -0 among them, are read as +0.
//           Products and sums are rounded to float32, nearest-even, and flushed to zero of their sign if below 2^-126.
//           L = 4: c + ((p0 + p1) + (p2 + p3)), fp16 and bfloat16 with _1k. L = 2: c + (p0 + p1), bfloat16 without.
//           Tininess before and after rounding are the same: products have at most 22 bits, sums are multiples of
//           2^-149.
//   CDNA3   truncated: x = m 2^e, e that of the smallest normal for subnormals. Products with |p| >= 2^128 are
//           infinite. e_dot = max(e_a + e_b) of the nonzero products; each is cut toward zero to a multiple of
//           2^(e_dot - F); their exact sum is the dot. E = max(e_dot, e_c) (zero c: -126); the dot is floored to a
//           multiple of 2^(E - F2 - 1), c to one of 2^(E - F); both are added to s. With 2^E' <= |s| < 2^(E'+1), E' at
//           least -126, s is floored to a multiple of 2^(E' - F2), then rounded to float32, nearest-even, subnormals
//           kept. L = 8, F = 24, F2 = 31.
//           Floors go toward minus infinity: the unit is biased downward, and a negative c far below the dot takes a
//           whole 2^(E - F) off.
//   zero    an exactly zero sum is +0 in CDNA1 and CDNA3 (the source compares zeros as equal: not known), IEEE in
//           CDNA2.
//   NaN     NaN operands, 0 * Inf and infinities of both signs give 0x7FC00000 (the source does not tell NaNs apart).
//   order   an instruction with K of several L is the chain of its steps; CDNA2 would then not read a -0 between its
//           own steps as +0, which can only change the sign of a zero.
//   bound   CDNA1: one rounding a step. CDNA2: one for every product and every addition. CDNA3: less than 2^(e_dot - F)
//           for each product, 2^(E - F2 - 1), 2^(E - F) and 2^(E' - F2) for the floors, and one rounding.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "emulation/units/unit.hpp"

namespace assay {

enum class MfmaStep : std::uint8_t { exact, flushing, truncated };

struct AmdMfmaSpec {
  std::string name{};
  std::string summary{};
  FormatSpec input = formats::float16;  // fp16 or bfloat16, of a and b
  MfmaStep step = MfmaStep::exact;
  std::size_t terms = 4;  // L: 2, 4 where flushing, 1 to 8 otherwise
  int fraction = 24;      // F, where truncated; at most 28
  int sum_fraction = 31;  // F2
};

// ContractError for numbers outside of those above.
std::unique_ptr<const Unit> make_amd_mfma(const AmdMfmaSpec& spec);

}  // namespace assay
