// Where alpha and beta of a matrix product may enter: the candidates of the search, and their text.
#pragma once

#include <string>
#include <vector>

#include "reference/exact/addition_tree.hpp"
#include "validation/diagnose/program/target.hpp"

namespace assay::diagnose {

// Every place for alpha, with its products and those of beta exact or rounded as the tree's root rounds. `tree` has its
// order and formats. In a chain, only its ends and the joints of whole panels are tried: a machine that multiplies by
// alpha after each panel sums the panel separately.
std::vector<TreeScaling> scaling_places(const AdditionTree& tree, const Problem& problem);

// The tree's scaling, with all other formats, roundings, flushing and uses of C.
std::vector<TreeScaling> scaling_variants(const AdditionTree& tree, const Problem& problem);

// "alpha 0.7 times each sum that is added to C, in the addition (fma); beta 0.25 times C, rounded to float32
// nearest-even"
std::string describe(const TreeScaling& scaling, const AdditionTree& tree);

}  // namespace assay::diagnose
