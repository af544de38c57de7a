// The arithmetic of a tree of additions, for people.
#pragma once

#include <string>

#include "reference/exact/addition_tree.hpp"

namespace assay::judge {

// "float32 nearest-even", "float32 toward-zero, flushes results, terms cut to 24 places": for people.
std::string describe(const NodeRule& rule);
std::string describe(const LeafRule& rule);
std::string describe(const OutputRule& rule);
// "below 2^emin after a rounding with no limit on the exponent, as x86 has it"; "a term whose factor in A is 0 adds
// nothing"; empty for what is usual.
std::string describe(Tininess tiny);
std::string describe(SkippedTerms skipped);

}  // namespace assay::judge
