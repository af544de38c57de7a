// Private to result_set.hpp: what is known of the terms of a sum before anybody adds them.
#pragma once

#include <climits>
#include <cstdint>
#include <functional>

#include "reference/exact/arithmetic.hpp"
#include "reference/exact/wide_arithmetic.hpp"

namespace assay::detail {

// Where the last place of the terms lies, and what rounding can do to products. The scan ends as soon as it can say
// nothing good any more: on data of full precision after a few terms.
struct TermFacts {
  int nonzero = 0;             // 3 stands for more
  bool exact = true;           // every product has at most `width` bits
  int last = INT_MAX;          // all terms are multiples of 2^last
  bool all = true;             // `nonzero` and `last` speak of all terms: the scan went to the end
  int last_operand = INT_MAX;  // of both operands, where the other is not zero
};

int last_place(const ExactValue<Wide>& x);
void note_term(TermFacts& facts, const ExactValue<Wide>& x);

// Of the products of a and b. `hopeless(last)`: can sums of multiples of 2^last round?
TermFacts facts_of(const CodeVector& a, const CodeVector& b, bool flush, int width,
                   const std::function<bool(int)>& hopeless);

// Upper bounds on the magnitudes of the positive and of the negative terms.
struct Sides {
  double positive = 0, negative = 0;

  void take(double x);
};

Sides sides_of(const CodeVector& a, const CodeVector& b);

double sum_of_magnitudes(const CodeVector& x);

}  // namespace assay::detail
