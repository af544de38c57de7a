// Proven bounds on the error of sums, dot products and what is made of them, from the data's sum of magnitudes.
//
// Valid for finite data without overflow on the way. u = 2^-p of the accumulator (for a rounding to nearest; the
// relative error of any other mode is below 2u). x_i are the terms, products a_i b_i among them, S = sum |x_i|. eta
// bounds the error of a rounding below 2^emin: half the smallest subnormal under the two nearest modes, the whole of
// it otherwise. For node v of the tree of additions: n_v terms below it, S_v their magnitudes, e_v the error of its
// computed value v^, d the error of its own rounding, t = L^ + R^ (or L^ + x) what is rounded there. So e_v <= e_L +
// e_R + d.
//
//   Sums of n values of the accumulator, any order
//     nearest  (n-1) u S.  Induction: e_v <= c_v u S_v, c = 0 at leaves, c_v = c_L + c_R + 1. Of d we know d <= u|t|
//              and, as L^ and R^ are candidates of the rounding, d <= |L^|, |R^|. If S_R <= u S_L, then d <= |R^| <=
//              (1 + c_R u) S_R, which is at most u S_L + c_R u S_R. The same with L and R exchanged. Otherwise d <= u
//              (S_L + c_L u S_L + S_R + c_R u S_R) <= u (S_L + c_L S_R + S_R + c_R S_L). Each is within (c_L + c_R +
//              1) u (S_L + S_R) less e_L + e_R.
//              (Jeannerod and Rump, SIAM J. Matrix Anal. Appl. 34 (2013), 338-344.)
//     RZ       (n-1) 2u S.  Truncation never lengthens: |v^| <= S_v, so each of n-1 nodes adds at most 2u S_v <= 2u S.
//     others   ((1+2u)^(n-1) - 1) S.  A term passes through at most n-1 roundings, each a factor of 1 +- 2u at most.
//              RU, RD, to-odd and stochastic rounding may err to one side all along, and L^ need not be where they
//              round to.
//   Dot products of n products, any order, each product rounded to the accumulator's format or fused into an addition
//     n for n-1.  RZ and others: one rounding more on each path. nearest: e_v <= n_v u S_v, by induction again;
//       a rounded leaf errs by u'|x| <= u|x| with u' = u/(1+u), the sharp relative error of rounding to nearest.
//       fused, L^ + x: if |x| <= u S_L then d <= |x| <= u S_L; else d <= u (S_v + n_L u S_L) <= u (S_v + n_L |x|).
//       two rounded leaves: u' S + u'(1+u') S = u (2+3u)/(1+u)^2 S <= 2u S.
//       a rounded leaf R and n_L >= 2: if |x| < u' S_L, then d <= |R^| <= (1+u')|x| and e_v <= e_L + (1+2u')|x|,
//         where |x| <= u S_L and 2u'|x| <= (n_L+1) u |x|; else d <= u' ((1 + n_L u) S_L + (1+u')|x|), where
//         u'(2+u')|x| <= 2u|x| with the leaf's own error and u' (1 + n_L u) S_L <= u S_L + (n_L-1) u |x| because |x|
//         >= u' S_L.
//       n_L >= n_R >= 2: d must be within u (n_R S_L + n_L S_R). If |L^| or |R^| is, done. If neither is, then with D =
//         (n_L - n_R) u: u n_R S_L < (1-D) S_R, so D < 1, and u|t| <= u (S_L + S_R + n_R u S_L + D S_L + n_R u S_R) <
//         u ((1+D) S_L + (2-D + n_R u) S_R), which is within it for n_L >= 3 as u <= 1/4, and for n_L = 2 as n_L u <=
//         1/2.
//   Products with 0 and +-1 are the other operand and do not round: then the form for sums holds (chain_bound()).
//   c, the addend of a dot product, is one term more in all of these.
//   Products rounded to another format P: the sum's bound of the rounded products, whose magnitudes are (1+u_P) S + n
//     eta_P at most, plus their own errors u_P S + n eta_P. If P is no subset of the accumulator they enter as fused
//     leaves do: n for n-1, and eta of both formats.
//   Underflow: sums of values of one format are exact below 2^emin. A product rounded or fused there is in error by
//     eta at most, as if its term had been x + eta, exactly: k (S + n eta) + n eta. With k <= 1 that is 2 n eta; in
//     general n max(2, 1+k) eta, for the bound k S.
//   Scaled terms: alpha may multiply an operand, a product, a panel's sum or the whole: one rounding more on every
//     path, (1+u)^(path+2) - 1 (2u where not nearest). A power of two rounds nothing above 2^emin.
//   Flushing: a result, or an operand on its way, of less than 2^emin is read as zero, as if a term of that size were
//     missing: (1+k) 2^emin for each operation. The truth is taken from the flushed inputs.
//   Known orders: with at most h roundings on a path, (1+u)^h - 1 for nearest, 2u h for RZ, (1+2u)^h - 1 for the
//     others, by the arguments above; the lesser of this and the form for any order is taken. h: see longest_path().
//   Output: rounding the accumulator to another format O adds u_O (|exact| + bound) + eta_O, 2u_O where not nearest.
//
// Numerics: every operation on a bound is rounded up where it is not exact, so that no bound is below its formula.
// The host is in nearest-even without flushing.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "reference/exact/schedule.hpp"
#include "reference/formats/formats.hpp"
#include "reference/formats/rounding.hpp"

