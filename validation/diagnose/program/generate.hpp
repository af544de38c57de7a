// Cases for somebody's program: the operands of dot products, sums and matrix products, a function of the specification
// and an index alone, so that who judges the answers makes them again and reads them from nowhere.
//
// Values
//   normal    Of unit scale. (Normal deviates by Box and Muller: their last bits depend on the mathematics library, so
//             a verdict belongs to the machine that made the cases.)
//   integers  Drawn from [-q, q] with n q^2 at most 2^p, for the narrowest p of accumulator and output: no partial sum
//             in any order, fused or not, is rounded. Whatever differs from the exact result is a bug.
//   hard      Of dot and gemm: left to the caller, who knows machines. Of sums: gaps, cancellation, halves, subnormals,
//             neighbours of the largest number; case i is of class i mod 5.
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

// Operands, row-major; a code in each word. dot: a, b of n codes; sum: a; gemm: A m x k, B k x n. c, if asked for: one
// code an output, of the accumulator.
struct GeneratedCase {
  std::size_t m = 1, n = 1, k = 0;  // of dot and sum: one output, k terms
  std::vector<std::uint64_t> a{}, b{}, c{};
};

struct CaseSpec {
  CaseOperation operation = CaseOperation::dot;
  CaseValues values = CaseValues::normal;
  std::uint64_t seed = 1;
  std::size_t m = 1, n = 1;                      // of gemm
  std::size_t least_terms = 1, most_terms = 64;  // k; each case draws its own
  FormatSpec a = formats::float32, b = formats::float32, accumulator = formats::float32,
             output = formats::float32;
  bool with_c = false;
  // Fills a, b and c of a case whose sizes are set, for hard dot products and matrices. ContractError without it there.
  std::function<void(GeneratedCase&, std::size_t index)> hard{};
};

// Why these cases cannot be made ("500 terms: no integers ..."); empty if they can.
std::string why_not(const CaseSpec& spec);

// Case `index`. ContractError where why_not() says so.
GeneratedCase generate(const CaseSpec& spec, std::size_t index);

}  // namespace assay::diagnose
