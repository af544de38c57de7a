// Finds the smallest input on which two arithmetics differ. Run on a machine, it shows which of the two that machine
// has.
//
// Searches discriminating inputs (discriminating.hpp), few terms first, then reduces the one found until no single
// reduction leaves a smaller input that still separates the two. The result is a function of the arguments, the same on
// every run and machine. An input proves that the two differ; finding none proves nothing.
//
// Smaller means, in this order: fewer terms (at least one); fewer nonzero operands; no c; fewer NaNs and
// infinities; fewer significant bits in all; exponents nearer to 0 in all; fewer negative operands.
//
// Numerics
//   inputs   a format pair that both accept, the first in x's order; arithmetics of any format follow the other one,
//            and two of them take the narrower accumulator's format (x's if neither holds the other).
//   scales   block-scaled units take scales of one.
//   c        a code of the narrower accumulator; only values that both accumulators hold exactly are tried.
//   results  codes of each arithmetic's default output, or of options.output. They differ if their values do: NaN
//            equals NaN and -0 equals +0. An input whose results differ only in a NaN's bits or in the sign of a zero
//            is reported if no other is found.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "emulation/units/discriminating.hpp"
#include "reference/exact/arithmetic.hpp"

namespace assay {

struct DistinguishOptions {
  std::uint64_t seed = 1;
  std::uint64_t limit = 20000;   // inputs of the search; the reduction tries more
  std::size_t most_terms = 600;  // of an input
  std::optional<std::pair<FormatSpec, FormatSpec>> inputs{};  // of a and b
  std::optional<FormatSpec> output{};
  std::optional<std::size_t> terms{};  // of every input, for an arithmetic that is known for a single length
  bool with_c = true;                  // false: no input has a c
  // Called before each input with the number of inputs tried by the search and by the reduction.
  std::function<void(std::uint64_t tried, std::uint64_t reduced)> progress{};
};

// ContractError if the two accept no common pair of formats (it names those that each accepts), or if one of them does
// not support the formats in the options.
Distinction distinguish(const Arithmetic& x, const Arithmetic& y, const DistinguishOptions& options = {});

// Estimated seconds for one dot product of `terms` terms, from the time of a short one.
double seconds_a_dot(const Arithmetic& arithmetic, const DistinguishOptions& options, std::size_t terms);

// c as a code of an arithmetic's accumulator; empty if the accumulator cannot hold it exactly, or if there is no c.
std::optional<std::uint64_t> c_for(const DotInput& input, const Arithmetic& arithmetic);

// The inputs one reduction away, each smaller than `input`; stops when visit() says so.
void each_reduction(const DotInput& input, const std::function<bool(const DotInput&)>& visit);

// The order defined at the top of this file.
bool is_smaller(const DotInput& x, const DotInput& y);

}  // namespace assay
