// NVIDIA's tensor cores: a fused sum of L products and an addend, cut to a common quantum.
//
// Numerics
//   operand   x = m 2^(e - mbits), e = max(E, 1) - bias: subnormals are not normalised. tf32 operands are codes of
//             tf32, or of float32, whose low 13 bits are ignored: a float32 NaN that has payload there alone reads as
//             an infinity.
//   step      L products and c, at once. Product i: P = ma mb, e_i = ea + eb, never normalised. A product or a c that
//             is zero has e = ezero, the unit's floor; a unit without one leaves zeros out. emax = the largest e, q =
//             2^(emax - F). Every term is truncated toward zero to a multiple of q; their sum S q is exact.
//   result    f32      S q truncated to float32: subnormals kept, 2^128 and above is Inf.
//             e8m13    the same, to 13 fraction bits, in a float32.
//             f16      S q rounded once to float16, nearest-even; c is a float16 too.
//             An exactly zero sum is +0; one that truncates to zero keeps its sign.
//   order     chunks of L consecutive products, in order, c = step(chunk, c). The last chunk is filled up with products
//             that are zero. No products at all give c. Without a c it is +0.
//   fp8 by mma.sync on sm_90 and sm_100: operands become float16, a chunk of 32 is two f16 steps, t = step(k % 4 < 2,
//             c = 0), t = step(k % 4 >= 2, t), and D = t + C, rounded nearest-even. t is of the output's format, so
//             that the float16 output rounds three times. (With t in float32, 3,524 of H100's 10,000 results would
//             be wrong.)
//   NaN       any NaN, 0 * Inf, or infinities of both signs among the products and c: 0x7FFFFFFF, or 0x7FFF where the
//             output is float16. Else any infinity is the result.
//   paths     all give the same bits. "definition": what is written above, in integers. "scalar": the same with the
//             operands decoded once. "avx2", "avx512": a lane is a column of D; where the exponents of a row and of a
//             panel of columns keep every product within 2^-100 .. 2^100, in float32 products scaled by one power of
//             two; "... any range" without that assumption. The former take the latter where the data ask for it, and
//             the scalar path for rows and columns with NaN or infinities, so "any range" is a path by name for tests
//             and benchmarks alone.
//
// Unverified, in all units: ezero, the sign of a zero sum. Unverified where no recorded result is longer than one
// step: the order of the chunks. The evidence for each unit is in its source().
//
// The bound. A step with n terms of its own, c among them if it is not zero, drops less than q from each and nothing
// from zeros: n q. Its result drops less than 2^-23 |S q| (e8m13: 2^-13; f16: half of 2^-10) of it, or less than the
// smallest subnormal, 2^-149 (e8m13: 2^-139; f16: half of 2^-24). What leaves one step is added by the next as it is,
// so that the errors of the steps add up: |dot - exact| <= sum over the steps of n q + 2^-23 |S q| + 2^-149. n is at
// most L + 1; q and S are those of the data. A result that is not finite on the way leaves no bound.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "emulation/units/unit.hpp"

namespace assay {

enum class FusedResult : std::uint8_t { f32, e8m13, f16 };

// A wrong model of the same hardware that tests must tell from the right one. No unit of units.def has any.
enum class FusedFault : std::uint8_t {
  none,
  nearest_terms,  // terms are rounded to nearest-even multiples of q
  floored_terms,  // terms are cut toward minus infinity
  other_rounding,  // the result to nearest-even where it is truncated, and truncated where it is to nearest-even
  by_way_of_float32,          // an f16 result is truncated to float32 before it is rounded
  by_way_of_nearest_float32,  // the same, rounded to nearest-even
  addend_apart,               // c has no part in emax: it is added to the truncated sum of the products
  steps_in_float32,           // t of the two f16 steps is a float32 though the output is float16
  normalised_terms,           // a product in [2, 4) counts as one of the next binade
};

struct FusedSumSpec {
  std::string name{};
  std::string summary{};
  std::vector<std::pair<FormatSpec, FormatSpec>> inputs{};
  std::size_t terms = 8;       // L
  int fraction = 24;           // F
  std::optional<int> floor{};  // ezero; empty: zeros are left out
  FusedResult result = FusedResult::f32;
  bool by_f16_steps =
      false;  // fp8 through mma.sync on sm_90 and sm_100; L, F and ezero are those of the f16 steps
  std::string source{};
  Evidence evidence = Evidence::UNV;
  FusedFault fault = FusedFault::none;
  bool definition_only = false;  // no further path: of a unit that no recorded result stands behind
};

// Terms of a chunk of an fp8 mma.sync that is two f16 steps.
inline constexpr std::size_t f16_steps_chunk = 32;

// ContractError for L of 0 or above 64, F outside 1 to 40, or no inputs.
std::unique_ptr<const Unit> make_fused_sum(const FusedSumSpec& spec);

// The rows of units.def.
const std::vector<FusedSumSpec>& fused_sum_specs();
// By name; null if there is none.
const FusedSumSpec* find_fused_sum_spec(std::string_view name);

// Wrong models of a unit, for tests: L halved, F one off, and the faults above that its result can show.
struct FusedSumMutant {
  std::string name{};  // "L = 4 for 8", "F = 25 for 24", "terms to nearest"
  FusedSumSpec spec{};
};
std::vector<FusedSumMutant> fused_sum_mutants(const FusedSumSpec& spec);

}  // namespace assay
