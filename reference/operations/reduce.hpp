// Reductions along one axis of a dense array.
//
// Numerics
//   sum, sum_squares, sum_magnitudes   dot products under `arithmetic`, of x with ones, x with x, |x| with ones,
//                                      terms in index order as that arithmetic orders them. The ones are of x's
//                                      format, or of float32 where it has no 1.
//   mean     the sum, then one division by the length in the default output format. No elements: 0/0, NaN. Judging
//            admits the product with the length's rounded reciprocal too: divided() of result_set.hpp.
//   max, min, max_magnitude   exact; -0 < +0; a NaN anywhere gives NaN (NanElements::propagate) or is passed over
//                             (ignore, NaN if nothing else is left). No elements: ContractError.
//   then     rounded to the output's format by `rounding` and `overflow`.
#pragma once

#include <cstddef>
#include <cstdint>

#include "reference/exact/arithmetic.hpp"
#include "reference/operations/gemm.hpp"

namespace assay {

enum class Reduction : std::uint8_t { sum, mean, sum_squares, sum_magnitudes, max, min, max_magnitude };
enum class NanElements : std::uint8_t { propagate, ignore };

// x is outer x length x inner, row-major; y is outer x inner. Reducing the last axis: inner = 1; the first: outer = 1.
struct ReduceProblem {
  Reduction operation = Reduction::sum;
  std::size_t outer = 1, length = 1, inner = 1;
  NanElements nan = NanElements::propagate;
  Rounding rounding = Rounding::nearest_even;  // of the output; not stochastic
  Overflow overflow = Overflow::ieee;
  OutputPlace first = {};  // of y[0], for stochastic arithmetics; y's elements follow one another
};

// ContractError, with the sizes, if they do not match. `arithmetic` is not asked for max, min and max_magnitude.
void reduce(const Arithmetic& arithmetic, const ReduceProblem& problem, const CodeVector& x,
            const MutableCodeVector& y);

// Truth and bound of y[o][i]; `factor` loosens the bound. The exact mean of a length that is no power of two is cut
// after 126 bits, `sticky`.
ElementTruth reduce_truth(const Arithmetic& arithmetic, const ReduceProblem& problem, const CodeVector& x,
                          const FormatSpec& output, std::size_t o, std::size_t i, double factor = 1);

}  // namespace assay