namespace assay {

// What an operation does to a sum, as far as its bound depends on it.
struct Accumulation {
  FormatSpec accumulator = formats::float32;
  std::optional<FormatSpec> product{};  // products are rounded to it first; empty: they enter exactly (fused)
  Rounding rounding = Rounding::nearest_even;  // of products and additions
  bool flush = false;                          // subnormal results or operands are zeros
  SumOrder order = SumOrder::any();
  std::optional<FormatSpec> output{};  // the last rounding, where it is not the accumulator
  Rounding output_rounding = Rounding::nearest_even;
  bool output_flush = false;
};

// The data. Magnitudes are upper bounds: ExactSum::rounded_up() of sum |a||b|, |c| included.
struct TermSums {
  std::uint64_t terms = 0;  // products; for sums: values
  double magnitudes = 0;
  bool addend = false;  // c is among them, as one term more than `terms`
  // |exact result| if known: sharpens the output's part.
  double exact = std::numeric_limits<double>::infinity();
};

// A bound and its parts: value >= relative * magnitudes + absolute (+ output).
struct ErrorBound {
  double value = 0;
  double relative = 0;        // the multiple of sum |x|
  double absolute = 0;        // underflow and flushing
  double output = 0;          // the last rounding
  bool may_overflow = false;  // sum |x| is large enough that a step might: then the bound proves nothing
};

// Sum of `terms` values of `input`. Values that the accumulator does not hold are rounded on entering.
ErrorBound sum_bound(const Accumulation& how, const TermSums& data, const FormatSpec& input);
inline ErrorBound sum_bound(const Accumulation& how, const TermSums& data) {
  return sum_bound(how, data, how.accumulator);
}
// Dot product of `terms` products; an element of SpMM with `terms` stored entries in its row; an element of a
// convolution with `terms` taps.
ErrorBound dot_bound(const Accumulation& how, const TermSums& data);
// sum / terms: one division in the accumulator's format after the sum. The truth is the exact mean, and so is
// `data.exact`.
ErrorBound mean_bound(const Accumulation& how, const TermSums& data, const FormatSpec& input);

// The terms of a sum of any kind, by what happens to them before they enter an addition.
struct Leaves {
  std::uint64_t ordered = 0;    // those that `Accumulation::order` arranges; the others join anywhere
  std::uint64_t products = 0;   // that are rounded, or fused into an addition
  std::uint64_t values = 0;     // that enter as they are
  std::uint64_t roundings = 0;  // of single leaves or nodes that may fall below the smallest normal number
  bool scaled = false;  // every path from a leaf to the result has one rounding more, and products round
};

// A bound in parts that are exact, so that nothing is lost where float64 has no smaller number:
//   relative * sum |x| + underflows * eta + flushes * 2^emin,  eta = 2^eta_exponent.
struct BoundParts {
  double relative = 0;
  double underflows = 0;
  int eta_exponent = 0;
  double flushes = 0;
};
// Of products and values of `how.accumulator`, without an output's rounding. Valid without overflow on the way.
BoundParts bound_parts(const Accumulation& how, const Leaves& leaves);

// A computed value on its way through an epilogue: |exact| <= magnitude, |computed - exact| <= error.
struct BoundedValue {
  double magnitude = 0;
  double error = 0;

  // One rounding of it into `f`. With flush, a tiny result is zero.
  BoundedValue rounded(const FormatSpec& f, Rounding mode, bool flush = false) const;
  friend BoundedValue operator+(const BoundedValue& a, const BoundedValue& b);  // exactly: round after
  friend BoundedValue operator*(const BoundedValue& a, const BoundedValue& b);
};

// Arithmetic on bounds, each result no less than the exact one. For operands >= 0.
namespace upward {
double add(double a, double b);
double multiply(double a, double b);
double divide(double a, double b);
// (1 + x)^n - 1
double compound(double x, std::uint64_t n);
}  // namespace upward

double unit_roundoff(const FormatSpec& f, Rounding mode);  // 2^-p for nearest, 2^(1-p) otherwise
// eta; 2^-1074 where half of the smallest float64 is meant.
double underflow_error(const FormatSpec& f, Rounding mode);

}  // namespace assay
