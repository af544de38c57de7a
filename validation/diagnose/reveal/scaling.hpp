// Where alpha and beta of a matrix product may enter: what a search tries, and how it reads.
#pragma once

#include <string>
#include <vector>

#include "reference/exact/addition_tree.hpp"
#include "validation/diagnose/program/target.hpp"

namespace assay::diagnose {

// Every place for alpha, its products and those of beta exact or rounded as the tree's root rounds. `tree` has its
// order and formats. Of a chain only the ends are tried, and where whole panels join: a machine that multiplies by
// alpha after each panel keeps the panel's sum to itself until then.
std::vector<TreeScaling> scaling_places(const AdditionTree& tree, const Problem& problem);

// The tree's own with all other formats, roundings, flushing and uses of C.
std::vector<TreeScaling> scaling_variants(const AdditionTree& tree, const Problem& problem);

// "alpha 0.7 times each sum that is added to C, in the addition (fma); beta 0.25 times C, rounded to float32
// nearest-even"
std::string describe(const TreeScaling& scaling, const AdditionTree& tree);

}  // namespace assay::diagnose
