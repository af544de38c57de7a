// Units whose dot product is a chain of steps of at most L products each, and what the definitions of such units share.
//
// Numerics
//   order   c = step(products 0 .. L-1, c); c = step(products L .. 2L-1, c); ... A sum without c starts at +0. K = 0
//           gives c as it is, or +0. The last step of a K that L does not divide is filled up with products +0 * +0.
//   bound   Every operation of a step replaces an exact value t (a product, a term before alignment, a sum of aligned
//           terms) by a value near it; all else is exact. Only additions and further such changes follow, so each
//           change reaches the result unchanged: dot() - exact() is the sum of all changes, and the bound is the sum
//           of a bound on each, from the data. Alignment drops less of a term than the unit that it is cut to; a
//           rounding of t costs rounding_error(t). These bounds are computed along with the steps, rounded upward. The
//           result is infinite if an operand or a step's result is not finite, or if an operation overflows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "emulation/units/unit.hpp"

namespace assay {

// Further results of a step, if requested.
struct StepLog {
  std::vector<TraceStep>* trace = nullptr;
  double* error = nullptr;

  void add_error(double e) const;
  void add_rounding(const ExactValue<Wide>& t, const FormatSpec& f, Rounding mode, bool flush) const;
};

// The exponent in the field of a code; for subnormals and zero that of the smallest normal number. x is of format f.
int field_exponent(const ExactValue<std::uint64_t>& x, const FormatSpec& f);

// The smallest float64 that is not below |x|; x is finite.
double magnitude_up(const ExactValue<Wide>& x);

// A bound on |t rounded to f - t|: u |t| (2u |t| unless to nearest) in the normal range; below it half the smallest
// subnormal (the whole of it unless to nearest), or 2^emin where tiny results are flushed. 0 for t = 0, and for
// infinities and NaN, for which no bound is needed; infinite for |t| >= 2^(emax+1), where a directed mode may stop at
// the largest finite value.
double rounding_error(const ExactValue<Wide>& t, const FormatSpec& f, Rounding mode, bool flush);

// A value of at most 63 bits: significand * 2^exponent.
ExactValue<Wide> exact_integer(std::int64_t significand, int exponent);

// "a[3] b[3]"
std::string product_name(std::size_t index);

class StepUnit : public Unit {
 public:
  // Without products, c is not read and so not flushed.
  ExactDot exact(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c) const override;
  double bound(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
               const FormatSpec& output) const override;

 protected:
  using Unit::Unit;

  // One step over 1 to info().step_terms products; `first` is the index of the first of them, for names.
  virtual std::uint64_t take_step(const CodeVector& a, const CodeVector& b, std::size_t first,
                                  std::uint64_t c, const StepLog& log) const = 0;

  std::uint64_t dot_checked(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                            const FormatSpec& output, OutputPlace place) const override;
  std::uint64_t step_checked(const CodeVector& a, const CodeVector& b, std::uint64_t c,
                             OutputPlace place) const override;
  std::vector<TraceStep> trace_checked(const CodeVector& a, const CodeVector& b,
                                       std::optional<std::uint64_t> c,
                                       const FormatSpec& output) const override;

 private:
  std::uint64_t chain(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                      const StepLog& log) const;
};

// The trace of a dot product of no terms: c, or +0, as it is.
TraceStep trace_of_no_terms(std::uint64_t c, const FormatSpec& f);

}  // namespace assay
