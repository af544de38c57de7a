// A sum as a tree of additions, with the arithmetic of every leaf and node: enough to repeat its bits.
//
// Numerics
//   leaf    a product (of a sum: a value, b absent; or C). Operands are flushed if `flush_operands`. Exact,
//           or rounded to `product` and flushed if `flush_result`. `started`: the leaf enters by an addition
//           of its own to +0, which has the rule of the node above it; of a node of many terms, or one with a
//           `fraction`, +0 is one more term.
//   node    the exact sum of its children, rounded once to `format`. `flush_inputs`: children that are no
//           exact products and subnormal in their format are zeros of their sign. `flush_result`: a result
//           that is tiny is. `fraction` F: each term is first cut toward zero to a
//           multiple of 2^(emax-F), emax the largest exponent of a term, or `floor` if that is larger; a
//           product's exponent is the sum of its operands'.
//   tiny    what every `flush_result` takes for subnormal, see Tininess.
//   skipped a term whose factor is a zero, see SkippedTerms: it adds nothing, 0 * Inf no NaN and -0 no sign. A
//           node with one child left passes that child on (rounding it if it is an exact product); a sum of nothing
//           is +0.
//   scaling alpha and beta of a matrix product: see TreeScaling.
//   mean    the root, rounded to the format of its `mean` if that is narrower, divided by the number of terms; or times
//           the reciprocal of that number, which was rounded by it before.
//   root    rounded once more to `output`, nearest-even unless it says otherwise, with an overflow of its own; before
//           that added to a C of +0 where `started`.
//   NaN     is the one quiet NaN of the format.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/exact/code_view.hpp"
#include "reference/formats/rounding.hpp"

