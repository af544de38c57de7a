// Exact dot products and sums of arrays, as ExactSum: the exact result that every output is compared with, and sum
// |a||b|, to which its bound is proportional.
//
// Numerics
//   as exact_sum.hpp: no order, no rounding. Products of formats within float32 take a separate path: such a
//   product is a float64 without rounding, whose significand is added to one of 128-bit bins chosen by its exponent.
//   scales   elements count with their blocks' and tensors' scales (code_view.hpp).
#pragma once

#include <cstdint>
#include <optional>

#include "reference/exact/code_view.hpp"
#include "reference/exact/exact_sum.hpp"
#include "reference/exact/float_reader.hpp"

namespace assay {

struct ExactDotOptions {
  bool magnitudes = false;  // sum |a||b| instead of sum a b
  bool flush_inputs =
      false;  // subnormal operands count as zeros of their sign: the truth for a unit that reads them so
};

// sum += a . b. ContractError if the sizes differ or a view of some elements is null.
void add_exact_dot(ExactSum& sum, const CodeVector& a, const CodeVector& b,
                   const ExactDotOptions& options = {});
// sum += all of x.
void add_exact_sum(ExactSum& sum, const CodeVector& x, const ExactDotOptions& options = {});

ExactSum exact_dot(const CodeVector& a, const CodeVector& b, const ExactDotOptions& options = {});
ExactSum exact_sum(const CodeVector& x, const ExactDotOptions& options = {});

// Dense arrays of one type; the same result.
template <class A, class B>
ExactSum exact_dot(const A* a, const B* b, std::size_t n) {
  return exact_dot(code_vector(a, n), code_vector(b, n));
}

}  // namespace assay
