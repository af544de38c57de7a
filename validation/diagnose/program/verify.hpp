// What somebody answered to the cases of generate(), and whether it is right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference/exact/arithmetic.hpp"
#include "validation/compare/comparator.hpp"
#include "validation/diagnose/program/generate.hpp"

namespace assay::diagnose {

// `answers` are codes of spec.output: for each of `cases` its results, row-major. With `unit` its bits are asked for;
// else by options.policy the exact results, or those within the bound of sums in spec.accumulator in any order. What
// `options` say of the policy, the threads and the operation's name holds.
compare::Comparison verify(const CaseSpec& spec, std::size_t cases, const std::vector<std::uint64_t>& answers,
                           const Arithmetic* unit, const compare::Options& options);

}  // namespace assay::diagnose
