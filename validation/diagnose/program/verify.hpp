// Judges answers to the cases of generate().
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference/exact/arithmetic.hpp"
#include "validation/compare/comparator.hpp"
#include "validation/diagnose/program/generate.hpp"

namespace assay::diagnose {

// `answers` are codes of spec.output: the results of each of `cases`, row-major. With `unit`, its bits are the expected
// results. Without, options.policy requires the exact results, or results within the bound of sums in spec.accumulator
// in any order. The policy, the threads and the operation's name are taken from `options`.
compare::Comparison verify(const CaseSpec& spec, std::size_t cases, const std::vector<std::uint64_t>& answers,
                           const Arithmetic* unit, const compare::Options& options);

}  // namespace assay::diagnose
