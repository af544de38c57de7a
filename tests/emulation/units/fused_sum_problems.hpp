// Operands that tell one fused sum from another, and the comparison of a unit's paths on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "emulation/units/unit.hpp"

namespace assay::test {

enum class FusedSumClass : std::uint8_t {
  unit_scale,        // standard normal
  uniform_bits,      // every finite code equally likely
  addend_cancels,    // c is minus the sum of the products, or a neighbour of that
  products_cancel,   // the second half of a chunk undoes the first, but for last places
  underflow_window,  // products and sums about the smallest numbers of the result, zeros among them
  overflow_window,   // about the largest
  mixed_specials,    // NaN, infinities, zeros of both signs among ordinary numbers, in some rows and columns
  wide_gaps,         // exponents over the format's whole range
  half_way,          // few bits at exact places: ties of the last rounding, terms at the edge of q
};
std::span<const FusedSumClass> all_fused_sum_classes();
std::string_view name(FusedSumClass c);  // "addend_cancels"

// C is m x n of the accumulator's format; all are row-major.
struct FusedSumProblem {
  std::size_t m = 0, n = 0, k = 0;
  FormatSpec a_format = formats::float32, b_format = formats::float32, c_format = formats::float32;
  std::vector<unsigned char> a_codes{}, b_codes{}, c_codes{};

  CodeMatrix a() const { return {a_codes.data(), m, k, static_cast<std::ptrdiff_t>(k), 1, a_format}; }
  CodeMatrix b() const { return {b_codes.data(), k, n, static_cast<std::ptrdiff_t>(n), 1, b_format}; }
  CodeMatrix c() const { return {c_codes.data(), m, n, static_cast<std::ptrdiff_t>(n), 1, c_format}; }
};
// Of the `pair`-th of the unit's accepted pairs of formats. A function of its arguments alone.
FusedSumProblem make_fused_sum_problem(FusedSumClass c, const Unit& unit, std::size_t pair, std::size_t m,
                                       std::size_t n, std::size_t k, std::uint64_t seed);

struct PathComparison {
  std::size_t outputs = 0;
  std::size_t mismatches = 0;
  std::size_t row = 0, column = 0;      // of the first mismatch
  std::uint64_t got = 0, expected = 0;  // there
};
// The outputs of `path` against `expected`, those of the definition (definition_of()).
PathComparison compare_path(const Unit& unit, std::string_view path, const FusedSumProblem& problem,
                            const std::vector<std::uint64_t>& expected);
// m x n codes by the definition.
std::vector<std::uint64_t> definition_of(const Unit& unit, const FusedSumProblem& problem);

}  // namespace assay::test
