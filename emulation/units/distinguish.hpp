// The smallest input on which two arithmetics differ, which can be run on a machine to learn which of them it has.
//
// A search over discriminating inputs (discriminating.hpp), few terms first, then reductions of what it found, until no
// single one leaves a smaller input that still separates the two. Everything is a function of the arguments: the same
// on every run and machine. An input that it finds proves the difference; finding none proves nothing.
//
// Smaller means, in this order: fewer terms, at least one; fewer operands that are not zero; no c; fewer NaNs and
// infinities; fewer significant bits in all; exponents nearer to 0 in all; fewer negative operands.
//
// Numerics
//   inputs   a format pair that both accept, the first in x's order; arithmetics of any format follow the other one,
//            and two of them take the narrower accumulator's format (x's if neither holds the other).
//   scales   block-scaled units take scales of one.
//   c        a code of the narrower accumulator: a c that one of the two cannot hold exactly is not tried.
//   results  codes of each one's default output, or of options.output. They differ if their values do: NaN equals NaN
//            and -0 equals +0. Inputs whose results differ in no more than a NaN's bits or the sign of a zero are
//            reported if nothing else is found.
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
  std::uint64_t limit = 20000;   // inputs of the search; reducing what it found tries more
  std::size_t most_terms = 600;  // of an input
  std::optional<std::pair<FormatSpec, FormatSpec>> inputs{};  // of a and b
  std::optional<FormatSpec> output{};
  std::optional<std::size_t> terms{};  // of every input: for an arithmetic that is known for one length alone
  bool with_c = true;                  // false: no input has a c
  // Before each input: how many the search has tried, and how many were tried to make a found one smaller.
  std::function<void(std::uint64_t tried, std::uint64_t reduced)> progress{};
};

// ContractError if no pair of formats is accepted by both (it names what each accepts), or if one does not take or give
// what the options ask for.
Distinction distinguish(const Arithmetic& x, const Arithmetic& y, const DistinguishOptions& options = {});

// What one dot product of so many terms takes, in seconds, from one that is short.
double seconds_a_dot(const Arithmetic& arithmetic, const DistinguishOptions& options, std::size_t terms);

// c as a code of an arithmetic's accumulator; empty if that does not hold it exactly, or if there is no c.
std::optional<std::uint64_t> c_for(const DotInput& input, const Arithmetic& arithmetic);

// The inputs one reduction away, each smaller than `input`; stops when visit() says so.
void each_reduction(const DotInput& input, const std::function<bool(const DotInput&)>& visit);

// The order above.
bool is_smaller(const DotInput& x, const DotInput& y);

}  // namespace assay
