// Compares an output with the expected values and returns everything that a report may say about it.
//
// Rules
//   formats    want may have another format than got. Values are compared with want as it is; for codes and
//              ulps, want is rounded once into the format of got (Options::rounding). bit-equal asks for the
//              codes that a program should have made, so formats that differ are a ContractError there unless
//              Options::convert says that this rounding is meant; after it the bits of a NaN mean nothing,
//              and any NaN equals any other.
//   NaN        as the policy says (policy.hpp). A NaN is counted and never measured.
//   bound      A value whose code is that of the exact result, rounded once, is never outside. With
//              Expected::results nothing is accepted but what stands there. With a bare bound, got may be an infinity
//              (a NaN, where the format has none) only if a value within it rounds to it. A value of which nothing is
//              known is accepted and counted: Comparison::not_judged.
//   threads    do not change a single figure: sums are taken over fixed chunks, the rest is counted in
//              integers.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "reference/formats/rounding.hpp"
#include "reference/operations/result_set.hpp"
#include "validation/compare/codes.hpp"
#include "validation/compare/comparison.hpp"
#include "validation/compare/policy.hpp"

namespace assay::compare {

struct Expected {
  Codes codes{};
  // The exact results as truth[i] + remainder[i]; the remainder may be left out where float64 holds the
  // result or its rounding is far below every bound. Without `truth`, the values of `codes`.
  std::span<const double> truth{}, remainder{};
  // PolicyKind::bound only: at least 0, infinite where nothing is known: such a value is not judged. The output's
  // rounding is included.
  std::span<const double> bound{};
  // PolicyKind::bound only: the results that are right, one set a value, and what infinities and NaN become. Where it
  // is given it alone decides, and `bound` is what figures show.
  std::span<const ResultSet> results{};
  SpecialCodes specials{};
};

struct Options {
  Policy policy{};
  bool convert = false;
  Rounding rounding = Rounding::nearest_even;  // into got's format
  Overflow overflow = Overflow::ieee;          // saturate: no number becomes an infinity or a NaN in got
  bool expects_zero = false;                   // an all-zero truth is what the case is about
  // What the output's memory held before (of got's format and shape): would it pass? Asked for the report,
  // never judged.
  std::optional<Codes> stale{};
  // Of the values at the entries of a sparse matrix: row and column of the i-th, for the report.
  std::function<std::pair<std::size_t, std::size_t>(std::size_t)> entry_of{};
  std::string operation{};  // for Comparison::operation
  int threads = 0;          // 0: as OpenMP decides
};

// ContractError where shapes differ, a pointer is null, formats differ under bit-equal without `convert`, a
// span has another length, or a bound is missing, negative or NaN; or if the policy is unsound.
//
// Verdicts: disagree if a value is outside the policy; vacuous if there are no values, if the truth is zero
// everywhere (unless `expects_zero`) or NaN everywhere, or if zeros would pass everywhere; else agree.
Comparison judge(const Codes& got, const Expected& want, const Options& options);

}  // namespace assay::compare