namespace assay {

// When a result is so small that a rule that flushes results makes a zero of it. The three differ for exact values
// within one rounding of 2^emin.
enum class Tininess : std::uint8_t {
  as_stored,       // rounded to the format's own places, it is subnormal
  after_rounding,  // rounded to its precision with no limit on the exponent, it is below 2^emin: x86
  before_rounding  // it is below 2^emin as it is: Arm
};
inline constexpr std::array all_tininess{Tininess::as_stored, Tininess::after_rounding,
                                         Tininess::before_rounding};
std::string_view tininess_name(Tininess tiny);

// Terms that are left out because the factor in A, in B, or either of them is a zero, after alpha and flushing. The
// reference BLAS tests one factor before it multiplies.
enum class SkippedTerms : std::uint8_t { none, a, b, either };
inline constexpr std::array all_skipped{SkippedTerms::none, SkippedTerms::a, SkippedTerms::b,
                                        SkippedTerms::either};
std::string_view skipped_name(SkippedTerms skipped);

struct LeafRule {
  std::optional<FormatSpec> product{};  // empty: exact
  Rounding rounding = Rounding::nearest_even;
  bool started = false;
  bool flush_operands = false, flush_result = false;
  friend bool operator==(const LeafRule&, const LeafRule&) = default;
};

struct NodeRule {
  FormatSpec format = formats::float32;
  Rounding rounding = Rounding::nearest_even;
  bool flush_inputs = false, flush_result = false;
  std::optional<int> fraction{};  // empty: an exact sum, rounded once
  bool padded = false;         // of two children: a sum is first added to +0, a term that pads an odd length
  std::optional<int> floor{};  // of a fraction: emax is at least so large
  bool infinite =
      false;  // what overflows is infinite, also where the rounding would stop at the largest number
  friend bool operator==(const NodeRule&, const NodeRule&) = default;
};

struct MeanRule {
  FormatSpec format = formats::float32;
  Rounding rounding = Rounding::nearest_even;
  bool reciprocal = false;
  friend bool operator==(const MeanRule&, const MeanRule&) = default;
};

// What becomes of a sum that rounds beyond the output's largest number.
enum class OutputOverflow : std::uint8_t {
  as_rounded,  // infinity or the largest number, as the rounding says
  infinite,    // infinity, whatever the rounding says
  largest,     // the largest number; infinities stay
  saturated    // the largest number, for infinities as well
};
inline constexpr std::array all_output_overflows{OutputOverflow::as_rounded, OutputOverflow::infinite,
                                                 OutputOverflow::largest, OutputOverflow::saturated};
std::string_view output_overflow_name(OutputOverflow overflow);

struct OutputRule {
  FormatSpec format = formats::float32;
  Rounding rounding = Rounding::nearest_even;
  bool flush = false;
  bool started = false;  // the sum is added to +0 by the root's rule, so that no -0 comes out
  std::optional<MeanRule> mean{};
  OutputOverflow overflow = OutputOverflow::as_rounded;
  friend bool operator==(const OutputRule&, const OutputRule&) = default;
};

// alpha and beta of D = alpha A B + beta C, and where they enter.
//
//   alpha   a, b   each operand of that matrix times alpha, rounded to `alpha_format`
//           sums   what is added on the way from node `from` up to the root, and node `from` itself unless it is C,
//                  times alpha: rounded to `alpha_format`, or exact, as in fma(alpha, sum, C). A term that is such a
//                  sum alone was rounded as the node above it rounds. An exact `from` below the root is rounded by
//                  the node above it, as in fma(alpha, sum, 0).
//   beta    C times beta: rounded to `beta_format`, or exact, as in fma(beta, C, sum). With beta = 0 C is no leaf;
//           where `reads_c` its NaN or infinity makes a NaN of the result.
enum class AlphaPlace : std::uint8_t { a, b, sums };
std::string_view alpha_place_name(AlphaPlace place);

struct TreeScaling {
  double alpha = 1, beta = 1;
  AlphaPlace place = AlphaPlace::sums;
  int from = 0;                                             // of sums: a node
  std::optional<FormatSpec> alpha_format{}, beta_format{};  // empty: exact
  Rounding rounding = Rounding::nearest_even;               // to both
  bool flush = false;                                       // subnormal factors and products are zeros
  bool reads_c = false;
  friend bool operator==(const TreeScaling&, const TreeScaling&) = default;
};

struct TreeNode {
  std::vector<int> children{};  // two or more; none: a leaf
  int leaf = -1;                // 0 to k-1: a term; k: C
  int rule = 0;                 // of leaf_rules or node_rules
};

// Nodes stand after their children; the last is the root.
struct AdditionTree {
  std::size_t terms = 0;  // k
  bool addend = false;    // leaf k is C
  std::vector<TreeNode> nodes{};
  std::vector<LeafRule> leaf_rules{LeafRule{}};
  std::vector<NodeRule> node_rules{NodeRule{}};
  OutputRule output{};
  std::optional<TreeScaling> scaling{};  // empty: alpha and beta are 1
  Tininess tiny = Tininess::as_stored;
  SkippedTerms skipped = SkippedTerms::none;  // of a sum: none

  std::size_t leaves() const { return terms + (addend ? 1 : 0); }
};

// Whether a term of these factors is left out; term i of operands as they are, before alpha and flushing.
bool skips(SkippedTerms skipped, bool a_is_zero, bool b_is_zero);
bool skips_term(SkippedTerms skipped, const CodeVector& a, const CodeVector& b, std::size_t i);

// Terms are added at once, not two by two.
bool is_fused(const AdditionTree& tree, const TreeNode& node);

// ContractError unless every leaf occurs once, children precede their node, rules exist, and alpha can enter where it
// is said to.
void check_tree(const AdditionTree& tree);

// Of each node whether it is a sum that alpha multiplies.
std::vector<char> sums_times_alpha(const AdditionTree& tree);

// The same order of additions, rules aside: equal texts, equal trees, whichever child stands first.
std::string canonical_order(const AdditionTree& tree);

// Leaves below the lowest node that holds both leaves i and j.
std::size_t leaves_below_common(const AdditionTree& tree, int i, int j);

// A proven bound on the tree's error for these operands, the last rounding included; +Inf where an overflow
// is possible.
double tree_bound(const AdditionTree& tree, const CodeVector& a, const CodeVector* b,
                  std::optional<std::uint64_t> c, const FormatSpec& c_format);

}  // namespace assay
