// Cases for a program under test: operands of dot products, sums and matrix products. They are a function of the
// specification and an index alone, so the judge of the answers makes the cases again instead of reading them.
//
// Values
//   normal    Of unit scale. (Normal deviates by Box and Muller: their last bits depend on the mathematics library, so
//             a verdict holds on the machine that made the cases.)
//   integers  Drawn from [-q, q] with n q^2 at most 2^p, for the narrowest p of accumulator and output: no partial sum
//             in any order, fused or not, is rounded. Any difference from the exact result is a bug.
//   hard      For dot and gemm: made by the caller, who knows machines. For sums: gaps, cancellation, halves,
//             subnormals, neighbours of the largest number; case i is of class i mod 5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "reference/formats/formats.hpp"

namespace assay::diagnose {

enum class CaseOperation : std::uint8_t { dot, sum, gemm };
enum class CaseValues : std::uint8_t { normal, integers, hard };

// Operands, row-major; one code in each word. dot: a, b of n codes; sum: a; gemm: A m x k, B k x n. c, if requested:
// one code of the accumulator for each output.
struct GeneratedCase {
  std::size_t m = 1, n = 1, k = 0;  // dot and sum have one output and k terms
  std::vector<std::uint64_t> a{}, b{}, c{};
};

struct CaseSpec {
  CaseOperation operation = CaseOperation::dot;
  CaseValues values = CaseValues::normal;
  std::uint64_t seed = 1;
  std::size_t m = 1, n = 1;                      // for gemm
  std::size_t least_terms = 1, most_terms = 64;  // k; each case draws its own
  FormatSpec a = formats::float32, b = formats::float32, accumulator = formats::float32,
             output = formats::float32;
  bool with_c = false;
  // Fills a, b and c of a case whose sizes are set. Required for hard dot products and matrices (ContractError).
  std::function<void(GeneratedCase&, std::size_t index)> hard{};
};

// The reason why these cases cannot be made ("500 terms: no integers ..."); empty if they can.
std::string why_not(const CaseSpec& spec);

// Case `index`. ContractError if why_not() gives a reason.
GeneratedCase generate(const CaseSpec& spec, std::size_t index);

}  // namespace assay::diagnose
