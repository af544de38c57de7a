// Pictures of a tree of additions, folded where it repeats.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "reference/exact/addition_tree.hpp"

namespace assay {

struct DrawOptions {
  bool fold = true;             // chains on one line; subtrees of one shape once
  bool rules = true;            // of nodes and terms; without them the order alone is told
  std::size_t most_lines = 60;  // of text; the rest is counted
};

// A line for each addition, chain or term, indented below what it enters. Terms are numbered from 0; "0..60
// step 4" are 16 of them in that order; C is called C.
std::string draw_text(const AdditionTree& tree, const DrawOptions& options = {});

// An SVG image of at most `widest` boxes in a row: trees that are wider are folded, whatever the options say.
std::string draw_svg(const AdditionTree& tree, const std::string& title, const DrawOptions& options = {});

// The arithmetic of its nodes, its terms and its output, and what it does with tiny results and zeros: a line each, as
// draw_text() has them below the tree.
std::vector<std::string> tree_legend(const AdditionTree& tree);

}  // namespace assay
